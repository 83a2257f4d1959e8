#pragma once
// Pictures in memory: views that never own, and one owning type.
//
// Layout, stated once for the whole room: 8 bits per channel, interleaved (HWC), rows from top to
// bottom, `stride_bytes` from one row to the next. Channel order is grey for 1 channel, red green
// blue for 3, red green blue alpha (straight, not premultiplied; 255 is opaque) for 4. Values are
// sRGB-encoded as stored; colour profiles and gamma tags are not applied.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sosia::image {

/// Longest side of any picture in memory.
inline constexpr int kMaxSidePx = 1 << 24;

/// An sRGB colour. On grey pictures it becomes its luma; `alpha` counts on 4 channels only.
struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  std::uint8_t alpha = 255;
  friend bool operator==(const Colour&, const Colour&) = default;
};
inline constexpr Colour kBlack{0, 0, 0, 255};
inline constexpr Colour kWhite{255, 255, 255, 255};

/// Width and height in pixels.
struct Extent {
  int width_px = 0;
  int height_px = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// A read-only window on somebody else's pixels. Valid as long as they are. Cheap to copy.
struct ImageView {
  const std::uint8_t* data = nullptr;
  int width_px = 0;
  int height_px = 0;
  int channels = 0;                 ///< 1, 3 or 4
  std::ptrdiff_t stride_bytes = 0;  ///< at least width_px * channels

  bool empty() const noexcept { return width_px <= 0 || height_px <= 0; }
  Extent extent() const noexcept { return {width_px, height_px}; }
  /// First byte of row `y`; no bounds check.
  const std::uint8_t* row(int y) const noexcept { return data + y * stride_bytes; }
  /// First channel of a pixel; no bounds check.
  const std::uint8_t* pixel(int x, int y) const noexcept {
    return row(y) + static_cast<std::ptrdiff_t>(x) * channels;
  }
  /// The window of `width` x `height` pixels whose top left corner is (x, y). Throws
  /// invalid_argument unless it lies inside and is not empty.
  ImageView crop(int x, int y, int width, int height) const;
};

/// The same, writable.
struct MutableImageView {
  std::uint8_t* data = nullptr;
  int width_px = 0;
  int height_px = 0;
  int channels = 0;
  std::ptrdiff_t stride_bytes = 0;

  operator ImageView() const noexcept {
    return {data, width_px, height_px, channels, stride_bytes};
  }
  bool empty() const noexcept { return width_px <= 0 || height_px <= 0; }
  Extent extent() const noexcept { return {width_px, height_px}; }
  std::uint8_t* row(int y) const noexcept { return data + y * stride_bytes; }
  std::uint8_t* pixel(int x, int y) const noexcept {
    return row(y) + static_cast<std::ptrdiff_t>(x) * channels;
  }
  MutableImageView crop(int x, int y, int width, int height) const;
};

/// Throws invalid_argument, naming `doing` and the values, unless `view` has pixels, 1, 3 or 4
/// channels, sides of 1 to kMaxSidePx and a stride that holds a row.
void require_valid(ImageView view, std::string_view doing);

/// A picture that owns its pixels: a plain value, copies are deep. Rows start at multiples of
/// kRowAlignmentBytes; bytes between rows are unspecified. A default-constructed or moved-from
/// image is empty. Thread-safety: as `std::vector`.
class Image {
 public:
  static constexpr std::size_t kRowAlignmentBytes = 64;

  Image() = default;
  /// All channels zero. Throws invalid_argument for sides or channels out of range, out_of_memory
  /// when the memory is not there.
  Image(int width_px, int height_px, int channels);
  /// Every pixel `fill`.
  Image(int width_px, int height_px, int channels, Colour fill);
  /// The same with unspecified content, for code that writes every pixel.
  static Image for_overwrite(int width_px, int height_px, int channels);
  /// A deep copy of what `view` shows.
  static Image copy_of(ImageView view);

  Image(const Image& other);
  Image& operator=(const Image& other);
  Image(Image&& other) noexcept;
  Image& operator=(Image&& other) noexcept;
  ~Image() = default;

  bool empty() const noexcept { return view_.empty(); }
  int width_px() const noexcept { return view_.width_px; }
  int height_px() const noexcept { return view_.height_px; }
  Extent extent() const noexcept { return view_.extent(); }
  int channels() const noexcept { return view_.channels; }
  std::ptrdiff_t stride_bytes() const noexcept { return view_.stride_bytes; }

  ImageView view() const noexcept { return view_; }
  MutableImageView mutable_view() noexcept { return view_; }
  operator ImageView() const& noexcept { return view_; }
  const std::uint8_t* row(int y) const noexcept { return view_.row(y); }
  std::uint8_t* row(int y) noexcept { return view_.row(y); }
  const std::uint8_t* pixel(int x, int y) const noexcept { return view_.pixel(x, y); }
  std::uint8_t* pixel(int x, int y) noexcept { return view_.pixel(x, y); }

 private:
  struct Free {
    void operator()(std::uint8_t* pixels) const noexcept;
  };
  std::unique_ptr<std::uint8_t[], Free> pixels_;
  MutableImageView view_;
};

/// Whether two pictures have the same extent, channels and pixels.
bool same_pixels(ImageView a, ImageView b);

}  // namespace sosia::image
