#include "formats/bytes.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/zip.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <zlib.h>

namespace sosia::formats {

namespace {

constexpr std::uint32_t kLocalMagic = 0x04034b50;
constexpr std::uint32_t kCentralMagic = 0x02014b50;
constexpr std::uint32_t kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50;
constexpr std::uint32_t kLocator64Magic = 0x07064b50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::size_t kCentralBytes = 46;
constexpr std::uint32_t kIn64 = 0xffffffff;  // the real value is in the ZIP64 field

// A match of 258 bytes takes two bits at best.
constexpr std::uint64_t kDeflateMaxRatio = 1032;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
};

Directory find_directory64(std::span<const std::byte> bytes, std::size_t end_at,
                           std::string_view origin) {
  if (end_at < kLocator64Bytes) fail_corrupt(origin, "the ZIP64 locator is missing");
  ByteCursor locator(bytes.first(end_at), origin);
  locator.seek(end_at - kLocator64Bytes);
  if (locator.read<std::uint32_t>("the ZIP64 locator") != kLocator64Magic) {
    fail_corrupt(origin, "the ZIP64 locator is missing");
  }
  locator.take(4, "the ZIP64 locator");
  const auto at = locator.read<std::uint64_t>("the ZIP64 locator");
  if (at > end_at) fail_corrupt(origin, "the ZIP64 end record lies outside the file");
  ByteCursor end(bytes.first(end_at), origin);
  end.seek(static_cast<std::size_t>(at));
  if (end.read<std::uint32_t>("the ZIP64 end record") != kEnd64Magic) {
    fail_corrupt(origin, "the ZIP64 end record is missing");
  }
  end.take(28, "the ZIP64 end record");
  Directory directory;
  directory.count = end.read<std::uint64_t>("the ZIP64 end record");
  directory.bytes = end.read<std::uint64_t>("the ZIP64 end record");
  directory.offset = end.read<std::uint64_t>("the ZIP64 end record");
  return directory;
}

/// Finds the end record, which stands before a comment of at most 64 KiB that ends the file.
Directory find_directory(std::span<const std::byte> bytes, std::string_view origin) {
  constexpr std::size_t kLongestComment = 65535;
  if (bytes.size() < kEndBytes) {
    fail_corrupt(origin, "the file is too short for a ZIP archive (" +
                             std::to_string(bytes.size()) + " bytes)");
  }
  const std::size_t last = bytes.size() - kEndBytes;
  const std::size_t first = last > kLongestComment ? last - kLongestComment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (load_le<std::uint32_t>(bytes.data() + at) != kEndMagic) continue;
    ByteCursor end(bytes, origin);
    end.seek(at + 4);
    const auto disk = end.read<std::uint16_t>("the end record");
    end.take(4, "the end record");
    Directory directory;
    directory.count = end.read<std::uint16_t>("the end record");
    directory.bytes = end.read<std::uint32_t>("the end record");
    directory.offset = end.read<std::uint32_t>("the end record");
    if (end.read<std::uint16_t>("the end record") != last - at) continue;  // inside a comment
    if (directory.count == 0xffff || directory.bytes == kIn64 || directory.offset == kIn64) {
      directory = find_directory64(bytes, at, origin);
    } else if (disk != 0) {
      fail_unsupported(origin, "the archive spans several disks");
    }
    if (directory.offset > at || directory.bytes > at - directory.offset) {
      fail_corrupt(origin, "the central directory lies outside the file");
    }
    return directory;
  }
  fail_corrupt(origin, "this is no ZIP archive: it has no end record",
               "the file may be cut short; copy it again");
}

/// Replaces the 32-bit fields that are all ones by those of the ZIP64 extra field.
void read_extra64(std::span<const std::byte> extra, ZipEntry& entry, std::uint64_t& local_offset,
                  std::string_view origin) {
  ByteCursor fields(extra, origin);
  while (fields.remaining() >= 4) {
    const auto id = fields.read<std::uint16_t>("an extra field");
    const auto size = fields.read<std::uint16_t>("an extra field");
    ByteCursor field(fields.take(size, "an extra field"), origin);
    if (id != 1) continue;
    if (entry.bytes == kIn64) entry.bytes = field.read<std::uint64_t>("the ZIP64 field");
    if (entry.compressed_bytes == kIn64) {
      entry.compressed_bytes = field.read<std::uint64_t>("the ZIP64 field");
    }
    if (local_offset == kIn64) local_offset = field.read<std::uint64_t>("the ZIP64 field");
    return;
  }
}

