#pragma once
// The bytes of a memory file. Little-endian.
//
//   0       head: magic, version, key, generation, end of the base, checksum
//   2048    commit: sequence, committed bytes, checksum; a second one at 3072. The valid one with
//   the
//           higher sequence holds. Beyond the committed bytes lies what was not acknowledged.
//   4096    base: a directory, then for every tenant and source the arrays of a context table
//           (context_table.hpp) and its list of texts, each at a multiple of 64
//   ...     journal: one record for every text since the base was written
//
// The base has one checksum, the directory lies inside; every record has its own.

#include "llm/context_table.hpp"
#include "sosia/llm/memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace sosia::llm {

inline constexpr std::uint32_t kMemoryVersion = 1;
inline constexpr std::size_t kMemoryHeadBytes = 4096;
inline constexpr std::array<std::size_t, 2> kCommitPlaces{2048, 3072};
inline constexpr std::size_t kMostNameBytes = 200;

/// Sources that are stored, in the order of their parts.
inline constexpr std::array<Source, 2> kStoredSources{Source::past, Source::corpus};

/// Where a text lies in the log of its part. `used` is 0 for none.
struct StoredText {
  std::uint32_t begin = 0, end = 0;  ///< without the kNoToken behind it
  std::uint64_t used = 0;
};
static_assert(sizeof(StoredText) == 16);

/// One table of the base, as views into the file.
struct StoredPart {
  ContextView view = {};
  std::span<const StoredText> texts = {};
};

struct MemoryHead {
  MemoryKey key = {};
  std::uint64_t generation = 0;
  std::uint64_t base_end = kMemoryHeadBytes;
};

struct JournalRecord {
  std::string tenant = {};
  Source source = Source::past;
  std::vector<Token> tokens = {};
};

struct MemoryImage {
  MemoryHead head = {};
  std::uint64_t committed = kMemoryHeadBytes;
  std::uint64_t sequence = 0;
  std::uint64_t clock = 0;  ///< the highest `used`
  std::map<std::string, std::array<StoredPart, 2>, std::less<>> tenants = {};
};

enum class MemoryChecks : std::uint8_t {
  all,
  head,       ///< not that of the base, which was checked before
  structure,  ///< no checksums: for the fuzzer, which cannot make them
};

/// Reads head and base; the views point into `bytes`, which must be aligned to 8. `size`: of the
/// file, of which `bytes` is a beginning that reaches to the committed bytes at least. Throws
/// corrupt_data or unsupported.
MemoryImage parse_memory(std::span<const std::byte> bytes, MemoryChecks checks = MemoryChecks::all);
/// The records of a journal. Throws corrupt_data: all of it was acknowledged.
std::vector<JournalRecord> parse_journal(std::span<const std::byte> journal,
                                         MemoryChecks checks = MemoryChecks::all);

/// A tenant's texts as they are to be written.
struct TextsToWrite {
  struct Text {
    std::vector<Token> tokens;
    std::uint64_t used;
  };
  std::array<std::vector<Text>, 2> parts = {};
};

/// A whole file with an empty journal.
std::vector<std::byte> memory_bytes(
    const MemoryKey& key, std::uint64_t generation,
    const std::map<std::string, TextsToWrite, std::less<>>& tenants);
std::vector<std::byte> record_bytes(std::string_view tenant, Source source,
                                    std::span<const Token> tokens);
/// What stands at a place of a commit.
std::array<std::byte, 24> commit_bytes(std::uint64_t sequence, std::uint64_t committed);

}  // namespace sosia::llm
