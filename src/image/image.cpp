#include "sosia/image/image.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace sosia::image {
namespace {

bool valid_channels(int channels) {
  return channels == 1 || channels == 3 || channels == 4;
}

template <class View>
View crop_of(const View& view, int x, int y, int width, int height) {
  const bool inside = x >= 0 && y >= 0 && width > 0 && height > 0 && x <= view.width_px - width &&
                      y <= view.height_px - height;
  if (!inside) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("crop of {} x {} pixels at ({}, {}) does not lie inside a picture of "
                            "{} x {}",
                            width, height, x, y, view.width_px, view.height_px));
  }
  return View{view.pixel(x, y), width, height, view.channels, view.stride_bytes};
}

}  // namespace

ImageView ImageView::crop(int x, int y, int width, int height) const {
  return crop_of(*this, x, y, width, height);
}

MutableImageView MutableImageView::crop(int x, int y, int width, int height) const {
  return crop_of(*this, x, y, width, height);
}

void require_valid(ImageView view, std::string_view doing) {
  const bool valid =
      view.data != nullptr && !view.empty() && view.width_px <= kMaxSidePx &&
      view.height_px <= kMaxSidePx && valid_channels(view.channels) &&
      view.stride_bytes >= static_cast<std::ptrdiff_t>(view.width_px) * view.channels;
  if (!valid) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: not a picture: {} x {} pixels, {} channels, stride {} bytes{}",
                            doing, view.width_px, view.height_px, view.channels, view.stride_bytes,
                            view.data == nullptr ? ", no data" : ""),
                "pass a view with 1, 3 or 4 channels and a stride of at least width * channels");
  }
}

void Image::Free::operator()(std::uint8_t* pixels) const noexcept {
  ::operator delete[](pixels, std::align_val_t{kRowAlignmentBytes});
}

Image Image::for_overwrite(int width_px, int height_px, int channels) {
  if (width_px < 1 || height_px < 1 || width_px > kMaxSidePx || height_px > kMaxSidePx ||
      !valid_channels(channels)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("no picture can have {} x {} pixels with {} channels", width_px,
                            height_px, channels),
                fmt::format("sides are 1 to {}, channels 1, 3 or 4", kMaxSidePx));
  }
  // At most 2^26 bytes in a row and 2^50 in all: no overflow.
  const std::size_t row_bytes = static_cast<std::size_t>(width_px) * channels;
  const std::size_t stride =
      (row_bytes + kRowAlignmentBytes - 1) / kRowAlignmentBytes * kRowAlignmentBytes;
  const std::size_t size = stride * static_cast<std::size_t>(height_px);
  Image image;
  try {
    image.pixels_.reset(
        static_cast<std::uint8_t*>(::operator new[](size, std::align_val_t{kRowAlignmentBytes})));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("no memory for a picture of {} x {} pixels with {} channels ({} bytes)",
                            width_px, height_px, channels, size));
  }
  image.view_ = {image.pixels_.get(), width_px, height_px, channels,
                 static_cast<std::ptrdiff_t>(stride)};
  return image;
}

Image::Image(int width_px, int height_px, int channels)
    : Image(for_overwrite(width_px, height_px, channels)) {
  std::memset(pixels_.get(), 0,
              static_cast<std::size_t>(view_.stride_bytes) * static_cast<std::size_t>(height_px));
}

Image::Image(int width_px, int height_px, int channels, Colour fill)
    : Image(for_overwrite(width_px, height_px, channels)) {
  // The same weights as Conversion::to_grey.
  const auto luma = static_cast<std::uint8_t>(
      (9798 * fill.red + 19235 * fill.green + 3735 * fill.blue + (1 << 14)) >> 15);
  const std::uint8_t colour[4] = {channels == 1 ? luma : fill.red, fill.green, fill.blue,
                                  fill.alpha};
  std::uint8_t* first = view_.row(0);
  for (int x = 0; x < width_px; ++x) {
    std::memcpy(first + static_cast<std::ptrdiff_t>(x) * channels, colour,
                static_cast<std::size_t>(channels));
  }
  const auto row_bytes = static_cast<std::size_t>(width_px) * channels;
  for (int y = 1; y < height_px; ++y) {
    std::memcpy(view_.row(y), first, row_bytes);
  }
}

Image Image::copy_of(ImageView view) {
  require_valid(view, "copy");
  Image copy = for_overwrite(view.width_px, view.height_px, view.channels);
  const auto row_bytes = static_cast<std::size_t>(view.width_px) * view.channels;
  for (int y = 0; y < view.height_px; ++y) {
    std::memcpy(copy.row(y), view.row(y), row_bytes);
  }
  return copy;
}

Image::Image(const Image& other) : Image(other.empty() ? Image() : copy_of(other.view())) {}

Image& Image::operator=(const Image& other) {
  if (this != &other) {
    *this = Image(other);
  }
  return *this;
}

Image::Image(Image&& other) noexcept
    : pixels_(std::move(other.pixels_)), view_(std::exchange(other.view_, {})) {}

Image& Image::operator=(Image&& other) noexcept {
  pixels_ = std::move(other.pixels_);
  view_ = std::exchange(other.view_, {});
  return *this;
}

bool same_pixels(ImageView a, ImageView b) {
  if (a.extent() != b.extent() || a.channels != b.channels) {
    return false;
  }
  const auto row_bytes = static_cast<std::size_t>(std::max(a.width_px, 0)) * a.channels;
  for (int y = 0; y < a.height_px; ++y) {
    if (row_bytes > 0 && std::memcmp(a.row(y), b.row(y), row_bytes) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace sosia::image