/// Where the content starts: behind the local header, whose name must be the directory's.
std::uint64_t content_offset(std::span<const std::byte> bytes, std::uint64_t local_offset,
                             const ZipEntry& entry, std::string_view origin) {
  if (local_offset > bytes.size()) {
    fail_corrupt(origin, "the entry " + quote(entry.name) + " starts outside the file");
  }
  ByteCursor local(bytes, origin);
  local.seek(static_cast<std::size_t>(local_offset));
  if (local.read<std::uint32_t>("a local header") != kLocalMagic) {
    fail_corrupt(origin, "the entry " + quote(entry.name) + " has no local header");
  }
  local.take(22, "a local header");
  const auto name_bytes = local.read<std::uint16_t>("a local header");
  const auto extra_bytes = local.read<std::uint16_t>("a local header");
  const std::string_view name = as_text(local.take(name_bytes, "a local header"));
  if (name != entry.name) {
    fail_corrupt(origin, "the entry " + quote(entry.name) + " is called " + quote(name) +
                             " in its local header");
  }
  local.take(extra_bytes, "a local header");
  if (entry.compressed_bytes > local.remaining()) {
    fail_corrupt(origin, "the entry " + quote(entry.name) + " should take " +
                             std::to_string(entry.compressed_bytes) + " bytes, but only " +
                             std::to_string(local.remaining()) + " are left");
  }
  return local.position();
}

ZipEntry read_entry(ByteCursor& directory, std::span<const std::byte> contents) {
  const std::string_view origin = directory.origin();
  constexpr std::string_view kWhat = "the central directory";
  if (directory.read<std::uint32_t>(kWhat) != kCentralMagic) {
    fail_corrupt(origin, "the central directory is damaged");
  }
  ZipEntry entry;
  directory.take(4, kWhat);
  const auto flags = directory.read<std::uint16_t>(kWhat);
  entry.method = directory.read<std::uint16_t>(kWhat);
  directory.take(4, kWhat);
  entry.crc32 = directory.read<std::uint32_t>(kWhat);
  entry.compressed_bytes = directory.read<std::uint32_t>(kWhat);
  entry.bytes = directory.read<std::uint32_t>(kWhat);
  const auto name_bytes = directory.read<std::uint16_t>(kWhat);
  const auto extra_bytes = directory.read<std::uint16_t>(kWhat);
  const auto comment_bytes = directory.read<std::uint16_t>(kWhat);
  directory.take(8, kWhat);
  std::uint64_t local_offset = directory.read<std::uint32_t>(kWhat);
  entry.name = as_text(directory.take(name_bytes, kWhat));
  read_extra64(directory.take(extra_bytes, kWhat), entry, local_offset, origin);
  directory.take(comment_bytes, kWhat);
  if ((flags & 1) != 0) {
    fail_unsupported(origin, "the entry " + quote(entry.name) + " is encrypted");
  }
  if (entry.method != 0 && entry.method != 8) {
    fail_unsupported(origin,
                     "the entry " + quote(entry.name) + " is packed with method " +
                         std::to_string(entry.method) + "; only stored and deflated are read",
                     "pack it again with an ordinary zip program");
  }
  if (entry.method == 0 && entry.bytes != entry.compressed_bytes) {
    fail_corrupt(origin, "the stored entry " + quote(entry.name) + " states two different sizes");
  }
  if (entry.bytes / kDeflateMaxRatio > entry.compressed_bytes) {
    fail_corrupt(origin, "the entry " + quote(entry.name) + " claims " +
                             std::to_string(entry.bytes) + " bytes out of " +
                             std::to_string(entry.compressed_bytes) +
                             ", which deflate cannot produce");
  }
  entry.data_offset = content_offset(contents, local_offset, entry, origin);
  return entry;
}

}  // namespace

ZipReader::ZipReader(const std::filesystem::path& path, std::uint64_t cap_bytes)
    : mapped_(path), bytes_(mapped_->bytes()), origin_(path.string()), cap_bytes_(cap_bytes) {
  parse();
}

ZipReader::ZipReader(std::span<const std::byte> bytes, std::string origin, std::uint64_t cap_bytes)
    : bytes_(bytes), origin_(std::move(origin)), cap_bytes_(cap_bytes) {
  parse();
}

