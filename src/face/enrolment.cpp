#include "face/enrolment.hpp"

#include "face/verb_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/decode.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr std::size_t kBatch = 256;
constexpr std::int64_t kBatchMs = 5000;  // most work that a killed run loses
constexpr double kDominance = 3;         // area of the largest face over that of the next

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string digest_of(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}{:016x}", xxh3_64(bytes, 0), xxh3_64(bytes, 1));
}

double area(const image::Box& box) {
  return std::max(0.0, box.width_px) * std::max(0.0, box.height_px);
}

std::string held_key(const std::string& label, const std::string& photo) {
  return label + '\n' + photo;
}

std::optional<std::string> text_member(const Value& metadata, std::string_view key) {
  const Value* found = metadata.find(key);
  return found != nullptr && found->is_text() ? std::optional(found->as_text()) : std::nullopt;
}

std::optional<std::vector<double>> numbers(const Value* list, std::size_t count) {
  if (list == nullptr || !list->is_list() || list->as_list().size() != count) return std::nullopt;
  std::vector<double> out;
  for (const Value& item : list->as_list()) {
    if (!item.is_number()) return std::nullopt;
    out.push_back(item.as_real());
  }
  return out;
}

}  // namespace

Value enrolment_note(const DescribedFace& face, const FacePipeline& pipeline,
                     const std::string& photo) {
  Value note = Value::object({{"photo", photo},
                              {"box", to_value(face.box)},
                              {"landmarks", to_value(face.landmarks)},
                              {"score", rounded(face.score, 4)},
                              {"detector", pipeline.detector().name()},
                              {"model", pipeline.embedder().card().name}});
  return note;
}

