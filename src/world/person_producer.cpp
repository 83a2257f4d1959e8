// Persons for `world render`: stills of each subject, spread over the cameras that it passes.

#include "sosia/world/person.hpp"
#include "world/producer.hpp"
#include "world/truth.hpp"

#include <algorithm>

namespace sosia::world {
namespace {

PersonWorldOptions options_of(const RenderRequest& request) {
  PersonWorldOptions o;
  o.seed = request.seed;
  o.train_subjects = 0;
  o.test_subjects = static_cast<int>(std::min<std::uint64_t>(request.subjects, 10'000'000));
  // Everybody passes two cameras at least.
  o.shots = std::max(1, (request.images_per_subject + 1) / 2);
  return o;
}

class PersonProducer final : public Producer {
 public:
  explicit PersonProducer(const RenderRequest& request)
      : request_(request), world_(options_of(request)) {}

  SubjectItems subject(std::uint64_t index) const override {
    const image::Extent size{std::max(16, request_.size_px / 2), request_.size_px};
    std::vector<PersonCrop> crops = world_.stills(static_cast<std::int64_t>(index) + 1);
    // One of each camera first, then the second of each.
    std::stable_sort(crops.begin(), crops.end(),
                     [](const PersonCrop& a, const PersonCrop& b) { return a.frame < b.frame; });
    crops.resize(std::min(crops.size(), static_cast<std::size_t>(request_.images_per_subject)));
    SubjectItems out{.folder = subject_folder(index), .items = {}};
    for (std::size_t i = 0; i < crops.size(); ++i) {
      image::Image picture = world_.render(crops[i], size);
      Item item;
      item.truth = Value::object({{"kind", "person"}, {"size_px", request_.size_px}});
      const Value truth = world_.truth(crops[i], size);
      // "subject" is the verb's: the folder.
      for (const auto& [key, value] : truth.as_object()) {
        item.truth.set(key == "subject" ? "person" : key, value);
      }
      const image::ImageView v = picture.view();
      item.truth.set("pixels",
                     pixel_hash(v.data, v.width_px, v.height_px, v.channels, v.stride_bytes));
      const std::string name = picture_name(i) + ".png";
      item.files.push_back({.name = name, .picture = std::move(picture)});
      if (request_.parts) {
        item.files.push_back(
            {.name = name, .picture = world_.render_parts(crops[i], size), .aside = true});
      }
      out.items.push_back(std::move(item));
    }
    return out;
  }

 private:
  RenderRequest request_;
  PersonWorld world_;
};

}  // namespace

std::unique_ptr<Producer> make_person_producer(const RenderRequest& request) {
  return std::make_unique<PersonProducer>(request);
}

}  // namespace sosia::world
