#include "image/jpeg_markers.hpp"

#include <cstring>

#include <fmt/format.h>

namespace sosia::image {
namespace {

constexpr std::uint32_t kStartOfImage = 0xd8;
constexpr std::uint32_t kEndOfImage = 0xd9;
constexpr std::uint32_t kStartOfScan = 0xda;
constexpr std::uint32_t kApp1 = 0xe1;
constexpr std::uint32_t kApp14 = 0xee;

bool is_restart(std::uint32_t marker) {
  return marker >= 0xd0 && marker <= 0xd7;
}

bool is_start_of_frame(std::uint32_t marker) {
  constexpr std::uint32_t kHuffmanTables = 0xc4;
  constexpr std::uint32_t kExtensions = 0xc8;
  constexpr std::uint32_t kArithmeticConditioning = 0xcc;
  return marker >= 0xc0 && marker <= 0xcf && marker != kHuffmanTables && marker != kExtensions &&
         marker != kArithmeticConditioning;
}

std::string_view unsupported_process(std::uint32_t frame_marker) {
  switch (frame_marker) {
    case 0xc3:
      return "lossless JPEG";
    case 0xc5:
    case 0xc6:
    case 0xc7:
      return "hierarchical JPEG";
    case 0xc9:
    case 0xca:
      return "JPEG with arithmetic coding";
    case 0xcb:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return "lossless or hierarchical JPEG with arithmetic coding";
    default:
      return {};
  }
}

void read_frame_header(Bytes segment, std::uint32_t marker, JpegStructure& out) {
  if (out.components != 0) {
    throw_damaged(Format::jpeg, "it has two frame headers");
  }
  if (const std::string_view process = unsupported_process(marker); !process.empty()) {
    throw_unsupported(fmt::format("{} is not supported", process),
                      "convert the file to a baseline or progressive JPEG");
  }
  if (segment.size() < 6) {
    throw_damaged(Format::jpeg, fmt::format("its frame header has {} bytes", segment.size()));
  }
  const std::uint32_t precision = u8(segment, 0);
  if (precision == 12) {
    throw_unsupported("JPEG with 12 bits per sample is not supported",
                      "convert the file to 8 bits, or to a 16-bit PNG");
  }
  if (precision != 8) {
    throw_damaged(Format::jpeg,
                  fmt::format("its frame header claims {} bits per sample", precision));
  }
  out.extent = {static_cast<int>(be16(segment, 3)), static_cast<int>(be16(segment, 1))};
  out.components = static_cast<int>(u8(segment, 5));
  out.progressive = marker == 0xc2;
  if (out.extent.height_px == 0) {
    throw_unsupported("JPEG whose height stands after the picture (DNL marker) is not supported");
  }
  if (out.extent.width_px == 0) {
    throw_damaged(Format::jpeg, "its frame header claims a width of 0");
  }
  if (out.components != 1 && out.components != 3 && out.components != 4) {
    throw_unsupported(fmt::format("JPEG with {} components is not supported", out.components));
  }
}

void read_scan_header(Bytes segment, std::size_t offset, JpegStructure& out) {
  if (out.components == 0) {
    throw_damaged(Format::jpeg, "a scan stands before the frame header");
  }
  ++out.scans;
  // Ss, Se, AhAl are the last three bytes; a sequential scan has 0, 63, 0.
  if (!out.progressive && segment.size() >= 4) {
    const std::size_t at = segment.size() - 3;
    if (u8(segment, at) != 0 || u8(segment, at + 1) != 63 || u8(segment, at + 2) != 0) {
      out.odd_scan_parameters.push_back(offset + at);
    }
  }
}

/// The offset of the next marker's 0xff in entropy-coded data, or the end.
std::size_t skip_entropy_coded(Bytes bytes, std::size_t at) {
  while (at < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xff, bytes.size() - at);
    if (found == nullptr) {
      return bytes.size();
    }
    at = static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes.data());
    if (!has(bytes, at, 2)) {
      return bytes.size();
    }
    const std::uint32_t next = u8(bytes, at + 1);
    if (next == 0xff) {
      ++at;
    } else if (next == 0 || is_restart(next)) {
      at += 2;
    } else {
      return at;
    }
  }
  return bytes.size();
}

/// Reads the marker at `at` (after any fill bytes) and moves behind it. False at the end.
bool next_marker(Bytes bytes, std::size_t& at, std::uint32_t& marker) {
  if (!has(bytes, at, 2)) {
    return false;
  }
  if (u8(bytes, at) != 0xff) {
    throw_damaged(Format::jpeg,
                  fmt::format("byte {} should start a marker but is 0x{:02x}", at, u8(bytes, at)));
  }
  while (has(bytes, at, 1) && u8(bytes, at) == 0xff) {
    ++at;
  }
  if (!has(bytes, at, 1)) {
    return false;
  }
  marker = u8(bytes, at++);
  return true;
}

bool has_no_length(std::uint32_t marker) {
  constexpr std::uint32_t kTemporary = 0x01;
  return marker == kStartOfImage || marker == kTemporary || is_restart(marker);
}

void read_segment(Bytes segment, std::size_t offset, std::uint32_t marker, JpegStructure& out) {
  if (is_start_of_frame(marker)) {
    read_frame_header(segment, marker, out);
  } else if (marker == kStartOfScan) {
    read_scan_header(segment, offset, out);
  } else if (marker == kApp1 && out.orientation == Orientation::upright &&
             starts_with(segment, 0, std::string_view("Exif\0\0", 6))) {
    out.orientation = exif_orientation(segment);
  } else if (marker == kApp14 && segment.size() >= 12 && starts_with(segment, 0, "Adobe")) {
    out.adobe = true;
  }
}

}  // namespace

JpegStructure read_jpeg_structure(Bytes bytes, bool whole) {
  JpegStructure out;
  std::size_t at = 0;
  std::uint32_t marker = 0;
  while (next_marker(bytes, at, marker)) {
    if (marker == kEndOfImage) {
      out.complete = true;
      break;
    }
    if (has_no_length(marker)) {
      continue;
    }
    if (!has(bytes, at, 2)) {
      break;
    }
    const std::size_t length = be16(bytes, at);
    if (length < 2) {
      throw_damaged(Format::jpeg, fmt::format("the marker 0x{:02x} before byte {} has the length "
                                              "{}",
                                              marker, at, length));
    }
    if (!has(bytes, at, length)) {
      break;
    }
    read_segment(bytes.subspan(at + 2, length - 2), at + 2, marker, out);
    at += length;
    if (marker == kStartOfScan) {
      if (!whole) {
        return out;
      }
      at = skip_entropy_coded(bytes, at);
    }
  }
  if (out.scans == 0) {
    if (out.complete) {
      throw_damaged(Format::jpeg, "it ends before any picture data");
    }
    throw_cut_off(Format::jpeg, bytes, "it ends inside the header");
  }
  return out;
}

}  // namespace sosia::image
