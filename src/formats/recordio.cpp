#include "sosia/formats/recordio.hpp"

#include "formats/bytes.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cmath>
#include <system_error>

namespace sosia::formats {

namespace {

constexpr std::uint32_t kMagic = 0xced7230a;
constexpr std::uint32_t kLengthMask = (1u << 29) - 1;

// The upper three bits of a frame's length.
enum Part : std::uint32_t { kWhole = 0, kFirst = 1, kMiddle = 2, kLast = 3 };

struct Frame {
  std::uint32_t part = kWhole;
  std::span<const std::byte> bytes;
  std::size_t next_offset = 0;
};

Frame read_frame(std::span<const std::byte> rec, std::size_t offset, std::string_view origin) {
  if (offset > rec.size() || offset % 4 != 0) {
    fail_corrupt(origin, "no record can start at offset " + std::to_string(offset),
                 "the index belongs to another file");
  }
  ByteCursor cursor(rec, origin);
  cursor.seek(offset);
  if (cursor.read<std::uint32_t>("a record") != kMagic) {
    fail_corrupt(origin, "there is no record at offset " + std::to_string(offset),
                 "the index belongs to another file, or the file is damaged");
  }
  const auto length = cursor.read<std::uint32_t>("a record");
  Frame frame;
  frame.part = length >> 29;
  if (frame.part > kLast) {
    fail_corrupt(origin, "the record at offset " + std::to_string(offset) +
                             " has the unknown kind " + std::to_string(frame.part));
  }
  frame.bytes = cursor.take(length & kLengthMask, "a record");
  const std::size_t padding = (4 - frame.bytes.size() % 4) % 4;
  cursor.take(padding, "the padding of a record");
  frame.next_offset = cursor.position();
  return frame;
}

}  // namespace

RawRecord read_record(std::span<const std::byte> rec, std::size_t offset,
                      std::vector<std::byte>& scratch, std::string_view origin) {
  Frame frame = read_frame(rec, offset, origin);
  if (frame.part == kWhole) return {frame.bytes, frame.next_offset};
  if (frame.part != kFirst) {
    fail_corrupt(origin, "the record at offset " + std::to_string(offset) +
                             " is the continuation of another one");
  }
  scratch.assign(frame.bytes.begin(), frame.bytes.end());
  const auto magic = std::as_bytes(std::span(&kMagic, 1));
  while (frame.part != kLast) {
    const std::size_t at = frame.next_offset;
    frame = read_frame(rec, at, origin);
    if (frame.part != kMiddle && frame.part != kLast) {
      fail_corrupt(origin, "the record at offset " + std::to_string(offset) +
                               " is not continued at offset " + std::to_string(at));
    }
    scratch.insert(scratch.end(), magic.begin(), magic.end());
    scratch.insert(scratch.end(), frame.bytes.begin(), frame.bytes.end());
  }
  return {scratch, frame.next_offset};
}

ImageRecord parse_image_record(std::span<const std::byte> payload, std::string_view origin) {
  ByteCursor cursor(payload, origin);
  constexpr std::string_view kWhat = "the header of an image record";
  ImageRecord record;
  record.header.flag = cursor.read<std::uint32_t>(kWhat);
  record.header.label = cursor.read<float>(kWhat);
  record.header.id = cursor.read<std::uint64_t>(kWhat);
  record.header.id2 = cursor.read<std::uint64_t>(kWhat);
  if (record.header.flag == 0) {
    record.labels = {record.header.label};
  } else {
    const auto raw = cursor.take(std::uint64_t{record.header.flag} * sizeof(float),
                                 "the labels of an image record");
    record.labels.resize(record.header.flag);
    std::memcpy(record.labels.data(), raw.data(), raw.size());
  }
  record.image = cursor.rest();
  return record;
}

std::vector<RecordIndexEntry> parse_record_index(std::string_view text, std::string_view origin) {
  std::vector<RecordIndexEntry> index;
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line_number;
    if (line.empty()) continue;
    const std::size_t tab = line.find_first_of("\t ");
    long long key = 0;
    long long offset = 0;
    if (tab == std::string_view::npos || !parse_integer(line.substr(0, tab), key) ||
        !parse_integer(trim(line.substr(tab)), offset) || key < 0 || offset < 0) {
      fail_corrupt(std::string(origin) + ": line " + std::to_string(line_number),
                   quote(line) + " is no key and offset");
    }
    index.push_back({static_cast<std::uint64_t>(key), static_cast<std::uint64_t>(offset)});
  }
  const auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };
  if (!std::is_sorted(index.begin(), index.end(), by_key)) {
    std::sort(index.begin(), index.end(), by_key);
  }
  for (std::size_t i = 1; i < index.size(); ++i) {
    if (index[i - 1].key == index[i].key) {
      fail_corrupt(origin, "the key " + std::to_string(index[i].key) + " appears twice");
    }
  }
  return index;
}

RecordProperty parse_record_property(std::string_view text, std::string_view origin) {
  const std::vector<std::string_view> parts = split(trim(text), ',');
  constexpr long long kMaxSide = 65536;
  long long values[3] = {};
  bool good = parts.size() == 3;
  for (std::size_t i = 0; good && i < 3; ++i) good = parse_integer(trim(parts[i]), values[i]);
  if (!good || values[0] < 0 || values[1] < 1 || values[2] < 1 || values[1] > kMaxSide ||
      values[2] > kMaxSide) {
    fail_corrupt(origin, quote(text) + " is not \"identities,height,width\"");
  }
  return {static_cast<std::uint64_t>(values[0]), static_cast<int>(values[1]),
          static_cast<int>(values[2])};
}

