#include "formats/bytes.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/zip.hpp"

#include <algorithm>
#include <limits>
#include <new>

#include <zlib.h>

namespace sosia::formats {

namespace {

constexpr std::uint16_t kVersion = 20;  // 2.0: deflate
constexpr std::uint16_t kUtf8Names = 1u << 11;
constexpr std::uint16_t kDay = (0 << 9) | (1 << 5) | 1;  // 1980-01-01

std::string deflate_all(std::span<const std::byte> content) {
  z_stream z{};
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::string packed(deflateBound(&z, static_cast<uLong>(content.size())), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(content.data()));
  z.avail_in = static_cast<uInt>(content.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  if (status != Z_STREAM_END) throw Error(ErrorCode::internal, "deflate did not finish");
  return packed;
}

/// The fields that the local header and the central directory share.
std::string common_fields(std::uint16_t method, std::uint32_t crc, std::size_t packed_bytes,
                          std::size_t bytes, std::size_t name_bytes) {
  std::string out;
  append_le<std::uint16_t>(out, kVersion);
  append_le<std::uint16_t>(out, kUtf8Names);
  append_le<std::uint16_t>(out, method);
  append_le<std::uint16_t>(out, 0);  // time
  append_le<std::uint16_t>(out, kDay);
  append_le<std::uint32_t>(out, crc);
  append_le<std::uint32_t>(out, static_cast<std::uint32_t>(packed_bytes));
  append_le<std::uint32_t>(out, static_cast<std::uint32_t>(bytes));
  append_le<std::uint16_t>(out, static_cast<std::uint16_t>(name_bytes));
  append_le<std::uint16_t>(out, 0);  // extra field
  return out;
}

}  // namespace

ZipWriter::ZipWriter(Sink sink) : sink_(std::move(sink)) {}

void ZipWriter::add(std::string_view name, std::span<const std::byte> content, bool deflate) {
  // One MiB below the field's end: the bound of the compressed size must fit as well.
  constexpr std::uint64_t kMostBytes = std::numeric_limits<std::uint32_t>::max() - (1u << 21);
  if (content.size() > kMostBytes || offset_ > kMostBytes || name.size() > 65535 ||
      count_ == 65535) {
    throw Error(ErrorCode::unsupported,
                "the entry " + quote(name) + " does not fit an archive without ZIP64",
                "write large arrays as .npy or .safetensors");
  }
  const auto crc = static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  std::string packed;
  std::span<const std::byte> body = content;
  if (deflate) {
    packed = deflate_all(content);
    body = as_byte_span(packed);
  }
  const std::string fields =
      common_fields(deflate ? 8 : 0, crc, body.size(), content.size(), name.size());

  std::string header;
  append_le<std::uint32_t>(header, 0x04034b50);
  header += fields;
  header += name;
  sink_(as_byte_span(header));
  sink_(body);

  append_le<std::uint32_t>(directory_, 0x02014b50);
  append_le<std::uint16_t>(directory_, kVersion);  // made by
  directory_ += fields;
  append_le<std::uint16_t>(directory_, 0);  // comment
  append_le<std::uint16_t>(directory_, 0);  // disk
  append_le<std::uint16_t>(directory_, 0);  // internal attributes
  append_le<std::uint32_t>(directory_, 0);  // external attributes
  append_le<std::uint32_t>(directory_, static_cast<std::uint32_t>(offset_));
  directory_ += name;

  offset_ += header.size() + body.size();
  ++count_;
}

void ZipWriter::finish() {
  if (offset_ + directory_.size() > std::numeric_limits<std::uint32_t>::max() - 1) {
    throw Error(ErrorCode::unsupported, "the archive is too large to be written without ZIP64");
  }
  std::string end = std::move(directory_);
  const std::size_t directory_bytes = end.size();
  append_le<std::uint32_t>(end, 0x06054b50);
  append_le<std::uint16_t>(end, 0);
  append_le<std::uint16_t>(end, 0);
  append_le<std::uint16_t>(end, static_cast<std::uint16_t>(count_));
  append_le<std::uint16_t>(end, static_cast<std::uint16_t>(count_));
  append_le<std::uint32_t>(end, static_cast<std::uint32_t>(directory_bytes));
  append_le<std::uint32_t>(end, static_cast<std::uint32_t>(offset_));
  append_le<std::uint16_t>(end, 0);
  sink_(as_byte_span(end));
}

}  // namespace sosia::formats
