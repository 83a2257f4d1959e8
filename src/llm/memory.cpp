#include "sosia/llm/memory.hpp"

#include "llm/memory_file.hpp"
#include "llm/past_texts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sosia::llm {
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kBytesPerToken = 64;

[[noreturn]] void fail(const fs::path& path, const char* doing) {
  const int code = errno;
  throw Error(code == ENOENT ? ErrorCode::not_found : ErrorCode::io,
              fmt::format("{} {}: {}", doing, quote(path.string()), std::strerror(code)));
}

/// A file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// Opens the file for appending and holds it for this writer alone. The name may come to mean
/// another file between opening and locking, when a writer has just replaced it.
Descriptor lock_for_writing(const fs::path& path) {
  for (int tries = 0; tries < 100; ++tries) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (file.get() < 0) fail(path, "cannot open");
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      throw Error(ErrorCode::conflict,
                  fmt::format("another process writes {}", quote(path.string())),
                  "open it for reading, or wait for that process");
    }
    struct stat mine{}, named{};
    if (::fstat(file.get(), &mine) == 0 && ::stat(path.c_str(), &named) == 0 &&
        mine.st_ino == named.st_ino && mine.st_dev == named.st_dev) {
      return file;
    }
  }
  throw Error(ErrorCode::conflict,
              fmt::format("{} is replaced all the time", quote(path.string())));
}

void write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset,
              const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path, "cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void check_text(std::string_view tenant, std::span<const Token> text) {
  if (tenant.size() > kMostNameBytes) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a tenant's name has {} bytes, more than {}", tenant.size(), kMostNameBytes));
  }
  if (std::any_of(text.begin(), text.end(), [](Token t) { return t < 0; })) {
    throw Error(ErrorCode::invalid_argument, "a text holds a negative token");
  }
}

}  // namespace

/// One tenant: the mapped part, when its texts were used, and what came since.
struct TenantPart {
  explicit TenantPart(std::uint64_t cap_bytes)
      : recent{RecentTexts(cap_bytes), RecentTexts(cap_bytes)} {}
  std::array<StoredPart, 2> base = {};
  std::array<std::vector<std::uint64_t>, 2> used = {};  // of the texts of the base
  std::array<RecentTexts, 2> recent;
};

namespace {

struct Mapped {
  MappedFile file;
  MemoryImage image;
};

/// Maps the file as it is now. A writer may commit between mapping and reading: then what is
/// acknowledged lies beyond the map, and the file is mapped again.
Mapped map_memory(const fs::path& path, MemoryChecks checks) {
  for (int tries = 0;; ++tries) {
    MappedFile file(path);
    try {
      MemoryImage image = parse_memory(file.bytes(), checks);
      return {std::move(file), std::move(image)};
    } catch (const Error&) {
      std::error_code ignored;
      if (tries == 20 || fs::file_size(path, ignored) <= file.bytes().size()) throw;
    }
  }
}

}  // namespace

struct Memory::Impl {
  fs::path path;
  MemoryOptions options;
  mutable std::shared_mutex mutex;
  std::optional<MappedFile> map;
  MemoryImage image;  // its views point into `map`
  std::map<std::string, std::unique_ptr<TenantPart>, std::less<>> tenants;
  std::uint64_t read_until = 0;  // of the journal
  std::uint64_t clock = 0;
  ino_t inode = 0;
  Descriptor writer;

  bool writes() const { return options.access == MemoryAccess::write; }
  void load();
  void read_journal();
  TenantPart& tenant(std::string_view name);
  std::map<std::string, TextsToWrite, std::less<>> all_texts() const;
  void rewrite(std::map<std::string, TextsToWrite, std::less<>> texts, std::uint64_t cap_bytes);
  std::uint64_t indexed_tokens() const;
  void append(std::string_view tenant, std::span<const Token> text, Source source);
  void visit(std::string_view tenant, const std::function<void(const TextPart&)>& visit) const;
  void touch(std::string_view tenant, std::uint64_t origin);
};

TenantPart& Memory::Impl::tenant(std::string_view name) {
  const auto known = tenants.find(name);
  if (known != tenants.end()) return *known->second;
  return *tenants.emplace(std::string(name), std::make_unique<TenantPart>(options.cap_bytes))
              .first->second;
}

void Memory::Impl::load() {
  struct stat named{};
  if (::stat(path.c_str(), &named) != 0) fail(path, "cannot look at");
  Mapped mapped = map_memory(path, MemoryChecks::all);
  tenants.clear();  // whose views point into the map
  map = std::move(mapped.file);
  image = std::move(mapped.image);
  inode = named.st_ino;
  clock = image.clock;
  for (const auto& [name, parts] : image.tenants) {
    TenantPart& part = tenant(name);
    part.base = parts;
    for (std::size_t s = 0; s < 2; ++s) {
      for (const StoredText& text : parts[s].texts) part.used[s].push_back(text.used);
    }
  }
  read_until = image.head.base_end;
  read_journal();
}

