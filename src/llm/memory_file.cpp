#include "llm/memory_file.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

constexpr std::string_view kMagic = "sosiaMEM";
constexpr std::uint32_t kRecordMagic = 0x43455231;
constexpr std::size_t kHashedHead = 2040;  // the checksum of the head stands behind it
constexpr std::size_t kRecordHead = 24;
constexpr std::uint32_t kMostTenants = 1u << 20;

[[noreturn]] void corrupt(const std::string& what) {
  throw Error(ErrorCode::corrupt_data, "the memory file " + what,
              "make it anew with `sosia llm memory build`, or restore a copy");
}

std::size_t padded(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

/// Reads fields one after the other and never beyond the end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::size_t at, std::size_t end)
      : bytes_(bytes), at_(at), end_(std::min(end, bytes.size())) {}

  template <class T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text(std::size_t most) {
    const auto size = number<std::uint32_t>();
    if (size > most) corrupt("holds a name that is too long");
    const auto bytes = take(padded(size, 4)).first(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::span<const std::byte> take(std::size_t size) {
    if (at_ > end_ || size > end_ - at_) corrupt("ends within a field");
    const auto part = bytes_.subspan(at_, size);
    at_ += size;
    return part;
  }
  std::size_t at() const { return at_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_, end_;
};

class Output {
 public:
  template <class T>
  void number(T value) {
    append(&value, sizeof value);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    append(value.data(), value.size());
    pad(4);
  }
  template <class T>
  void array(std::span<const T> values) {
    append(values.data(), values.size_bytes());
  }
  void pad(std::size_t to) { bytes.resize(padded(bytes.size(), to)); }
  std::vector<std::byte> bytes = {};

 private:
  void append(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t at = bytes.size();
    bytes.resize(at + size);
    std::memcpy(bytes.data() + at, data, size);
  }
};

/// A section of the base: `count` items of T at `offset`.
template <class T>
std::span<const T> section(std::span<const std::byte> bytes, std::uint64_t offset,
                           std::uint64_t count, std::uint64_t end) {
  if (offset % 64 != 0 || offset > end || count > (end - offset) / sizeof(T)) {
    corrupt("has a part outside of its base");
  }
  return {reinterpret_cast<const T*>(bytes.data() + offset), static_cast<std::size_t>(count)};
}

/// One table: every section lies behind the one before, so its place follows from the counts.
StoredPart read_part(std::span<const std::byte> bytes, Cursor& in, std::uint64_t end) {
  StoredPart part;
  auto at = in.number<std::uint64_t>();
  const auto tokens = in.number<std::uint64_t>(), texts = in.number<std::uint64_t>();
  std::array<std::uint64_t, kLevelCount> buckets;
  for (auto& count : buckets) count = in.number<std::uint64_t>();
  const auto next = [&](std::uint64_t count, std::uint64_t size) {
    const std::uint64_t here = at;
    if (count > end / size) corrupt("has a part outside of its base");
    at = padded(at + count * size, 64);
    return here;
  };
  part.view.log = section<Token>(bytes, next(tokens, 4), tokens, end);
  for (auto& older : part.view.older) {
    older = section<std::uint32_t>(bytes, next(tokens, 4), tokens, end);
  }
  for (std::size_t level = 0; level < kLevelCount; ++level) {
    if (buckets[level] != 0 && !std::has_single_bit(buckets[level])) {
      corrupt("has a table whose size is no power of two");
    }
    part.view.heads[level] =
        section<std::uint32_t>(bytes, next(buckets[level], 4), buckets[level], end);
  }
  part.texts = section<StoredText>(bytes, next(texts, sizeof(StoredText)), texts, end);
  std::uint32_t before = 0;
  for (const StoredText& text : part.texts) {
    if (text.begin < before || text.end < text.begin || text.end > tokens) {
      corrupt("has texts in disorder");
    }
    before = text.end;
  }
  return part;
}

MemoryHead read_head(std::span<const std::byte> bytes, MemoryChecks checks) {
  if (bytes.size() < kMemoryHeadBytes) corrupt("is shorter than its head");
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    throw Error(ErrorCode::corrupt_data, "the file is not a memory of sosia",
                "`sosia llm memory build` makes one");
  }
  Cursor in(bytes, kMagic.size(), kHashedHead);
  const auto version = in.number<std::uint32_t>();
  if (version != kMemoryVersion) {
    throw Error(ErrorCode::unsupported,
                fmt::format("the memory file has version {}, this program reads version {}",
                            version, kMemoryVersion));
  }
  in.number<std::uint32_t>();
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + kHashedHead, sizeof checksum);
  if (checks != MemoryChecks::structure && checksum != xxh3_64(bytes.first(kHashedHead))) {
    corrupt("has a damaged head");
  }
  MemoryHead head;
  head.generation = in.number<std::uint64_t>();
  head.base_end = in.number<std::uint64_t>();
  head.key.tokenizer = in.text(kMostNameBytes);
  head.key.model = in.text(kMostNameBytes);
  return head;
}

/// The valid commit with the highest sequence.
void read_commit(std::span<const std::byte> bytes, MemoryChecks checks, MemoryImage& image) {
  bool found = false;
  for (const std::size_t place : kCommitPlaces) {
    Cursor in(bytes, place, place + 24);
    const auto sequence = in.number<std::uint64_t>(), committed = in.number<std::uint64_t>(),
               checksum = in.number<std::uint64_t>();
    if (checks != MemoryChecks::structure && checksum != xxh3_64(bytes.subspan(place, 16))) {
      continue;
    }
    if (committed == 0 || (found && sequence <= image.sequence)) continue;
    image.sequence = sequence;
    image.committed = committed;
    found = true;
  }
  if (!found) corrupt("has no valid commit");
}

}  // namespace

