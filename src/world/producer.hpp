#pragma once
// What `world render` and `world export` ask of a kind (face, attack, person, organisation,
// record): subject i as pure data. Writing, progress, threads, markers and refusals are the verb's.

#include "sosia/core/value.hpp"
#include "sosia/image/image.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sosia::world {

/// The folder and file names of subjects and their pictures: "00017", "0003".
std::string subject_folder(std::uint64_t subject);
std::string picture_name(std::uint64_t number);

/// What was asked for. Checked by the verb before any producer is made.
struct RenderRequest {
  std::uint64_t seed = 0;
  std::uint64_t subjects = 1;  ///< at least 1
  int images_per_subject = 4;  ///< at least 1; records and organisations read it as variants
  int size_px = 128;           ///< longer side of a picture, 32 to 256
  bool parts = false;          ///< parsing maps too, where the kind has them
};

/// One file of an item: a picture (written as PNG) or text.
struct ItemFile {
  std::string name = {};      ///< inside the subject's folder, e.g. "0003.png"
  image::Image picture = {};  ///< used when not empty
  std::string text = {};      ///< else this
  bool aside = false;  ///< under parts/<folder>/ rather than <folder>/: not a picture of a subject
};

/// One line of truth.jsonl and the files that belong to it.
struct Item {
  std::vector<ItemFile> files;
  Value truth;                         ///< an object; the verb puts "subject" and "files" first
  std::vector<std::string> csv_cells;  ///< one row of the kind's CSV file; empty: none
};

/// All items of one subject, in order.
struct SubjectItems {
  std::string folder;  ///< "00017"
  std::vector<Item> items;
};

/// Thread-safety: `subject` may be called from several threads at once and is a pure function of
/// the request and the index, so that neither order nor number of threads shows in what is written.
class Producer {
 public:
  virtual ~Producer() = default;
  virtual SubjectItems subject(std::uint64_t index) const = 0;
  /// The name of the CSV file at the top of the output ("organisations.csv"), empty for none.
  virtual std::string csv_name() const { return {}; }
  virtual std::vector<std::string> csv_header() const { return {}; }
};

std::unique_ptr<Producer> make_face_producer(const RenderRequest& request);
std::unique_ptr<Producer> make_attack_producer(const RenderRequest& request);
std::unique_ptr<Producer> make_person_producer(const RenderRequest& request);
std::unique_ptr<Producer> make_organisation_producer(const RenderRequest& request);
std::unique_ptr<Producer> make_record_producer(const RenderRequest& request);

}  // namespace sosia::world
