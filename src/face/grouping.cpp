#include "face/grouping.hpp"

#include "face/picture_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/face/calibration.hpp"
#include "sosia/gallery/groups.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/encode.hpp"

#include <algorithm>
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

Picture contact_picture(const Grouping& grouping, const std::vector<std::size_t>& faces) {
  std::vector<image::Image> pictures;
  std::vector<image::SheetCell> cells;
  pictures.reserve(faces.size());
  for (const std::size_t number : faces) {
    const Grouping::Face& face = grouping.faces()[number];
    if (face.thumbnail.empty() || pictures.size() == kSheetFaces) continue;
    pictures.push_back(image::decode(face.thumbnail).image);
    cells.push_back(
        {.picture = pictures.back(),
         .caption = std::filesystem::path(grouping.files()[face.file]).filename().string(),
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

void Grouping::add(const SourceItem& item) {
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
  const auto count = static_cast<std::size_t>(*std::max_element(found.begin(), found.end()) + 1);
  members_.resize(count + 1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    members_[found[i] < 0 ? count : static_cast<std::size_t>(found[i])].push_back(i);
  }
  std::stable_sort(members_.begin(), members_.end() - 1,
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (std::size_t c = 0; c < count; ++c) {
    for (const std::size_t face : members_[c]) faces_[face].cluster = static_cast<std::int32_t>(c);
  }
}

std::vector<std::size_t> Grouping::files_of(std::int32_t cluster) const {
  std::vector<std::size_t> out;
  const auto& members = cluster < 0 ? members_.back() : members_[static_cast<std::size_t>(cluster)];
  for (const std::size_t face : members) {
    // Faces of a file follow each other.
    if (out.empty() || out.back() != faces_[face].file) out.push_back(faces_[face].file);
  }
  return out;
}

void Grouping::add_to(Report& report) const {
  report.scalar("threshold", threshold_.value, "threshold", threshold_.note);
  for (const std::string& warning : threshold_.warnings) report.warning(warning);
  report.scalar("persons", clusters(), "persons");
  report.scalar("grouped_faces", faces_.size() - noise(), "faces of these");
  report.scalar("noise_faces", noise(), "faces like no other",
                fmt::format("clusters smaller than {}", settings_.min_size));
  if (settings_.min_quality > 0) report.scalar("poor_faces", poor_, "faces left out");
  Table table{
      .key = "largest",
      .title = "Persons",
      .columns = {
          {"person", "", ""}, {"faces", "", ""}, {"files", "", ""}, {"first", "first file", ""}}};
  Value sorted = Value::list(), faces = Value::list();
  for (std::size_t c = 0; c < clusters(); ++c) {
    const std::vector<std::size_t> files = files_of(static_cast<std::int32_t>(c));
    if (c < kTableRows) table.add({c + 1, members_[c].size(), files.size(), files_[files[0]]});
    sorted.push(file_list(*this, files));
  }
  add_table(report, std::move(table));
  for (const Face& face : faces_) {
    faces.push(Value::object({{"file", files_[face.file]},
                              {"face", face.index},
                              {"box", to_value(face.box)},
                              {"cluster", face.cluster < 0 ? Value() : Value(face.cluster)}}));
  }
  report.data("clusters", std::move(sorted));
  report.data("noise", file_list(*this, files_of(-1)));
  report.data("no_face", file_list(*this, without_face_));
  report.data("faces", std::move(faces));
  add_sheets(report);
}

void Grouping::add_sheets(Report& report) const {
  if (!settings_.thumbnails) return;
  for (std::size_t c = 0; c < members_.size(); ++c) {
    const bool last = c == clusters();
    if (c >= kSheets && !last) continue;
    Picture sheet = contact_picture(*this, members_[c]);
    if (sheet.bytes.empty()) continue;
    report.pictures(
        {.key = last ? "noise" : fmt::format("person_{}", c + 1),
         .title = last ? "Faces that are like no other" : fmt::format("Person {}", c + 1),
         .pictures = {std::move(sheet)}});
  }
}

}  // namespace sosia::face