RecordSet::RecordSet(const std::filesystem::path& rec_path)
    : mapped_(rec_path), rec_(mapped_->bytes()), origin_(rec_path.string()) {
  const auto beside = [&](const char* extension) {
    return std::filesystem::path(rec_path).replace_extension(extension);
  };
  std::error_code ignored;
  if (const auto path = beside(".idx"); std::filesystem::exists(path, ignored)) {
    index_ = parse_record_index(read_text(path), path.string());
  } else {
    index_by_walking();
  }
  for (const auto& path : {beside(".property"), rec_path.parent_path() / "property"}) {
    if (property_ || !std::filesystem::exists(path, ignored)) continue;
    property_ = parse_record_property(read_text(path, 4096), path.string());
  }
  read_record_zero();
}

RecordSet::RecordSet(std::span<const std::byte> rec, std::optional<std::string_view> idx,
                     std::string origin)
    : rec_(rec), origin_(std::move(origin)) {
  if (idx) {
    index_ = parse_record_index(*idx, origin_ + ".idx");
  } else {
    index_by_walking();
  }
  read_record_zero();
}

void RecordSet::index_by_walking() {
  for (std::size_t offset = 0; offset < rec_.size();) {
    index_.push_back({index_.size(), offset});
    Frame frame = read_frame(rec_, offset, origin_);
    if (frame.part == kMiddle || frame.part == kLast) {
      fail_corrupt(origin_, "the record at offset " + std::to_string(offset) +
                                " is the continuation of another one");
    }
    while (frame.part == kFirst || frame.part == kMiddle) {
      frame = read_frame(rec_, frame.next_offset, origin_);
    }
    offset = frame.next_offset;
  }
}

namespace {

/// A label that must be a count or key up to `most`. Labels are 32-bit floats: beyond 2^24 they may
/// have been rounded up by one.
std::uint64_t whole(float label, std::uint64_t most, const std::string& what,
                    const std::string& origin) {
  constexpr float kExact = 16777216;
  const bool number = label >= 0 && label <= 1e15f && label == std::floor(label);
  const std::uint64_t value = number ? static_cast<std::uint64_t>(label) : 0;
  if (number && label > kExact && value == most + 1) return most;
  if (!number || value > most) {
    fail_corrupt(origin, what + " is " + std::to_string(label) + ", not a whole number up to " +
                             std::to_string(most));
  }
  return value;
}

}  // namespace

void RecordSet::read_record_zero() {
  std::uint64_t first = 0;
  std::uint64_t last = ~std::uint64_t{0};
  if (find(0) != nullptr) {
    std::vector<std::byte> scratch;
    const ImageRecord zero = read(0, scratch);
    if (zero.header.flag > 0) {
      const std::uint64_t most = index_.back().key + 1;
      first = 1;
      last = whole(zero.labels[0], most, "the number of images in record 0", origin_);
      if (zero.labels.size() > 1) {
        first_identity_ = last;
        last_identity_ = whole(zero.labels[1], most, "the last identity in record 0", origin_);
        if (last_identity_ < first_identity_) {
          fail_corrupt(origin_, "record 0 says that the identities end before they begin");
        }
      }
    }
  }
  for (const RecordIndexEntry& entry : index_) {
    if (entry.key >= first && entry.key < last) image_keys_.push_back(entry.key);
  }
}

const RecordIndexEntry* RecordSet::find(std::uint64_t key) const noexcept {
  const auto at =
      std::lower_bound(index_.begin(), index_.end(), key,
                       [](const auto& entry, auto wanted) { return entry.key < wanted; });
  return at != index_.end() && at->key == key ? &*at : nullptr;
}

ImageRecord RecordSet::read(std::uint64_t key, std::vector<std::byte>& scratch) const {
  const RecordIndexEntry* entry = find(key);
  if (entry == nullptr) {
    throw Error(ErrorCode::not_found, "there is no record with key " + std::to_string(key), "",
                origin_);
  }
  const std::string where = origin_ + ": record " + std::to_string(key);
  const RawRecord raw = read_record(rec_, static_cast<std::size_t>(entry->offset), scratch, where);
  return parse_image_record(raw.payload, where);
}

IdentityRange RecordSet::identity(std::size_t index) const {
  if (index >= identity_count()) {
    throw Error(ErrorCode::invalid_argument, "there is no identity " + std::to_string(index) +
                                                 "; the set has " +
                                                 std::to_string(identity_count()));
  }
  IdentityRange range;
  range.key = first_identity_ + index;
  std::vector<std::byte> scratch;
  const ImageRecord record = read(range.key, scratch);
  if (record.labels.size() != 2) {
    fail_corrupt(origin_, "record " + std::to_string(range.key) + " holds no range of images");
  }
  range.begin = whole(record.labels[0], first_identity_, "the first image of an identity", origin_);
  range.end = whole(record.labels[1], first_identity_, "the last image of an identity", origin_);
  if (range.end < range.begin) {
    fail_corrupt(origin_,
                 "the images of record " + std::to_string(range.key) + " end before they begin");
  }
  return range;
}

}  // namespace sosia::formats
