#include "face/methods/barlow_twins/pictures.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/dataset.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/transform.hpp"
#include "sosia/world/face.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

namespace sosia::face::barlow_twins {

namespace {

image::Image grey(image::ImageView picture, int width_px, int height_px) {
  return image::resize(picture.channels == 1 ? image::Image::copy_of(picture)
                                             : image::convert(picture, image::Conversion::to_grey),
                       width_px, height_px);
}

// Transforms work on RGB.
image::Image rgb_of(const image::Image& picture) {
  return image::convert(picture, image::Conversion::to_rgb);
}

/// Pictures in memory as a set to load from.
class MemorySet final : public data::Dataset {
 public:
  explicit MemorySet(const Faces& faces) : faces_(faces) {
    std::map<std::int64_t, std::int64_t> numbers;
    for (const std::int64_t subject : faces.subjects) numbers.emplace(subject, 0);
    std::int64_t next = 0;
    for (auto& [subject, number] : numbers) number = next++;
    for (const std::int64_t subject : faces.subjects) {
      items_.push_back({.subject = numbers.at(subject)});
    }
  }
  std::size_t size() const override { return items_.size(); }
  const data::Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const data::Shrink&) const override {
    return faces_.pictures[index];
  }
  std::string described() const override { return faces_.described; }

 private:
  Faces faces_;
  std::vector<data::Item> items_;
};

}  // namespace

std::shared_ptr<const data::Dataset> as_dataset(const Faces& faces) {
  return std::make_shared<MemorySet>(faces);
}

Faces read_faces(const std::filesystem::path& folder, int width_px, int height_px,
                 std::size_t least_subjects, RunContext& run) {
  const formats::SubjectListing listing = formats::list_subjects(folder);
  Faces faces;
  std::size_t usable = 0, skipped = 0;
  for (std::size_t s = 0; s < listing.subjects.size(); ++s) {
    run.progress("pictures", s, listing.subjects.size());
    const std::size_t before = faces.pictures.size();
    for (const std::string& path : listing.subjects[s].images) {
      try {
        const image::Image picture = image::decode_file(path).image;
        faces.pictures.push_back(rgb_of(grey(picture, width_px, height_px)));
        faces.subjects.push_back(static_cast<std::int64_t>(s));
      } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        run.log(LogLevel::warning, "left out: " + error.message());
        ++skipped;
      }
    }
    usable += faces.pictures.size() >= before + 2 ? 1 : 0;
  }
  if (usable < least_subjects) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} subjects with two pictures or more; the claim needs {}", usable,
                            least_subjects),
                "give a folder with one folder for each subject", folder.string());
  }
  faces.described =
      fmt::format("{} pictures of {} people in {}, {} left out", faces.pictures.size(),
                  listing.subjects.size(), quote(folder.filename().string()), skipped);
  return faces;
}

Faces render_faces(std::uint64_t seed, std::size_t subjects, std::size_t pictures, int width_px,
                   int height_px, RunContext& run) {
  Faces faces;
  faces.pictures.resize(subjects * pictures);
  faces.subjects.resize(subjects * pictures);
  const int size_px = std::clamp(std::max(width_px, height_px) * 2, 32, 256);
  run.parallel_for(0, subjects, 1, [&](std::size_t first, std::size_t last) {
    world::FaceRenderer renderer;
    world::FaceImage out;
    for (std::size_t s = first; s < last; ++s) {
      const world::FaceIdentity who = world::random_face_identity(seed, s);
      for (std::size_t p = 0; p < pictures; ++p) {
        renderer.render(who, world::random_enrolment_attributes(seed, s, p), size_px, out);
        // The middle of the picture in the proportions asked for, as ORL's crops show the head.
        const int crop = std::min(size_px, size_px * width_px / height_px);
        const image::ImageView middle =
            out.picture.view().crop((size_px - crop) / 2, 0, crop, size_px);
        faces.pictures[s * pictures + p] = rgb_of(grey(middle, width_px, height_px));
        faces.subjects[s * pictures + p] = static_cast<std::int64_t>(s);
      }
    }
  });
  faces.described = fmt::format("{} rendered pictures of {} people of the world with seed {}",
                                faces.pictures.size(), subjects, seed);
  return faces;
}

Fold split(const Faces& all, std::size_t folds, std::size_t index, std::uint64_t seed) {
  std::vector<std::int64_t> names = all.subjects;
  names.erase(std::unique(names.begin(), names.end()), names.end());
  RandomStream stream(seed, "folds");
  stream.shuffle(std::span(names));
  std::map<std::int64_t, bool> is_test;
  for (std::size_t i = 0; i < names.size(); ++i) is_test[names[i]] = i % folds == index;
  Fold fold;
  fold.train.described = fold.test.described = all.described;
  for (std::size_t i = 0; i < all.pictures.size(); ++i) {
    Faces& side = is_test[all.subjects[i]] ? fold.test : fold.train;
    side.pictures.push_back(all.pictures[i]);
    side.subjects.push_back(all.subjects[i]);
  }
  return fold;
}

}  // namespace sosia::face::barlow_twins