void Memory::Impl::read_journal() {
  if (image.committed <= read_until) return;
  const auto journal = map->bytes().subspan(static_cast<std::size_t>(read_until),
                                            static_cast<std::size_t>(image.committed - read_until));
  for (const JournalRecord& record : parse_journal(journal)) {
    TenantPart& part = tenant(record.tenant);
    part.recent[record.source == Source::corpus ? 1 : 0].learn(record.tokens, ++clock);
  }
  read_until = image.committed;
}

std::uint64_t Memory::Impl::indexed_tokens() const {
  std::uint64_t tokens = 0;
  for (const auto& [name, part] : tenants) {
    for (std::size_t s = 0; s < 2; ++s) {
      tokens += part->base[s].view.log.size() + part->recent[s].table().size();
    }
  }
  return tokens;
}

/// Everything, with the times of last use.
std::map<std::string, TextsToWrite, std::less<>> Memory::Impl::all_texts() const {
  std::map<std::string, TextsToWrite, std::less<>> all;
  for (const auto& [name, part] : tenants) {
    TextsToWrite& out = all[name];
    for (std::size_t s = 0; s < 2; ++s) {
      const auto& base = part->base[s];
      for (std::size_t i = 0; i < base.texts.size(); ++i) {
        const auto text =
            base.view.log.subspan(base.texts[i].begin, base.texts[i].end - base.texts[i].begin);
        // A damaged boundary within a text would make two of one.
        std::vector<Token> tokens(text.begin(), text.end());
        std::erase_if(tokens, [](Token t) { return t < 0; });
        if (part->used[s][i] != 0) out.parts[s].push_back({std::move(tokens), part->used[s][i]});
      }
      part->recent[s].for_each([&](std::span<const Token> text, std::uint64_t used) {
        out.parts[s].push_back({std::vector<Token>(text.begin(), text.end()), used});
      });
    }
  }
  return all;
}

/// Writes the file anew with those texts that fit, least recently used ones left out.
void Memory::Impl::rewrite(std::map<std::string, TextsToWrite, std::less<>> texts,
                           std::uint64_t cap_bytes) {
  struct Place {
    std::uint64_t used;
    TextsToWrite::Text* text;
  };
  std::vector<Place> places;
  std::uint64_t tokens = 0;
  for (auto& [name, t] : texts) {
    for (auto& part : t.parts) {
      for (TextsToWrite::Text& text : part) {
        places.push_back({text.used, &text});
        tokens += text.tokens.size() + 1;
      }
    }
  }
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.used < b.used; });
  for (const Place& place : places) {
    if (tokens <= cap_bytes / kBytesPerToken) break;
    tokens -= place.text->tokens.size() + 1;
    place.text->tokens.clear();
  }
  std::erase_if(texts, [](const auto& entry) {
    for (const auto& part : entry.second.parts) {
      for (const auto& text : part) {
        if (!text.tokens.empty()) return false;
      }
    }
    return true;
  });
  write_file(path, memory_bytes(image.head.key, image.head.generation + 1, texts),
             Overwrite::replace);
  writer = lock_for_writing(path);
  load();
}

void Memory::Impl::append(std::string_view tenant_name, std::span<const Token> text,
                          Source source) {
  if (text.empty()) return;
  if (writes()) {
    const auto record = record_bytes(tenant_name, source, text);
    // First the record, then that it counts: a writer that dies between leaves what nobody reads.
    write_at(writer.get(), record, image.committed, path);
    if (::fdatasync(writer.get()) != 0) fail(path, "cannot flush");
    const std::uint64_t committed = image.committed + record.size();
    const auto commit = commit_bytes(image.sequence + 1, committed);
    write_at(writer.get(), commit, kCommitPlaces[image.sequence % 2], path);
    if (::fdatasync(writer.get()) != 0) fail(path, "cannot flush");
    ++image.sequence;
    image.committed = read_until = committed;
  }
  tenant(tenant_name).recent[source == Source::corpus ? 1 : 0].learn(text, ++clock);
  if (writes() && indexed_tokens() * kBytesPerToken > options.cap_bytes) {
    rewrite(all_texts(), options.cap_bytes / 4 * 3);
  }
}

void Memory::Impl::visit(std::string_view name,
                         const std::function<void(const TextPart&)>& visit) const {
  const auto found = tenants.find(name);
  if (found == tenants.end()) return;
  const TenantPart& part = *found->second;
  for (std::uint32_t s = 0; s < 2; ++s) {
    if (!part.base[s].view.log.empty()) visit({part.base[s].view, kStoredSources[s], s});
    if (part.recent[s].table().size() > 0) {
      visit({part.recent[s].table().view(), kStoredSources[s], s + 2});
    }
  }
}