MemoryImage parse_memory(std::span<const std::byte> bytes, MemoryChecks checks) {
  MemoryImage image;
  image.head = read_head(bytes, checks);
  read_commit(bytes, checks, image);
  const std::uint64_t end = image.head.base_end;
  if (end < kMemoryHeadBytes + 16 || image.committed < end || end % 8 != 0) {
    corrupt("has a commit that contradicts its head");
  }
  if (bytes.size() < image.committed) {
    corrupt(fmt::format("is torn: {} bytes were acknowledged, {} are there", image.committed,
                        bytes.size()));
  }
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + end - 8, 8);
  const auto base = bytes.subspan(kMemoryHeadBytes, end - 8 - kMemoryHeadBytes);
  if (checks == MemoryChecks::all && checksum != xxh3_64(base)) corrupt("has a damaged base");
  Cursor in(bytes, kMemoryHeadBytes, end - 8);
  image.clock = in.number<std::uint64_t>();
  const auto count = in.number<std::uint32_t>();
  if (count > kMostTenants) corrupt("claims too many tenants");
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string name = in.text(kMostNameBytes);
    std::array<StoredPart, 2> parts;
    for (StoredPart& part : parts) part = read_part(bytes, in, end - 8);
    if (!image.tenants.emplace(std::move(name), parts).second) corrupt("names a tenant twice");
  }
  return image;
}

