// Memory files: without checksums, so that the search gets behind them, and with them.

#include "../fuzz_target.hpp"
#include "llm/memory_file.hpp"
#include "llm/request_index.hpp"

#include <cstring>

namespace {

using namespace sosia::llm;

std::string sample(int kind) {
  std::map<std::string, TextsToWrite, std::less<>> tenants;
  if (kind > 0) {
    for (int i = 0; i < 3; ++i) {
      tenants["a"].parts[static_cast<std::size_t>(i % 2)].push_back(
          {{1, 2, 3, 1, 2, i, 4, 5}, static_cast<std::uint64_t>(i + 1)});
    }
    tenants["bc"].parts[0].push_back({{7, 7, 7}, 9});
  }
  auto bytes = memory_bytes({"0123", "model"}, 1, tenants);
  if (kind > 1) {
    const std::vector<Token> text{1, 2, 3};
    const auto record = record_bytes("abcde", Source::corpus, text);
    bytes.insert(bytes.end(), record.begin(), record.end());
    const auto commit = commit_bytes(2, bytes.size());
    std::memcpy(bytes.data() + kCommitPlaces[0], commit.data(), commit.size());
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Follows every number that a request would follow.
void visit(const MemoryImage& image) {
  const std::vector<Token> context{1, 2, 3, 1, 2};
  std::vector<Occurrence> found;
  for (const auto& [name, parts] : image.tenants) {
    for (const StoredPart& part : parts) {
      find_occurrences(part.view, context, 16, 200, found);
      std::int64_t sum = 0;
      for (const Occurrence& o : found) sum += part.view.log[o.next];
      for (const StoredText& t : part.texts) {
        for (const Token token : part.view.log.subspan(t.begin, t.end - t.begin)) sum += token;
      }
      volatile std::int64_t kept = sum;
      (void)kept;
    }
  }
}

void exercise(std::span<const std::byte> data) {
  // A mapped file starts at a page; so does the copy.
  std::vector<std::uint64_t> copy(data.size() / 8 + 1);
  if (!data.empty()) std::memcpy(copy.data(), data.data(), data.size());
  const auto bytes = std::as_bytes(std::span(copy)).first(data.size());
  for (const MemoryChecks checks : {MemoryChecks::structure, MemoryChecks::all}) {
    try {
      const MemoryImage image = parse_memory(bytes, checks);
      visit(image);
      const auto begin = static_cast<std::size_t>(image.head.base_end);
      parse_journal(bytes.subspan(begin, static_cast<std::size_t>(image.committed) - begin),
                    checks);
    } catch (const sosia::Error&) {
      // An input that is refused.
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return sosia::fuzz::add_seeds(argc, argv, {sample(0), sample(1), sample(2)});
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(exercise, data, size);
}