void Memory::Impl::touch(std::string_view name, std::uint64_t origin) {
  const auto found = tenants.find(name);
  if (origin == 0 || found == tenants.end()) return;
  TenantPart& part = *found->second;
  const auto which = static_cast<std::uint32_t>(origin >> 32) - 1,
             position = static_cast<std::uint32_t>(origin);
  const std::size_t s = which % 2;
  if (which >= 2) {
    part.recent[s].touch(position, ++clock);
    return;
  }
  const auto& texts = part.base[s].texts;
  const auto after =
      std::upper_bound(texts.begin(), texts.end(), position,
                       [](std::uint32_t p, const StoredText& t) { return p < t.begin; });
  if (after == texts.begin()) return;
  part.used[s][static_cast<std::size_t>(after - texts.begin()) - 1] = ++clock;
}

/// The view of one tenant. It knows no other name, so nothing else can be asked for through it.
class TenantTexts final : public PastTexts {
 public:
  TenantTexts(std::shared_ptr<Memory> memory, std::string tenant)
      : memory_(std::move(memory)), tenant_(std::move(tenant)) {}

  void visit(const std::function<void(const TextPart&)>& visit) const override {
    const std::shared_lock lock(memory_->impl_->mutex);
    memory_->impl_->visit(tenant_, visit);
  }
  void learn(std::span<const Token> text, Source source) override {
    memory_->learn(tenant_, text, source);
  }
  void touch(std::uint64_t origin) override {
    const std::unique_lock lock(memory_->impl_->mutex);
    memory_->impl_->touch(tenant_, origin);
  }
  IndexFootprint footprint() const override {
    IndexFootprint total;
    visit([&](const TextPart& part) {
      total.tokens += part.view.log.size();
      total.bytes += part.view.log.size_bytes();
      for (const auto& older : part.view.older) total.bytes += older.size_bytes();
      for (const auto& heads : part.view.heads) total.bytes += heads.size_bytes();
    });
    return total;
  }

 private:
  std::shared_ptr<Memory> memory_;
  std::string tenant_;
};

std::uint64_t MemoryStats::tokens() const {
  std::uint64_t sum = 0;
  for (const TenantStats& t : tenants) sum += t.past_tokens + t.corpus_tokens;
  return sum;
}

Memory::Memory() : impl_(std::make_unique<Impl>()) {}
Memory::~Memory() = default;

std::shared_ptr<Memory> Memory::create(const fs::path& path, const MemoryKey& key,
                                       MemoryOptions options, Overwrite overwrite) {
  if (key.tokenizer.size() > kMostNameBytes || key.model.size() > kMostNameBytes) {
    throw Error(ErrorCode::invalid_argument, "the key of a memory is too long");
  }
  write_file(path, memory_bytes(key, 1, {}), overwrite);
  return open(path, options);
}

std::shared_ptr<Memory> Memory::open(const fs::path& path, MemoryOptions options) {
  std::shared_ptr<Memory> memory(new Memory);
  Impl& impl = *memory->impl_;
  impl.path = path;
  impl.options = options;
  try {
    if (impl.writes()) impl.writer = lock_for_writing(path);
    impl.load();
    if (impl.writes()) {
      // What was not acknowledged goes, so that nobody mistakes it for more.
      if (::ftruncate(impl.writer.get(), static_cast<off_t>(impl.image.committed)) != 0) {
        fail(path, "cannot shorten");
      }
    }
  } catch (Error& error) {
    throw error.add_context(path.string());
  }
  return memory;
}

std::shared_ptr<Memory> Memory::open_for(const fs::path& path, const MemoryKey& key,
                                         MemoryOptions options) {
  std::error_code ignored;
  if (options.access == MemoryAccess::write && !fs::exists(path, ignored)) {
    return create(path, key, options);
  }
  auto memory = open(path, options);
  const MemoryKey& own = memory->impl_->image.head.key;
  if (own == key) {
    // A long journal is read into memory by everybody: it becomes part of what is mapped.
    const MemoryImage& image = memory->impl_->image;
    const std::uint64_t journal_bytes = image.committed - image.head.base_end;
    if (memory->impl_->writes() && journal_bytes > (1u << 20) &&
        journal_bytes > image.head.base_end / 4) {
      memory->compact();
    }
    return memory;
  }
  const bool tokens = own.tokenizer != key.tokenizer;
  throw Error(ErrorCode::conflict,
              tokens ? "the memory was made with another tokenizer"
                     : fmt::format("the memory belongs to the model {}, not to {}",
                                   quote(own.model), quote(key.model)),
              "give the model that made it, or make a memory of its own", path.string());
}