void ZipReader::parse() {
  const Directory found = find_directory(bytes_, origin_);
  const auto contents = bytes_.first(static_cast<std::size_t>(found.offset));
  ByteCursor directory(bytes_.subspan(contents.size(), static_cast<std::size_t>(found.bytes)),
                       origin_);
  if (found.count > found.bytes / kCentralBytes) {
    fail_corrupt(origin_, "the archive claims " + std::to_string(found.count) +
                              " entries, more than its directory can hold");
  }
  entries_.reserve(static_cast<std::size_t>(found.count));
  for (std::uint64_t i = 0; i < found.count; ++i)
    entries_.push_back(read_entry(directory, contents));

  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(),
            [&](auto a, auto b) { return entries_[a].name < entries_[b].name; });
  const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(), [&](auto a, auto b) {
    return entries_[a].name == entries_[b].name;
  });
  if (twice != by_name_.end()) {
    fail_corrupt(origin_, "the archive holds two entries called " + quote(entries_[*twice].name));
  }
  check_overlaps();
}

void ZipReader::check_overlaps() const {
  std::vector<std::uint32_t> order = by_name_;
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return entries_[a].data_offset < entries_[b].data_offset; });
  std::uint64_t free_from = 0;
  for (const std::uint32_t i : order) {
    const ZipEntry& entry = entries_[i];
    if (entry.data_offset < free_from) {
      fail_corrupt(origin_, "the entry " + quote(entry.name) + " shares bytes with another one");
    }
    free_from = entry.data_offset + entry.compressed_bytes;
  }
}

const ZipEntry* ZipReader::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [&](auto i, auto wanted) { return entries_[i].name < wanted; });
  return at != by_name_.end() && entries_[*at].name == name ? &entries_[*at] : nullptr;
}

namespace {

/// Ends the zlib stream with the scope.
struct InflateStream {
  z_stream z{};
  InflateStream() {
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~InflateStream() { inflateEnd(&z); }
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
};

uInt chunk(std::size_t left) {
  return static_cast<uInt>(std::min<std::size_t>(left, std::numeric_limits<uInt>::max()));
}

/// Fills `out` exactly; false when the stream is damaged, shorter or longer.
bool inflate_all(std::span<const std::byte> in, std::span<std::byte> out) {
  InflateStream stream;
  z_stream& z = stream.z;
  std::byte past_the_end{};
  std::size_t in_left = in.size();
  std::size_t out_left = out.size();
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  for (;;) {
    if (z.avail_in == 0) {
      z.avail_in = chunk(in_left);
      in_left -= z.avail_in;
    }
    if (z.avail_out == 0 && out_left > 0) {
      z.avail_out = chunk(out_left);
      out_left -= z.avail_out;
    }
    const bool full = z.avail_out == 0;
    if (full) {  // everything came; the stream may still have to say that it ends
      z.next_out = reinterpret_cast<Bytef*>(&past_the_end);
      z.avail_out = 1;
    }
    const int status = inflate(&z, Z_NO_FLUSH);
    if (full && z.avail_out == 0) return false;
    if (status == Z_STREAM_END) return out_left == 0 && (full || z.avail_out == 0);
    if (status != Z_OK) return false;
    if (full) z.avail_out = 0;
  }
}

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::vector<std::byte> ZipReader::read(const ZipEntry& entry) const {
  if (entry.bytes > cap_bytes_) {
    fail_cap(origin_, "the entry " + quote(entry.name) + " holds " + std::to_string(entry.bytes) +
                          " bytes; the limit here is " + std::to_string(cap_bytes_));
  }
  const auto packed = bytes_.subspan(static_cast<std::size_t>(entry.data_offset),
                                     static_cast<std::size_t>(entry.compressed_bytes));
  std::vector<std::byte> content;
  if (entry.method == 0) {
    content.assign(packed.begin(), packed.end());
  } else {
    content.resize(static_cast<std::size_t>(entry.bytes));
    if (!inflate_all(packed, content)) {
      fail_corrupt(origin_, "the compressed entry " + quote(entry.name) + " is damaged");
    }
  }
  if (crc_of(content) != entry.crc32) {
    fail_corrupt(origin_, "the checksum of the entry " + quote(entry.name) + " does not match");
  }
  return content;
}

std::span<const std::byte> ZipReader::stored_view(const ZipEntry& entry) const {
  if (entry.method != 0) {
    fail_unsupported(origin_, "the entry " + quote(entry.name) + " is compressed",
                     "read it into memory instead of viewing it");
  }
  return bytes_.subspan(static_cast<std::size_t>(entry.data_offset),
                        static_cast<std::size_t>(entry.bytes));
}

}  // namespace sosia::formats