std::optional<Detection> noted_face(const Value& metadata) {
  const auto box = numbers(metadata.find("box"), 4);
  const Value* points = metadata.find("landmarks");
  if (!box || points == nullptr || !points->is_list() || points->as_list().size() != 5) {
    return std::nullopt;
  }
  Detection face;
  face.box = {(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
  for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
    const auto point = numbers(&points->as_list()[i], 2);
    if (!point) return std::nullopt;
    face.landmarks[i] = {(*point)[0], (*point)[1]};
  }
  if (const Value* score = metadata.find("score"); score != nullptr && score->is_number()) {
    face.score = score->as_real();
  }
  return face;
}

EnrolledChip enrolled_chip(const gallery::StoredTemplate& t, const FacePipeline& pipeline) {
  const auto face = noted_face(t.metadata);
  const auto photo = text_member(t.metadata, "photo");
  if (!face || !photo || t.origin.empty()) return {.problem = "no photo is noted"};
  try {
    const std::vector<std::byte> bytes = read_file(t.origin);
    if (digest_of(bytes) != *photo) return {.problem = "its photo has changed since"};
    return {.picture = pipeline.aligner().align(image::decode(bytes).image, *face).picture};
  } catch (const Error&) {
    return {.problem = "its photo is not there any more"};
  }
}

std::string photo_digest(const std::filesystem::path& file) {
  return digest_of(read_file(file));
}

ChosenFace choose_face(const Analysis& analysis, SeveralFaces several, double min_quality) {
  ChosenFace out;
  if (analysis.faces.empty()) {
    out.problem = fmt::format("no face of {:.0f} px or more was found", analysis.min_face_px);
    return out;
  }
  std::vector<const DescribedFace*> faces;
  for (const DescribedFace& face : analysis.faces) faces.push_back(&face);
  std::stable_sort(faces.begin(), faces.end(),
                   [](const auto* a, const auto* b) { return area(a->box) > area(b->box); });
  if (faces.size() > 1) {
    const bool dominant = area(faces[0]->box) >= kDominance * area(faces[1]->box);
    if (several == SeveralFaces::refuse || (several == SeveralFaces::dominant && !dominant)) {
      out.problem =
          several == SeveralFaces::refuse
              ? fmt::format("there are {} faces", faces.size())
              : fmt::format("there are {} faces and none is by far the largest", faces.size());
      return out;
    }
    out.remark = fmt::format("the largest of {} faces was taken", faces.size());
  }
  const DescribedFace& face = *faces[0];
  if (face.degenerate) {
    out.problem = "the points that were found are no face's";
  } else if (face.quality.value < min_quality) {
    out.problem = fmt::format("the quality is {:.3f}, below {}", face.quality.value, min_quality);
  } else {
    out.face = &face;
  }
  return out;
}

void require_same_model(gallery::Gallery& gallery, const FacePipeline& pipeline, RunContext& run) {
  const gallery::GalleryInfo info = gallery.info();
  if (info.model == pipeline.model_hash() && info.dimension == pipeline.dimension()) return;
  if (info.model.empty() && info.templates == 0 && info.dimension == pipeline.dimension()) return;
  // The first template says which cards it was made with.
  std::string made_with;
  gallery.scan(
      {},
      [&](const gallery::StoredTemplate& t) {
        const auto detector = text_member(t.metadata, "detector");
        const auto model = text_member(t.metadata, "model");
        if (detector && model) {
          made_with = fmt::format("--detector {} --model {}", *detector, *model);
        }
        return false;
      },
      run);
  throw Error(
      ErrorCode::conflict,
      fmt::format("the gallery holds vectors of another model than --detector {} --model {} makes: "
                  "they cannot be compared",
                  pipeline.detector().name(), pipeline.embedder().card().name),
      (made_with.empty() ? std::string("name the cards that it was made with")
                         : "its templates were made with " + made_with) +
          " (--precision counts too), or embed its photos again with `sosia face migrate`",
      info.place);
}

std::optional<gallery::Calibration> starting_calibration(const FacePipeline& pipeline) {
  std::optional<CardCalibration> found = card_calibration(pipeline);
  if (!found) return std::nullopt;
  gallery::Calibration calibration = std::move(found->calibration);
  if (!found->warning.empty()) {
    // Not of these vectors to the bit; better than none, and it says so wherever it is shown.
    calibration.model = "";
    calibration.set += " (fitted with another detector, alignment or precision)";
  }
  return calibration;
}

Enroller::Enroller(const gallery::GalleryPlace& place, const NewGallery& make,
                   const FacePipeline& pipeline, const std::string& verb, RunContext& run)
    : place_(place), make_(make), pipeline_(pipeline), verb_(verb) {
  const gallery::Secret secret = secret_of(place);  // a key that is not there is no missing gallery
  try {
    gallery_ = gallery::open_place(place, gallery::Access::write, verb);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    // Now, not after an hour: can it be made?
    if (make.encrypt && secret.empty()) {
      throw Error(ErrorCode::usage, "the gallery is to be encrypted, but no key is given",
                  "give --key-file or set SOSIA_GALLERY_KEY");
    }
    if (!make.encrypt && !place.key_file.empty()) {
      throw Error(ErrorCode::usage, "a key is given, but the new gallery is not to be encrypted",
                  "add --encrypt, or leave --key-file out");
    }
    return;
  }
  require_same_model(*gallery_, pipeline, run);
  std::uint64_t seen = 0;
  const std::uint64_t total = gallery_->info().templates;
  gallery_->scan(
      {},
      [&](const gallery::StoredTemplate& t) {
        if (++seen % 1024 == 0) run.progress("reading what is enrolled", seen, total);
        if (const auto photo = text_member(t.metadata, "photo")) {
          held_.insert(held_key(t.label, *photo));
        }
        return true;
      },
      run);
}

bool Enroller::holds(const std::string& label, const std::string& photo) const {
  return held_.contains(held_key(label, photo));
}

void Enroller::add(gallery::Template t, const DescribedFace& face, const std::string& photo) {
  t.vector = face.embedding;
  t.quality = face.quality.value;
  const Value note = enrolment_note(face, pipeline_, photo);
  for (const auto& [key, value] : note.as_object()) t.metadata.set(key, value);
  held_.insert(held_key(t.label, photo));
  if (batch_.empty()) batch_begun_ms_ = now_ms();
  batch_.push_back(std::move(t));
  if (batch_.size() >= kBatch || now_ms() - batch_begun_ms_ >= kBatchMs) flush();
}

void Enroller::create() {
  gallery::CreateOptions options;
  options.dimension = pipeline_.dimension();
  options.model = pipeline_.model_hash();
  options.max_templates = static_cast<std::size_t>(make_.max_templates);
  options.min_quality = make_.min_quality;
  options.type = make_.type;
  options.encrypt = make_.encrypt;
  options.calibration = starting_calibration(pipeline_);
  gallery_ =
      gallery::create_gallery(place_.gallery, options,
                              {.access = gallery::Access::write,
                               .secret = make_.encrypt ? secret_of(place_) : gallery::Secret(),
                               .who = verb_});
  made_ = true;
}

void Enroller::flush() {
  if (batch_.empty()) return;
  if (!gallery_) create();
  // A run of its own: what was worked out is kept although the caller's was cancelled.
  RunContext own({.threads = 1});
  const std::vector<gallery::Template> batch = std::exchange(batch_, {});
  const gallery::AddReport done = gallery_->add(batch, pipeline_.model_hash(), own);
  totals_.enrolled += done.enrolled;
  totals_.dropped += done.dropped;
  totals_.new_subjects += done.new_subjects;
  for (const auto& skipped : done.skipped) {
    refused_.emplace_back(batch[skipped.row].origin, skipped.reason);
  }
}

}  // namespace sosia::face