std::shared_ptr<PastTexts> Memory::texts(std::string_view tenant) {
  check_text(tenant, {});
  return std::make_shared<TenantTexts>(shared_from_this(), std::string(tenant));
}

void Memory::learn(std::string_view tenant, std::span<const Token> text, Source source) {
  check_text(tenant, text);
  const std::unique_lock lock(impl_->mutex);
  impl_->append(tenant, text, source);
}

void Memory::refresh() {
  const std::unique_lock lock(impl_->mutex);
  if (impl_->writes()) return;
  struct stat named{};
  if (::stat(impl_->path.c_str(), &named) != 0) fail(impl_->path, "cannot look at");
  try {
    if (named.st_ino != impl_->inode) {
      impl_->load();
      return;
    }
    Mapped mapped = map_memory(impl_->path, MemoryChecks::head);
    if (mapped.image.head.generation != impl_->image.head.generation) {
      impl_->load();  // replaced just now
      return;
    }
    impl_->map = std::move(mapped.file);
    impl_->image = std::move(mapped.image);
    for (const auto& [name, parts] : impl_->image.tenants) impl_->tenant(name).base = parts;
    impl_->read_journal();
  } catch (Error& error) {
    throw error.add_context(impl_->path.string());
  }
}

namespace {

void need_writing(bool writes, const fs::path& path) {
  if (!writes) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the memory {} is open for reading only", quote(path.string())));
  }
}

}  // namespace

void Memory::compact() {
  const std::unique_lock lock(impl_->mutex);
  need_writing(impl_->writes(), impl_->path);
  impl_->rewrite(impl_->all_texts(), impl_->options.cap_bytes);
}

void Memory::prune(std::uint64_t cap_bytes, std::span<const std::string> tenants) {
  const std::unique_lock lock(impl_->mutex);
  need_writing(impl_->writes(), impl_->path);
  auto texts = impl_->all_texts();
  for (const std::string& name : tenants) texts.erase(name);
  impl_->rewrite(std::move(texts), cap_bytes);
}

void Memory::merge(const Memory& other) {
  if (&other == this) return;
  std::map<std::string, TextsToWrite, std::less<>> theirs;
  {
    const std::shared_lock lock(other.impl_->mutex);
    if (!(other.impl_->image.head.key == impl_->image.head.key)) {
      throw Error(ErrorCode::conflict, "the memories belong to different models or tokenizers",
                  "merge memories of one model", other.impl_->path.string());
    }
    theirs = other.impl_->all_texts();
  }
  const std::unique_lock lock(impl_->mutex);
  need_writing(impl_->writes(), impl_->path);
  auto texts = impl_->all_texts();
  for (auto& [name, more] : theirs) {
    for (std::size_t s = 0; s < 2; ++s) {
      auto& into = texts[name].parts[s];
      for (TextsToWrite::Text& text : more.parts[s]) into.push_back(std::move(text));
    }
  }
  impl_->rewrite(std::move(texts), impl_->options.cap_bytes);
}

MemoryKey Memory::key() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->image.head.key;
}

MemoryStats Memory::stats() const {
  const std::shared_lock lock(impl_->mutex);
  MemoryStats stats;
  stats.key = impl_->image.head.key;
  stats.generation = impl_->image.head.generation;
  stats.indexed_bytes = impl_->image.head.base_end;
  stats.journal_bytes = impl_->image.committed - impl_->image.head.base_end;
  stats.file_bytes = impl_->image.committed;
  for (const auto& [name, part] : impl_->tenants) {
    std::array<std::uint64_t, 2> texts = {}, tokens = {};
    for (std::size_t s = 0; s < 2; ++s) {
      const auto count = [&](std::size_t length) { ++texts[s], tokens[s] += length; };
      for (std::size_t i = 0; i < part->used[s].size(); ++i) {
        const auto& text = part->base[s].texts[i];
        if (part->used[s][i] != 0) count(text.end - text.begin);
      }
      part->recent[s].for_each(
          [&](std::span<const Token> text, std::uint64_t) { count(text.size()); });
    }
    stats.tenants.push_back({name, texts[0], tokens[0], texts[1], tokens[1]});
  }
  return stats;
}

void Memory::for_each(const std::function<void(const MemoryText&)>& visit) const {
  std::map<std::string, TextsToWrite, std::less<>> all;
  {
    const std::shared_lock lock(impl_->mutex);
    all = impl_->all_texts();
  }
  for (const auto& [name, texts] : all) {
    for (std::size_t s = 0; s < 2; ++s) {
      for (const auto& text : texts.parts[s]) {
        visit({name, kStoredSources[s], text.tokens, text.used});
      }
    }
  }
}

}  // namespace sosia::llm
