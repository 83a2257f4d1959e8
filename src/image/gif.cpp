// The first frame of a GIF, unpacked by giflib. The block structure is walked by ourselves first:
// it tells whether the file is whole, how many frames it has and what the first one needs.

#include "image/codecs.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <gif_lib.h>

namespace sosia::image {
namespace {

constexpr int kNone = -1;

struct Structure {
  Extent screen;
  int frames = 0;
  bool complete = false;  ///< the trailer was seen
  // of the first frame
  int x = 0;
  int y = 0;
  Extent extent;
  bool interlaced = false;
  int transparent_index = kNone;

  /// The screen, enlarged where the first frame sticks out of it, as browsers do.
  Extent canvas() const {
    return {std::max(screen.width_px, x + extent.width_px),
            std::max(screen.height_px, y + extent.height_px)};
  }
  bool covers_canvas() const { return x == 0 && y == 0 && extent == canvas(); }
};

/// Moves `at` behind a chain of data blocks. False where the file ends first.
bool skip_data_blocks(Bytes bytes, std::size_t& at) {
  while (has(bytes, at, 1)) {
    const std::size_t length = u8(bytes, at);
    at += 1 + length;
    if (length == 0) {
      return true;
    }
  }
  return false;
}

std::size_t palette_bytes(std::uint32_t flags) {
  return (flags & 0x80) != 0 ? std::size_t{3} << ((flags & 7) + 1) : 0;
}

/// Moves `at` behind an image descriptor and its data; notes the first one.
bool read_frame(Bytes bytes, std::size_t& at, Structure& out) {
  constexpr std::size_t kDescriptorBytes = 9;
  if (!has(bytes, at, kDescriptorBytes)) {
    return false;
  }
  const std::uint32_t flags = u8(bytes, at + 8);
  if (out.frames == 0) {
    out.x = static_cast<int>(le16(bytes, at));
    out.y = static_cast<int>(le16(bytes, at + 2));
    out.extent = {static_cast<int>(le16(bytes, at + 4)), static_cast<int>(le16(bytes, at + 6))};
    out.interlaced = (flags & 0x40) != 0;
  }
  ++out.frames;
  const std::size_t code_size_bytes = 1;
  at += kDescriptorBytes + palette_bytes(flags) + code_size_bytes;
  return skip_data_blocks(bytes, at);
}

bool read_extension(Bytes bytes, std::size_t& at, Structure& out) {
  if (!has(bytes, at, 1)) {
    return false;
  }
  const std::uint32_t label = u8(bytes, at++);
  constexpr std::uint32_t kGraphicControl = 0xf9;
  if (label == kGraphicControl && out.frames == 0 && has(bytes, at, 5) && u8(bytes, at) == 4) {
    const bool transparent = (u8(bytes, at + 1) & 1) != 0;
    out.transparent_index = transparent ? static_cast<int>(u8(bytes, at + 4)) : kNone;
  }
  return skip_data_blocks(bytes, at);
}

Structure read_structure(Bytes bytes) {
  constexpr std::size_t kHeaderBytes = 13;
  if (!has(bytes, 0, kHeaderBytes)) {
    throw_cut_off(Format::gif, bytes, "it ends inside the header");
  }
  Structure out;
  out.screen = {static_cast<int>(le16(bytes, 6)), static_cast<int>(le16(bytes, 8))};
  std::size_t at = kHeaderBytes + palette_bytes(u8(bytes, 10));
  bool whole = true;
  while (whole && has(bytes, at, 1)) {
    const std::uint32_t block = u8(bytes, at++);
    if (block == ';') {
      out.complete = true;
      break;
    }
    if (block != ',' && block != '!') {
      throw_damaged(Format::gif,
                    fmt::format("byte {} should start a block but is 0x{:02x}", at - 1, block));
    }
    whole = block == ',' ? read_frame(bytes, at, out) : read_extension(bytes, at, out);
  }
  if (out.frames == 0) {
    if (out.complete) {
      throw_damaged(Format::gif, "it has no frame");
    }
    throw_cut_off(Format::gif, bytes, "it ends before the first frame");
  }
  if (out.extent.width_px == 0 || out.extent.height_px == 0) {
    throw_damaged(Format::gif, fmt::format("its first frame claims {} x {} pixels",
                                           out.extent.width_px, out.extent.height_px));
  }
  return out;
}

struct Source {
  Bytes bytes;
  std::size_t position = 0;
};

int on_read(GifFileType* gif, GifByteType* into, int count) {
  auto* source = static_cast<Source*>(gif->UserData);
  const std::size_t left = source->bytes.size() - source->position;
  const std::size_t n = std::min(left, static_cast<std::size_t>(std::max(count, 0)));
  std::memcpy(into, source->bytes.data() + source->position, n);
  source->position += n;
  return static_cast<int>(n);
}

struct Close {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using File = std::unique_ptr<GifFileType, Close>;

[[noreturn]] void throw_giflib(int code) {
  const char* reason = GifErrorString(code);
  throw_damaged(Format::gif, reason == nullptr ? "invalid data" : reason);
}

/// Goes forward to the first frame's pixels.
void find_first_frame(GifFileType* gif) {
  for (;;) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(gif, &type) != GIF_OK) {
      throw_giflib(gif->Error);
    }
    if (type == IMAGE_DESC_RECORD_TYPE) {
      if (DGifGetImageDesc(gif) != GIF_OK) {
        throw_giflib(gif->Error);
      }
      return;
    }
    if (type != EXTENSION_RECORD_TYPE) {
      throw_damaged(Format::gif, "it has no frame");
    }
    int label = 0;
    GifByteType* content = nullptr;
    int status = DGifGetExtension(gif, &label, &content);
    while (status == GIF_OK && content != nullptr) {
      status = DGifGetExtensionNext(gif, &content);
    }
    if (status != GIF_OK) {
      throw_giflib(gif->Error);
    }
  }
}

/// The rows in the order in which they are stored.
std::vector<int> row_order(int height, bool interlaced) {
  std::vector<int> order;
  order.reserve(static_cast<std::size_t>(height));
  struct Pass {
    int first;
    int step;
  };
  constexpr Pass kInterlaced[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  constexpr Pass kPlain[] = {{0, 1}};
  const std::span<const Pass> passes =
      interlaced ? std::span<const Pass>(kInterlaced) : std::span<const Pass>(kPlain);
  for (const Pass& pass : passes) {
    for (int y = pass.first; y < height; y += pass.step) {
      order.push_back(y);
    }
  }
  return order;
}

void paint_row(std::span<const GifByteType> indices, const ColorMapObject& palette,
               int transparent_index, int channels, std::uint8_t* out) {
  for (const GifByteType index : indices) {
    if (channels == 4 && index == transparent_index) {
      std::memset(out, 0, 4);
    } else {
      if (index >= palette.ColorCount) {
        throw_damaged(Format::gif, fmt::format("a pixel has the palette index {} of {}", index,
                                               palette.ColorCount));
      }
      const GifColorType& colour = palette.Colors[index];
      out[0] = colour.Red;
      out[1] = colour.Green;
      out[2] = colour.Blue;
      if (channels == 4) {
        out[3] = 255;
      }
    }
    out += channels;
  }
}

}  // namespace

ImageInfo probe_gif(Bytes bytes) {
  const Structure structure = read_structure(bytes);
  ImageInfo info;
  info.format = Format::gif;
  info.extent = structure.canvas();
  info.colour_model = ColourModel::palette;
  info.has_alpha = structure.transparent_index != kNone || !structure.covers_canvas();
  info.frames = structure.frames;
  info.progressive = structure.interlaced;
  return info;
}

Image read_gif(Bytes bytes, const ImageInfo& info, const DecodeOptions&) {
  const Structure structure = read_structure(bytes);
  if (!structure.complete) {
    throw_cut_off(Format::gif, bytes, "the trailer is missing");
  }
  Source source{bytes};
  int error = 0;
  const File gif(DGifOpen(&source, on_read, &error));
  if (!gif) {
    throw_giflib(error);
  }
  find_first_frame(gif.get());
  const ColorMapObject* palette =
      gif->Image.ColorMap != nullptr ? gif->Image.ColorMap : gif->SColorMap;
  if (palette == nullptr) {
    throw_damaged(Format::gif, "its first frame has no palette");
  }
  if (Extent{gif->Image.Width, gif->Image.Height} != structure.extent) {
    throw Error(ErrorCode::internal, "giflib reads another frame extent than the block walk");
  }
  const int channels = info.has_alpha ? 4 : 3;
  Image image(info.extent.width_px, info.extent.height_px, channels);
  const MutableImageView frame = image.mutable_view().crop(
      structure.x, structure.y, structure.extent.width_px, structure.extent.height_px);
  std::vector<GifByteType> indices(static_cast<std::size_t>(structure.extent.width_px));
  for (const int y : row_order(structure.extent.height_px, structure.interlaced)) {
    if (DGifGetLine(gif.get(), indices.data(), structure.extent.width_px) != GIF_OK) {
      throw_giflib(gif->Error);
    }
    paint_row(indices, *palette, structure.transparent_index, channels, frame.row(y));
  }
  return image;
}

}  // namespace sosia::image
