#pragma once
// Pictures to learn from: where they come from, and who is on them.

#include "sosia/core/fields.hpp"
#include "sosia/core/run.hpp"
#include "sosia/image/image.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sosia::data {

/// What is known of a picture before it is read.
struct Item {
  std::int64_t subject = 0;  ///< from 0, without gaps
  int camera = -1;           ///< from 0; -1 unknown
  int domain = 0;            ///< which of several sets it came from
  std::string name = {};     ///< a path, or what the picture was drawn from
};

/// Is told the extent of a stored picture and answers by how much it may be shrunk while it is
/// decoded: 1, 2, 4 or 8.
using Shrink = std::function<int(image::Extent)>;

/// A list of pictures. Thread-safety: immutable; `read` may be called from any thread.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::size_t size() const = 0;
  /// No bounds check.
  virtual const Item& item(std::size_t index) const = 0;
  /// RGB, upright. Sets of encoded pictures ask `shrink`, where there is one, before they decode.
  /// Throws as `image::decode_file`.
  virtual image::Image read(std::size_t index, const Shrink& shrink) const = 0;
  /// Which data, in one sentence.
  virtual std::string described() const = 0;

  /// One more than the largest subject.
  std::int64_t subjects() const;
};

/// Which data set.
struct DataSpec {
  enum class Kind {
    folder,         ///< PATH/<subject>/<picture>
    reid,           ///< a layout of person re-identification; see formats::ReidLayout
    recordio,       ///< InsightFace's train.rec
    world_faces,    ///< rendered faces
    world_persons,  ///< rendered persons
  };
  Kind kind = Kind::world_faces;
  std::string path = {};
  std::string layout = "auto";  ///< of reid: "market1501", ... or "auto"
  std::string part = "train";   ///< of reid: train, val, query, gallery
  std::int64_t subjects = 200;  ///< of the worlds
  std::int64_t pictures = 10;   ///< of a subject of world_faces
  std::int64_t size_px = 64;    ///< side of a rendered face; a person has half the width
  std::int64_t world_seed = 1;
  std::int64_t first_subject = 0;  ///< of the worlds: to render others than an earlier set
};
void describe(Fields& f, DataSpec& o);

/// Opens a set. Throws not_found for what does not exist or holds no picture, usage for a spec
/// without the path that its kind needs, and as the readers of `formats`.
std::shared_ptr<const Dataset> open_dataset(const DataSpec& spec);

/// Some of the items of another set, subjects numbered anew in order of their numbers there.
std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> set,
                                      std::span<const std::uint32_t> items);

/// Two parts without a common subject: about `share` of the subjects, drawn from `seed`, in the
/// second one. Throws invalid_argument when a part would be empty.
std::pair<std::shared_ptr<const Dataset>, std::shared_ptr<const Dataset>> split_subjects(
    std::shared_ptr<const Dataset> set, double share, std::uint64_t seed);

}  // namespace sosia::data