std::vector<JournalRecord> parse_journal(std::span<const std::byte> journal, MemoryChecks checks) {
  std::vector<JournalRecord> records;
  Cursor in(journal, 0, journal.size());
  while (in.at() < journal.size()) {
    const std::size_t start = in.at();
    if (in.number<std::uint32_t>() != kRecordMagic) corrupt("has a damaged journal");
    const auto kind = in.number<std::uint32_t>(), name = in.number<std::uint32_t>(),
               count = in.number<std::uint32_t>();
    const auto checksum = in.number<std::uint64_t>();
    if (kind >= kStoredSources.size() || name > kMostNameBytes) corrupt("has a damaged journal");
    const auto text = in.take(padded(name, 4)).first(name);
    const auto tokens =
        in.take(padded(std::size_t{count} * 4, 8) + (padded(name, 4) % 8 == 0 ? 0 : 4));
    if (checks == MemoryChecks::all &&
        checksum != xxh3_64(journal.subspan(start + kRecordHead, in.at() - start - kRecordHead),
                            (std::uint64_t{kind} << 48) ^ (std::uint64_t{name} << 32) ^ count)) {
      corrupt("has a damaged journal");
    }
    JournalRecord record;
    record.tenant.assign(reinterpret_cast<const char*>(text.data()), text.size());
    record.source = kStoredSources[kind];
    record.tokens.resize(count);
    if (count > 0) std::memcpy(record.tokens.data(), tokens.data(), std::size_t{count} * 4);
    for (const Token token : record.tokens) {
      if (token < 0) corrupt("holds a token that no vocabulary has");
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<std::byte> record_bytes(std::string_view tenant, Source source,
                                    std::span<const Token> tokens) {
  const auto kind = static_cast<std::uint32_t>(source == Source::corpus ? 1 : 0);
  const auto name = static_cast<std::uint32_t>(tenant.size()),
             count = static_cast<std::uint32_t>(tokens.size());
  Output out;
  out.number(kRecordMagic);
  out.number(kind);
  out.number(name);
  out.number(count);
  out.number(std::uint64_t{0});
  out.array(std::span(tenant));
  out.pad(4);
  const std::size_t middle = out.bytes.size();
  out.array(tokens);
  // As the reader counts: the tokens end at a multiple of 8, and so does the record.
  out.bytes.resize(middle + padded(tokens.size_bytes(), 8) + (middle % 8 == 0 ? 0 : 4));
  const std::uint64_t checksum =
      xxh3_64(std::span(out.bytes).subspan(kRecordHead),
              (std::uint64_t{kind} << 48) ^ (std::uint64_t{name} << 32) ^ count);
  std::memcpy(out.bytes.data() + 16, &checksum, sizeof checksum);
  return std::move(out.bytes);
}

std::array<std::byte, 24> commit_bytes(std::uint64_t sequence, std::uint64_t committed) {
  std::array<std::byte, 24> bytes;
  std::memcpy(bytes.data(), &sequence, 8);
  std::memcpy(bytes.data() + 8, &committed, 8);
  const std::uint64_t checksum = xxh3_64(std::span<const std::byte>(bytes).first(16));
  std::memcpy(bytes.data() + 16, &checksum, 8);
  return bytes;
}

std::vector<std::byte> memory_bytes(
    const MemoryKey& key, std::uint64_t generation,
    const std::map<std::string, TextsToWrite, std::less<>>& tenants) {
  struct Table {
    ContextTable table;
    std::vector<StoredText> texts;
  };
  std::vector<std::array<Table, 2>> tables;
  std::size_t directory = 8 + 4;
  std::uint64_t clock = 0;
  for (const auto& [name, texts] : tenants) {
    std::array<Table, 2> pair;
    for (std::size_t s = 0; s < 2; ++s) {
      for (const TextsToWrite::Text& text : texts.parts[s]) {
        if (text.tokens.empty()) continue;
        const std::size_t begin = pair[s].table.size();
        for (const Token token : text.tokens) pair[s].table.append(token);
        pair[s].table.close();
        pair[s].texts.push_back({static_cast<std::uint32_t>(begin),
                                 static_cast<std::uint32_t>(pair[s].table.size() - 1), text.used});
        clock = std::max(clock, text.used);
      }
    }
    tables.push_back(std::move(pair));
    directory += 4 + padded(name.size(), 4) + 2 * 8 * (3 + kLevelCount);
  }
  Output out;
  out.bytes.resize(kMemoryHeadBytes);
  out.number(clock);
  out.number(static_cast<std::uint32_t>(tenants.size()));
  std::uint64_t at = padded(kMemoryHeadBytes + directory, 64);
  std::size_t index = 0;
  for (const auto& [name, texts] : tenants) {
    out.text(name);
    for (const Table& t : tables[index]) {
      const ContextView view = t.table.view();
      out.number(at);
      out.number(static_cast<std::uint64_t>(view.log.size()));
      out.number(static_cast<std::uint64_t>(t.texts.size()));
      for (const auto& heads : view.heads) out.number(static_cast<std::uint64_t>(heads.size()));
      at += (1 + kLevelCount) * padded(view.log.size() * 4, 64);
      for (const auto& heads : view.heads) at += padded(heads.size() * 4, 64);
      at += padded(t.texts.size() * sizeof(StoredText), 64);
    }
    ++index;
  }
  for (const auto& pair : tables) {
    for (const Table& t : pair) {
      const ContextView view = t.table.view();
      out.pad(64);
      out.array(view.log);
      for (const auto& older : view.older) {
        out.pad(64);
        out.array(older);
      }
      for (const auto& heads : view.heads) {
        out.pad(64);
        out.array(heads);
      }
      out.pad(64);
      out.array(std::span<const StoredText>(t.texts));
    }
  }
  out.pad(64);
  out.number(xxh3_64(std::span(out.bytes).subspan(kMemoryHeadBytes)));
  const auto end = static_cast<std::uint64_t>(out.bytes.size());

  Output head;
  head.array(std::span(kMagic));
  head.number(kMemoryVersion);
  head.number(std::uint32_t{0});
  head.number(generation);
  head.number(end);
  head.text(key.tokenizer);
  head.text(key.model);
  std::memcpy(out.bytes.data(), head.bytes.data(), head.bytes.size());
  const std::uint64_t checksum = xxh3_64(std::span<const std::byte>(out.bytes).first(kHashedHead));
  std::memcpy(out.bytes.data() + kHashedHead, &checksum, 8);
  const auto commit = commit_bytes(1, end);
  std::memcpy(out.bytes.data() + kCommitPlaces[1], commit.data(), commit.size());
  return std::move(out.bytes);
}

}  // namespace sosia::llm
