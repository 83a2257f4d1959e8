// Rendered sets: drawn when they are read, the same on every machine.

#include "data/sources.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"
#include "sosia/world/face.hpp"
#include "sosia/world/person.hpp"

#include <fmt/format.h>

namespace sosia::data {

namespace {

class WorldFaces final : public Dataset {
 public:
  explicit WorldFaces(const DataSpec& spec)
      : seed_(static_cast<std::uint64_t>(spec.world_seed)),
        first_(static_cast<std::uint64_t>(spec.first_subject)),
        pictures_(static_cast<std::uint64_t>(spec.pictures)),
        size_px_(static_cast<int>(spec.size_px)) {
    for (std::int64_t s = 0; s < spec.subjects; ++s) {
      for (std::int64_t p = 0; p < spec.pictures; ++p) {
        items_.push_back(
            {.subject = s,
             .name = fmt::format("face {}/{}", first_ + static_cast<std::uint64_t>(s), p)});
      }
    }
  }
  std::size_t size() const override { return items_.size(); }
  const Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const Shrink&) const override {
    thread_local world::FaceRenderer renderer;  // keeps its memory between pictures
    const std::uint64_t subject = first_ + index / pictures_, number = index % pictures_;
    world::FaceImage out;
    renderer.render(world::random_face_identity(seed_, subject),
                    world::random_face_attributes(seed_, subject, number), size_px_, out);
    return std::move(out.picture);
  }
  std::string described() const override {
    return fmt::format("{} rendered faces of {} subjects from {} of the world with seed {}", size(),
                       items_.size() / pictures_, first_, seed_);
  }

 private:
  std::uint64_t seed_, first_, pictures_;
  int size_px_;
  std::vector<Item> items_;
};

class WorldPersons final : public Dataset {
 public:
  explicit WorldPersons(const DataSpec& spec)
      : world_({.seed = static_cast<std::uint64_t>(spec.world_seed)}),
        extent_{static_cast<int>(spec.size_px / 2), static_cast<int>(spec.size_px)} {
    const world::SubjectRange all = world_.subjects(world::PersonSplit::train);
    if (spec.first_subject + spec.subjects > all.size()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("the world trains with {} persons; {} from number {} were asked for",
                              all.size(), spec.subjects, spec.first_subject),
                  "lower data.subjects or data.first_subject");
    }
    for (std::int64_t s = 0; s < spec.subjects; ++s) {
      const std::int64_t subject = all.first() + spec.first_subject + s;
      for (const world::PersonCrop& crop : world_.stills(subject)) {
        items_.push_back({.subject = s,
                          .camera = crop.camera,
                          .name = fmt::format("person {} of camera {}", subject, crop.camera)});
        crops_.push_back(crop);
      }
    }
  }
  std::size_t size() const override { return items_.size(); }
  const Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const Shrink&) const override {
    return world_.render(crops_[index], extent_);
  }
  std::string described() const override {
    return fmt::format("{} rendered pictures of {} persons of the world with seed {}", size(),
                       subjects(), world_.options().seed);
  }

 private:
  world::PersonWorld world_;
  image::Extent extent_;
  std::vector<Item> items_;
  std::vector<world::PersonCrop> crops_;
};

}  // namespace

std::shared_ptr<const Dataset> open_world_faces(const DataSpec& spec) {
  return std::make_shared<WorldFaces>(spec);
}

std::shared_ptr<const Dataset> open_world_persons(const DataSpec& spec) {
  return std::make_shared<WorldPersons>(spec);
}

}  // namespace sosia::data
