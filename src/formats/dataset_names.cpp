// What file names say, and the small helpers around them.

#include "formats/bytes.hpp"
#include "formats/dataset_parts.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <system_error>

namespace sosia::formats {

namespace {

constexpr std::array<std::string_view, 11> kImageExtensions{
    ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".pnm", ".tif", ".tiff"};

/// Takes digits from the front of `text`; false when there are none or too many.
bool take_number(std::string_view& text, std::int64_t& out) {
  constexpr std::size_t kMaxDigits = 18;
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  long long value = 0;
  if (end == 0 || end > kMaxDigits || !parse_integer(text.substr(0, end), value)) return false;
  out = value;
  text.remove_prefix(end);
  return true;
}

bool take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

/// A camera as files number it, from 1.
bool take_camera(std::string_view& text, int& out) {
  constexpr std::int64_t kMaxCamera = 1'000'000;
  std::int64_t camera = 0;
  if (!take_number(text, camera) || camera < 1 || camera > kMaxCamera) return false;
  out = static_cast<int>(camera) - 1;
  return true;
}

}  // namespace

std::span<const std::string_view> image_extensions() {
  return kImageExtensions;
}

bool is_image_name(std::string_view file_name) {
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos || file_name.starts_with('.')) return false;
  const std::string extension = ascii_lower(file_name.substr(dot));
  return std::find(kImageExtensions.begin(), kImageExtensions.end(), extension) !=
         kImageExtensions.end();
}

std::optional<ReidName> parse_market_name(std::string_view name) {
  ReidName out;
  const bool negative = take(name, "-");
  if (!take_number(name, out.subject) || !take(name, "_c") || !take_camera(name, out.camera)) {
    return std::nullopt;
  }
  if (negative) out.subject = -out.subject;
  std::int64_t sequence = 0;
  if (take(name, "s") && !take_number(name, sequence)) return std::nullopt;
  std::int64_t frame = 0;
  if (!take(name, "_")) return out;
  take(name, "f");  // as DukeMTMC-reID marks frames
  if (take_number(name, frame)) out.time = static_cast<double>(frame);
  return out;
}

std::optional<ReidName> parse_msmt17_name(std::string_view name) {
  ReidName out;
  std::int64_t index = 0;
  if (!take_number(name, out.subject) || !take(name, "_") || !take_number(name, index) ||
      !take(name, "_") || !take_camera(name, out.camera)) {
    return std::nullopt;
  }
  return out;
}

std::optional<ReidName> parse_ltcc_name(std::string_view name) {
  ReidName out;
  std::int64_t outfit = 0;
  std::int64_t frame = 0;
  if (!take_number(name, out.subject) || !take(name, "_") || !take_number(name, outfit) ||
      outfit > std::numeric_limits<int>::max() || !take(name, "_c") ||
      !take_camera(name, out.camera) || !take(name, "_") || !take_number(name, frame)) {
    return std::nullopt;
  }
  out.clothes = static_cast<int>(outfit);
  out.time = static_cast<double>(frame);
  return out;
}

std::optional<ReidName> parse_viper_name(std::string_view name) {
  ReidName out;
  if (!take_number(name, out.subject) || !take(name, "_")) return std::nullopt;
  return out;
}

std::optional<int> parse_folder_camera(std::string_view name) {
  std::int64_t camera = 0;
  take(name, "c");
  if (!take_number(name, camera) || !take(name, "_") ||
      camera > std::numeric_limits<int>::max() / 2) {
    return std::nullopt;
  }
  return static_cast<int>(camera);
}

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

namespace {

template <class Keep>
std::vector<std::string> sorted_names(const std::filesystem::path& folder, Keep keep) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator it(folder, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with('.') && keep(*it, name)) names.push_back(std::move(name));
  }
  if (error) {
    throw Error(ErrorCode::io,
                "cannot list " + quote(folder.string(), 200) + ": " + error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<std::string> image_names(const std::filesystem::path& folder) {
  return sorted_names(folder, [](const auto& entry, const std::string& name) {
    std::error_code ignored;
    return is_image_name(name) && entry.is_regular_file(ignored);
  });
}

std::vector<std::string> folder_names(const std::filesystem::path& folder) {
  return sorted_names(folder, [](const auto& entry, const std::string&) {
    std::error_code ignored;
    return entry.is_directory(ignored);
  });
}

void TextLabels::add(std::string_view text) {
  labels_.try_emplace(std::string(text), 0);
}

void TextLabels::finish(std::vector<std::string>* names) {
  std::map<std::int64_t, std::string_view> by_number;
  bool numbers = true;
  for (auto& [text, label] : labels_) {
    long long value = 0;
    numbers = numbers && parse_integer(text, value) && by_number.try_emplace(value, text).second;
    label = value;
  }
  if (numbers) return;
  std::int64_t next = 0;
  for (auto& [text, label] : labels_) {
    label = next++;
    if (names != nullptr) names->push_back(text);
  }
}

std::int64_t TextLabels::number(std::string_view text) const {
  const auto found = labels_.find(text);
  return found == labels_.end() ? -1 : found->second;
}

void OddNames::add(std::string_view name) {
  if (count_++ == 0) first_ = name;
}

void OddNames::report(std::vector<std::string>& warnings, std::string_view place,
                      std::string_view pattern) const {
  if (count_ == 0) return;
  warnings.push_back(std::to_string(count_) + (count_ == 1 ? " image in " : " images in ") +
                     quote(place, 200) + " left out: the name does not follow " +
                     std::string(pattern) + ", for example " + quote(first_));
}

void sort_by_path(ReidDataset& data) {
  for (auto* part : {&data.train, &data.val, &data.query, &data.gallery, &data.unsplit}) {
    std::stable_sort(part->begin(), part->end(),
                     [](const ReidImage& a, const ReidImage& b) { return a.path < b.path; });
  }
}

void number_unknown_cameras(ReidDataset& data) {
  const auto parts = {&data.train, &data.val, &data.query, &data.gallery, &data.unsplit};
  int next = 0;
  for (const auto* part : parts) {
    for (const ReidImage& image : *part) {
      if (image.camera_known) next = std::max(next, image.camera + 1);
    }
  }
  for (auto* part : parts) {
    for (ReidImage& image : *part) {
      if (!image.camera_known) image.camera = next++;
    }
  }
}

std::vector<std::int64_t> relabel_subjects(std::span<ReidImage> images) {
  std::vector<std::int64_t> ids;
  ids.reserve(images.size());
  for (const ReidImage& image : images) ids.push_back(image.subject);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (ReidImage& image : images) {
    image.subject = std::lower_bound(ids.begin(), ids.end(), image.subject) - ids.begin();
  }
  return ids;
}

}  // namespace sosia::formats
