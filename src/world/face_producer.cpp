// Faces and attacks for `world render` and `world export`.

#include "sosia/world/attack.hpp"
#include "sosia/world/caption.hpp"
#include "world/producer.hpp"
#include "world/truth.hpp"

#include <array>

#include <fmt/format.h>

namespace sosia::world {
namespace {

std::string hash_of(image::ImageView v) {
  return pixel_hash(v.data, v.width_px, v.height_px, v.channels, v.stride_bytes);
}

// The first picture of a subject is the one to enrol.
FaceAttributes attributes_of(std::uint64_t seed, std::uint64_t subject, std::uint64_t number) {
  return number == 0 ? random_enrolment_attributes(seed, subject, number)
                     : random_face_attributes(seed, subject, number);
}

class FaceProducer final : public Producer {
 public:
  explicit FaceProducer(const RenderRequest& request) : request_(request) {}

  SubjectItems subject(std::uint64_t index) const override {
    FaceRenderer renderer;
    FaceImage image;
    const FaceIdentity identity = random_face_identity(request_.seed, index);
    SubjectItems out{.folder = subject_folder(index), .items = {}};
    for (int i = 0; i < request_.images_per_subject; ++i) {
      const auto number = static_cast<std::uint64_t>(i);
      const FaceAttributes attributes = attributes_of(request_.seed, index, number);
      renderer.render(identity, attributes, request_.size_px, image);
      Item item;
      item.truth = Value::object({{"kind", "face"},
                                  {"size_px", request_.size_px},
                                  {"caption", caption_text(caption_of(attributes))},
                                  {"identity", to_value(identity)},
                                  {"attributes", to_value(attributes)}});
      const Value seen = truth_of(image);
      for (const auto& [key, value] : seen.as_object()) item.truth.set(key, value);
      item.truth.set("pixels", hash_of(image.picture));
      const std::string name = picture_name(number) + ".png";
      item.files.push_back({.name = name, .picture = std::move(image.picture)});
      if (request_.parts) {
        item.files.push_back({.name = name, .picture = std::move(image.parts), .aside = true});
      }
      image = FaceImage();
      out.items.push_back(std::move(item));
    }
    return out;
  }

 private:
  RenderRequest request_;
};

class AttackProducer final : public Producer {
 public:
  explicit AttackProducer(const RenderRequest& request) : request_(request) {}

  SubjectItems subject(std::uint64_t index) const override {
    SubjectItems out{.folder = subject_folder(index), .items = {}};
    FaceRenderer faces;
    AttackRenderer attacks;
    // Bona fide, print, replay, mask, and round again with other pictures.
    for (int i = 0; i < request_.images_per_subject; ++i) {
      const auto number = static_cast<std::uint64_t>(i / (kAttackKinds + 1));
      const int kind = i % (kAttackKinds + 1) - 1;
      const std::string name = picture_name(static_cast<std::uint64_t>(i));
      out.items.push_back(
          kind < 0 ? bona_fide(faces, index, number, name)
                   : attack(attacks, index, number, static_cast<AttackKind>(kind), name));
    }
    return out;
  }

  std::string csv_name() const override { return "attack.csv"; }
  std::vector<std::string> csv_header() const override {
    return {"file", "subject", "label", "instrument"};
  }

 private:
  Item bona_fide(FaceRenderer& renderer, std::uint64_t index, std::uint64_t number,
                 const std::string& name) const {
    const FaceIdentity identity = random_face_identity(request_.seed, index);
    const FaceAttributes attributes = random_enrolment_attributes(request_.seed, index, number);
    FaceImage image;
    renderer.render(identity, attributes, request_.size_px, image);
    Item item;
    item.truth = Value::object({{"kind", "bona_fide"},
                                {"label", 1},
                                {"size_px", request_.size_px},
                                {"identity", to_value(identity)},
                                {"attributes", to_value(attributes)},
                                {"pixels", hash_of(image.picture)}});
    finish(item, image.picture, index, name, "1", "");
    return item;
  }

  Item attack(AttackRenderer& renderer, std::uint64_t index, std::uint64_t number, AttackKind kind,
              const std::string& name) const {
    const std::uint64_t seed = request_.seed;
    // Masks are worn by somebody who is nobody's subject.
    const std::uint64_t stranger = index ^ (std::uint64_t{1} << 40);
    const AttackScene scene{
        random_face_identity(seed, index), random_enrolment_attributes(seed, index, number),
        random_face_identity(seed, stranger), random_enrolment_attributes(seed, stranger, number)};
    const AttackParameters parameters = random_attack(seed, index, number, kind);
    AttackImage image;
    renderer.render(scene, parameters, request_.size_px, image);
    Value corners = Value::list(), landmarks = Value::list();
    for (const image::Point& p : image.corners) corners.push(numbers({p.x_px, p.y_px}, 2));
    for (const image::Point& p : image.landmarks5) landmarks.push(numbers({p.x_px, p.y_px}, 2));
    Item item;
    item.truth = Value::object({{"kind", name_of(kind)},
                                {"label", 0},
                                {"size_px", request_.size_px},
                                {"attack", to_value(parameters)},
                                {"identity", to_value(scene.victim)},
                                {"attributes", to_value(scene.victim_attributes)},
                                {"wearer_identity", to_value(scene.wearer)},
                                {"wearer_attributes", to_value(scene.wearer_attributes)},
                                {"corners", std::move(corners)},
                                {"landmarks5", std::move(landmarks)},
                                {"pixels", hash_of(image.picture)}});
    if (kind == AttackKind::mask) item.truth.set("corners", nullptr);
    const std::string file = name + "_" + std::string(name_of(kind));
    finish(item, image.picture, index, file, "0", std::string(name_of(kind)));
    if (request_.parts) {
      item.files.push_back(
          {.name = file + ".png", .picture = std::move(image.medium), .aside = true});
    }
    return item;
  }

  static void finish(Item& item, image::Image& picture, std::uint64_t index,
                     const std::string& name, const std::string& label,
                     const std::string& instrument) {
    const std::string folder = subject_folder(index);
    item.csv_cells = {folder + "/" + name + ".png", folder, label, instrument};
    item.files.push_back({.name = name + ".png", .picture = std::move(picture)});
  }

  RenderRequest request_;
};

}  // namespace

std::string subject_folder(std::uint64_t subject) {
  return fmt::format("{:05}", subject);
}
std::string picture_name(std::uint64_t number) {
  return fmt::format("{:04}", number);
}

std::unique_ptr<Producer> make_face_producer(const RenderRequest& request) {
  return std::make_unique<FaceProducer>(request);
}

std::unique_ptr<Producer> make_attack_producer(const RenderRequest& request) {
  return std::make_unique<AttackProducer>(request);
}

}  // namespace sosia::world
