#include "face/grouping.hpp"

#include "face/picture_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/face/calibration.hpp"
#include "sosia/gallery/groups.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/encode.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr int kThumbnailPx = 96;
constexpr std::size_t kSheetFaces = 60;  // of a cluster
constexpr std::size_t kSheets = 200;

/// The threshold that a card names, as a cosine of vectors of length 1.
std::optional<double> card_cosine(const models::ModelCard& card) {
  if (!card.threshold) return std::nullopt;
  const double value = card.threshold->value;
  if (card.threshold->metric == models::Metric::cosine) return value;
  if (card.threshold->metric == models::Metric::l2_distance) return 1 - value * value / 2;
  return std::nullopt;
}

Value file_list(const Grouping& grouping, const std::vector<std::size_t>& files) {
  Value list = Value::list();
  for (const std::size_t file : files) list.push(grouping.files()[file]);
  return list;
}

Picture contact_picture(const std::vector<const Grouping::Face*>& faces,
                        const std::vector<std::string>& files) {
  std::vector<image::Image> pictures;
  std::vector<image::SheetCell> cells;
  pictures.reserve(faces.size());
  for (const Grouping::Face* face : faces) {
    if (face->thumbnail.empty() || pictures.size() == kSheetFaces) continue;
    pictures.push_back(image::decode(face->thumbnail).image);
    cells.push_back({.picture = pictures.back(),
                     .caption = std::filesystem::path(files[face->file]).filename().string(),
                     .border = {}});
  }
  if (cells.empty()) return {};
  const image::Image sheet =
      image::contact_sheet(cells, {.columns = std::min(10, static_cast<int>(cells.size())),
                                   .cell_width_px = kThumbnailPx,
                                   .cell_height_px = kThumbnailPx});
  const std::string more = faces.size() > cells.size()
                               ? fmt::format("the first {} of {} faces", cells.size(), faces.size())
                               : fmt::format("{} faces", faces.size());
  return page_picture(sheet, more);
}

}  // namespace

GroupingThreshold grouping_threshold(const FacePipeline& pipeline,
                                     const GroupingSettings& settings) {
  if (settings.threshold) return {.value = *settings.threshold, .note = "as given"};
  GroupingThreshold out;
  std::optional<gallery::Calibration> calibration = settings.calibration;
  if (!calibration) {
    if (auto card = card_calibration(pipeline)) {
      calibration = std::move(card->calibration);
      if (!card->warning.empty()) out.warnings.push_back(card->warning);
    }
  }
  if (calibration) {
    const gallery::OperatingPolicy policy =
        gallery::make_policy(*calibration, settings.max_fmr, 1, gallery::FpirRule::independent);
    out.value = policy.threshold;
    out.note =
        fmt::format("of the calibration from {} at FMR {:g}", calibration->set, settings.max_fmr);
    return out;
  }
  const models::ModelCard& card = pipeline.embedder().card();
  if (const auto cosine = card_cosine(card)) {
    out.value = *cosine;
    out.note = "of the card " + card.name + ": " + card.threshold->set;
    out.warnings.push_back(
        "the threshold is the card's, not calibrated: look at the clusters, or give --threshold");
    return out;
  }
  throw Error(ErrorCode::invalid_argument,
              "there is no threshold: the card " + card.name + " has none and no calibration",
              "give --threshold");
}

Grouping::Grouping(const FacePipeline& pipeline, const GroupingSettings& settings)
    : settings_(settings),
      threshold_(grouping_threshold(pipeline, settings)),
      dimension_(pipeline.dimension()) {}

void Grouping::add(SourceItem&& item) {
  if (item.analysis.error) return;
  const std::size_t file = files_.size();
  files_.push_back(item.analysis.file.string());
  bool any = false;
  for (std::size_t i = 0; i < item.analysis.faces.size(); ++i) {
    const DescribedFace& face = item.analysis.faces[i];
    if (face.quality.value < settings_.min_quality) {
      ++poor_;
      continue;
    }
    any = true;
    Face& kept = faces_.emplace_back();
    kept.file = file;
    kept.index = i;
    kept.box = face.box;
    vectors_.insert(vectors_.end(), face.embedding.begin(), face.embedding.end());
    if (settings_.thumbnails && !face.chip.empty()) {
      kept.thumbnail =
          image::encode(shrunk(face.chip, kThumbnailPx), image::Format::jpeg, {.quality = 85})
              .bytes;
    }
  }
  if (!any) without_face_.push_back(file);
}

