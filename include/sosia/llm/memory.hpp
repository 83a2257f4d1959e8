#pragma once
// A memory that persists: texts of earlier requests and imported corpora, of several tenants, in
// one file that any number of processes read while one writes.

#include "sosia/core/files.hpp"
#include "sosia/llm/draft.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::llm {

class PastTexts;

/// What a memory belongs to: tokens of another vocabulary mean something else, and another model
/// says something else.
struct MemoryKey {
  std::string tokenizer = {};  ///< hash of the vocabulary, hexadecimal
  std::string model = {};      ///< at most 200 bytes
  friend bool operator==(const MemoryKey&, const MemoryKey&) = default;
};

enum class MemoryAccess : std::uint8_t { read, write };

inline constexpr std::uint64_t kMemoryCapBytes = std::uint64_t{1} << 30;

struct MemoryOptions {
  MemoryAccess access = MemoryAccess::read;
  /// Bytes of the index of all tenants together, at most 64 for a token: beyond it the texts that
  /// were used least recently are dropped.
  std::uint64_t cap_bytes = kMemoryCapBytes;
};

struct TenantStats {
  std::string tenant = {};
  std::uint64_t past_texts = 0, past_tokens = 0;
  std::uint64_t corpus_texts = 0, corpus_tokens = 0;
};

struct MemoryStats {
  MemoryKey key = {};
  std::vector<TenantStats> tenants = {};  ///< by name
  std::uint64_t file_bytes = 0;
  std::uint64_t indexed_bytes = 0;  ///< of the part that is mapped
  std::uint64_t journal_bytes = 0;  ///< of the part that is read into memory
  std::uint64_t generation = 0;     ///< how often the file was written anew
  std::uint64_t tokens() const;
};

/// One text, as it is exported.
struct MemoryText {
  std::string tenant = {};
  Source source = Source::past;
  std::span<const Token> tokens = {};
  std::uint64_t used = 0;  ///< when it was last of use, by a clock that counts uses
};

/// A memory file. Tenants are kept apart: nothing leads from the texts of one to those of another.
///
/// Durability: what `learn` returned from is on the disk. A writer that is killed leaves a file
/// that opens with all of it; a file that is shorter than what was acknowledged, or damaged, is
/// refused with corrupt_data, a newer version with unsupported, another tokenizer or model with
/// conflict, and so is a second writer. Thread-safety: all members may be called from any thread.
class Memory : public std::enable_shared_from_this<Memory> {
 public:
  /// Makes an empty memory. Throws conflict when the file exists and `overwrite` refuses.
  static std::shared_ptr<Memory> create(const std::filesystem::path& path, const MemoryKey& key,
                                        MemoryOptions options = {.access = MemoryAccess::write},
                                        Overwrite overwrite = Overwrite::refuse);
  /// Opens one, whatever its key.
  static std::shared_ptr<Memory> open(const std::filesystem::path& path,
                                      MemoryOptions options = {});
  /// Opens the memory of this key, or makes it where there is none and `options` allow writing.
  static std::shared_ptr<Memory> open_for(const std::filesystem::path& path, const MemoryKey& key,
                                          MemoryOptions options = {});
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// What a request of `tenant` may be drafted from. A tenant without texts is fine. Keeps the
  /// memory alive.
  std::shared_ptr<PastTexts> texts(std::string_view tenant);
  /// Adds a text durably; forgotten at once when this memory is open for reading only. Throws
  /// invalid_argument for a tenant's name of more than 200 bytes or a negative token.
  void learn(std::string_view tenant, std::span<const Token> text, Source source = Source::past);
  /// Takes up what another process has written since.
  void refresh();
  /// Indexes the journal into the mapped part: the file is written anew.
  void compact();
  /// Drops texts until the index needs no more than `cap_bytes`, and all of the tenants named.
  void prune(std::uint64_t cap_bytes, std::span<const std::string> tenants = {});
  /// Adds the texts of another memory. Throws conflict for another key.
  void merge(const Memory& other);

  MemoryStats stats() const;
  MemoryKey key() const;
  /// All texts, tenant by tenant, oldest first.
  void for_each(const std::function<void(const MemoryText&)>& visit) const;

 private:
  Memory();
  friend class TenantTexts;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::llm
