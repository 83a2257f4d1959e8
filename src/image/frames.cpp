#include "sosia/image/frames.hpp"

#include "image/codecs.hpp"
#include "image/video_source.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace sosia::image {
namespace fs = std::filesystem;
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The run of digits at `at` without leading zeros; moves `at` behind it.
std::string_view digits_at(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') {
    ++at;
  }
  const std::size_t from = at;
  while (at < text.size() && is_digit(text[at])) {
    ++at;
  }
  return text.substr(from, at - from);
}

/// Runs of digits compare as numbers, everything else byte by byte; equal names fall back to plain
/// order, so that "01" and "1" have one.
bool natural_less(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const std::string_view x = digits_at(a, i);
      const std::string_view y = digits_at(b, j);
      if (x.size() != y.size()) {
        return x.size() < y.size();
      }
      if (x != y) {
        return x < y;
      }
    } else {
      if (a[i] != b[j]) {
        return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      }
      ++i;
      ++j;
    }
  }
  const std::size_t left_a = a.size() - i;
  const std::size_t left_b = b.size() - j;
  return left_a != left_b ? left_a < left_b : a < b;
}

/// Whether the file begins like a picture. A file that cannot be read counts as one: the attempt to
/// decode it reports why.
bool is_picture(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return true;
  }
  std::array<char, 16> first{};
  file.read(first.data(), first.size());
  return looks_decodable(
      std::as_bytes(std::span(first.data(), static_cast<std::size_t>(file.gcount()))));
}

std::vector<fs::path> pictures_of(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> files;
  fs::directory_iterator entries(folder, failure);
  for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
    const fs::path& path = entries->path();
    std::error_code ignored;
    if (!path.filename().string().starts_with('.') && fs::is_regular_file(path, ignored) &&
        is_picture(path)) {
      files.push_back(path);
    }
  }
  if (failure) {
    throw Error(ErrorCode::io, fmt::format("cannot list the folder {}: {}",
                                           quote(folder.string(), 200), failure.message()));
  }
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    return natural_less(a.filename().string(), b.filename().string());
  });
  return files;
}

class PictureFiles : public FrameSource {
 public:
  PictureFiles(std::vector<fs::path> files, const FramesOptions& options)
      : files_(std::move(files)), options_(options) {}

  std::optional<Frame> next() override {
    if (position_ >= files_.size()) {
      return std::nullopt;
    }
    const std::size_t index = position_;
    position_ += std::min(static_cast<std::size_t>(options_.step), files_.size() - position_);
    Frame frame;
    frame.image = decode_file(files_[index], options_.decode).image;
    frame.index = static_cast<std::int64_t>(index);
    frame.time_ms = static_cast<double>(index) * 1000.0 / options_.folder_rate_hz;
    frame.source = files_[index].string();
    return frame;
  }

  std::optional<std::int64_t> frame_count() const override {
    return static_cast<std::int64_t>(files_.size());
  }

 private:
  std::vector<fs::path> files_;
  FramesOptions options_;
  std::size_t position_ = 0;
};

void check(const FramesOptions& options) {
  const auto refuse = [](std::string message) {
    throw Error(ErrorCode::invalid_argument, std::move(message));
  };
  if (options.step < 1) {
    refuse(fmt::format("step is {}; it must be 1 or more", options.step));
  }
  if (!(options.folder_rate_hz > 0) || !std::isfinite(options.folder_rate_hz)) {
    refuse(fmt::format("folder_rate_hz is {}; it must be above 0", options.folder_rate_hz));
  }
  if (options.decoder_threads < 1 || options.decoder_threads > 64) {
    refuse(fmt::format("decoder_threads is {}; it must be 1 to 64", options.decoder_threads));
  }
  check_decode_options(options.decode);
}

}  // namespace

std::unique_ptr<FrameSource> frames(const fs::path& path, const FramesOptions& options) {
  check(options);
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorCode::not_found, fmt::format("{} does not exist", quote(path.string(), 200)),
                "give a folder of pictures, a picture or a video file");
  }
  if (failure) {
    throw Error(ErrorCode::io,
                fmt::format("cannot examine {}: {}", quote(path.string(), 200), failure.message()));
  }
  if (fs::is_directory(status)) {
    return std::make_unique<PictureFiles>(pictures_of(path), options);
  }
  if (!fs::is_regular_file(status)) {
    throw Error(ErrorCode::io, fmt::format("{} is neither a folder nor a regular file",
                                           quote(path.string(), 200)));
  }
  if (is_picture(path)) {
    return std::make_unique<PictureFiles>(std::vector<fs::path>{path}, options);
  }
  return open_video(path, options);
}

}  // namespace sosia::image