void Grouping::group(RunContext& run) {
  if (faces_.empty()) return;
  const std::vector<std::int32_t> found = gallery::cluster(
      vectors_, dimension_, {.threshold = threshold_.value, .min_size = settings_.min_size}, run);
  const std::int32_t count = *std::max_element(found.begin(), found.end()) + 1;
  clusters_ = static_cast<std::size_t>(count);
  std::vector<std::size_t> sizes(clusters_);
  for (const std::int32_t c : found) {
    if (c >= 0) ++sizes[static_cast<std::size_t>(c)];
  }
  std::vector<std::size_t> order(clusters_);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::vector<std::int32_t> number(clusters_);
  for (std::size_t i = 0; i < order.size(); ++i) number[order[i]] = static_cast<std::int32_t>(i);
  for (std::size_t i = 0; i < faces_.size(); ++i) {
    faces_[i].cluster = found[i] < 0 ? -1 : number[static_cast<std::size_t>(found[i])];
  }
}

std::vector<std::size_t> Grouping::files_of(std::int32_t cluster) const {
  std::vector<std::size_t> out;
  for (const Face& face : faces_) {
    // Faces of a file follow each other.
    if (face.cluster == cluster && (out.empty() || out.back() != face.file)) {
      out.push_back(face.file);
    }
  }
  return out;
}

void Grouping::add_to(Report& report) const {
  report.scalar("threshold", threshold_.value, "threshold", threshold_.note);
  for (const std::string& warning : threshold_.warnings) report.warning(warning);
  std::vector<std::vector<const Face*>> members(clusters_);
  std::vector<const Face*> noise;
  for (const Face& face : faces_) {
    (face.cluster < 0 ? noise : members[static_cast<std::size_t>(face.cluster)]).push_back(&face);
  }
  report.scalar("persons", clusters_, "persons");
  report.scalar("grouped_faces", faces_.size() - noise.size(), "faces of these");
  report.scalar("noise_faces", noise.size(), "faces like no other",
                fmt::format("clusters smaller than {}", settings_.min_size));
  if (settings_.min_quality > 0) report.scalar("poor_faces", poor_, "faces left out");
  Table table{
      .key = "largest",
      .title = "Persons",
      .columns = {
          {"person", "", ""}, {"faces", "", ""}, {"files", "", ""}, {"first", "first file", ""}}};
  Value clusters = Value::list(), faces = Value::list();
  for (std::size_t c = 0; c < members.size(); ++c) {
    const std::vector<std::size_t> files = files_of(static_cast<std::int32_t>(c));
    if (c < kTableRows) table.add({c + 1, members[c].size(), files.size(), files_[files[0]]});
    clusters.push(file_list(*this, files));
  }
  add_table(report, std::move(table));
  for (const Face& face : faces_) {
    faces.push(Value::object({{"file", files_[face.file]},
                              {"face", face.index},
                              {"box", to_value(face.box)},
                              {"cluster", face.cluster < 0 ? Value() : Value(face.cluster)}}));
  }
  report.data("clusters", std::move(clusters));
  report.data("noise", file_list(*this, files_of(-1)));
  report.data("no_face", file_list(*this, without_face_));
  report.data("faces", std::move(faces));
  add_sheets(report);
}

void Grouping::add_sheets(Report& report) const {
  if (!settings_.thumbnails) return;
  std::vector<std::vector<const Face*>> members(clusters_ + 1);  // the last: noise
  for (const Face& face : faces_) {
    members[face.cluster < 0 ? clusters_ : static_cast<std::size_t>(face.cluster)].push_back(&face);
  }
  for (std::size_t c = 0; c < members.size(); ++c) {
    const bool last = c == clusters_;
    if (c >= kSheets && !last) continue;
    Picture sheet = contact_picture(members[c], files_);
    if (sheet.bytes.empty()) continue;
    report.pictures(
        {.key = last ? "noise" : fmt::format("person_{}", c + 1),
         .title = last ? "Faces that are like no other" : fmt::format("Person {}", c + 1),
         .pictures = {std::move(sheet)}});
  }
}

}  // namespace sosia::face
