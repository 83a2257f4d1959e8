// Data sets as lists: CSV, and the text lists of MSMT17.

#include "formats/bytes.hpp"
#include "formats/dataset_parts.hpp"
#include "formats/lines.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/csv.hpp"

#include <filesystem>
#include <limits>

namespace sosia::formats {

namespace {

std::string join(std::string_view folder, std::string_view path) {
  return (std::filesystem::path(folder) / std::filesystem::path(path)).string();
}

struct CsvRow {
  ReidImage image;
  std::string subject, camera, clothes, track, split;
};

class RowReader {
 public:
  explicit RowReader(CsvReader& csv) : csv_(csv) {
    path_ = csv.find_column_of({"path", "file", "image", "filename"});
    subject_ = csv.find_column_of({"pid", "subject", "id", "person"});
    camera_ = csv.find_column_of({"cam", "camera", "camid"});
    clothes_ = csv.find_column_of({"clothes", "outfit"});
    track_ = csv.find_column_of({"track", "tracklet"});
    time_ = csv.find_column_of({"time", "frame", "timestamp"});
    split_ = csv.find_column_of({"split", "subset", "set"});
    if (!path_) path_ = csv.column("path");
    if (!subject_) subject_ = csv.column("pid");
  }

  CsvRow row(std::string_view folder) const {
    CsvRow row;
    const std::string_view path = text(path_);
    if (path.empty()) csv_.fail(*path_, "names no image");
    row.image.path = join(folder, path);
    row.subject = text(subject_);
    if (row.subject.empty()) csv_.fail(*subject_, "names no subject");
    row.camera = text(camera_);
    if (row.camera == "-1") row.camera.clear();  // how many programs write "unknown"
    row.clothes = text(clothes_);
    row.track = text(track_);
    row.split = ascii_lower(text(split_));
    if (!text(time_).empty()) row.image.time = csv_.real(*time_);
    return row;
  }

  void fail_split() const { csv_.fail(*split_, "is none of train, val, query, gallery"); }

 private:
  std::string_view text(const std::optional<std::size_t>& column) const {
    return column ? trim(csv_[*column]) : std::string_view();
  }

  CsvReader& csv_;
  std::optional<std::size_t> path_, subject_, camera_, clothes_, track_, time_, split_;
};

std::vector<ReidImage>* part_of(ReidDataset& data, std::string_view split) {
  if (split.empty()) return &data.unsplit;
  if (split == "train") return &data.train;
  if (split == "val" || split == "validation") return &data.val;
  if (split == "query" || split == "probe") return &data.query;
  if (split == "gallery" || split == "test") return &data.gallery;
  return nullptr;
}

/// A label that must fit an int; -1 stands for an empty text.
int label(const TextLabels& labels, std::string_view text, std::string_view what,
          std::string_view origin) {
  if (text.empty()) return -1;
  const std::int64_t number = labels.number(text);
  if (number < 0 || number > std::numeric_limits<int>::max() / 2) {
    fail_corrupt(origin,
                 "the " + std::string(what) + " " + quote(text) + " is negative or too large");
  }
  return static_cast<int>(number);
}

}  // namespace

ReidDataset parse_reid_csv(std::span<const std::byte> bytes, std::string_view folder,
                           std::string_view origin) {
  ReidDataset data;
  data.layout = ReidLayout::csv;
  data.root = origin;
  CsvReader csv(bytes, std::string(origin));
  const RowReader reader(csv);
  std::vector<CsvRow> rows;
  TextLabels subjects, cameras, clothes, tracks;
  while (csv.next()) {
    rows.push_back(reader.row(folder));
    const CsvRow& row = rows.back();
    if (part_of(data, row.split) == nullptr) reader.fail_split();
    subjects.add(row.subject);
    if (!row.camera.empty()) cameras.add(row.camera);
    if (!row.clothes.empty()) clothes.add(row.clothes);
    if (!row.track.empty()) tracks.add(row.track);
  }
  subjects.finish(&data.subject_names);
  for (TextLabels* labels : {&cameras, &clothes, &tracks}) labels->finish(nullptr);
  for (CsvRow& row : rows) {
    ReidImage& image = row.image;
    image.subject = subjects.number(row.subject);
    if (image.subject == -1) {
      ++data.junk_dropped;
      continue;
    }
    image.camera_known = !row.camera.empty();
    image.camera = std::max(0, label(cameras, row.camera, "camera", origin));
    image.clothes = label(clothes, row.clothes, "outfit", origin);
    image.track = label(tracks, row.track, "track", origin);
    part_of(data, row.split)->push_back(std::move(image));
  }
  sort_by_path(data);
  number_unknown_cameras(data);
  return data;
}

std::vector<ReidImage> parse_msmt17_list(std::string_view text, std::string_view folder,
                                         std::string_view origin) {
  std::vector<ReidImage> images;
  for (LineReader lines(text, origin); lines.next();) {
    const std::string_view line = trim(lines.line());
    if (line.empty()) continue;
    const std::size_t blank = line.find_last_of(" \t");
    long long subject = 0;
    if (blank == std::string_view::npos || !parse_integer(line.substr(blank + 1), subject) ||
        subject < 0) {
      lines.fail(quote(line) + " is no path and person number");
    }
    const std::string_view path = trim(line.substr(0, blank));
    const std::size_t slash = path.rfind('/');
    const auto name =
        parse_msmt17_name(slash == std::string_view::npos ? path : path.substr(slash + 1));
    if (!name) lines.fail(quote(path) + " does not follow PPPP_NNN_CC_..., with camera CC");
    ReidImage& image = images.emplace_back();
    image.path = join(folder, path);
    image.subject = subject;
    image.camera = name->camera;
  }
  return images;
}

}  // namespace sosia::formats
