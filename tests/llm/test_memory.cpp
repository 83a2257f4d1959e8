// The memory file: what is kept, what is refused, who sees what.

#include "errors.hpp"
#include "llm/memory_file.hpp"
#include "llm/request_index.hpp"
#include "sosia/llm/lookahead.hpp"
#include "sosia/llm/memory.hpp"
#include "support.hpp"

#include <atomic>
#include <fstream>
#include <set>
#include <thread>
#include <tuple>

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

using test::random_tokens;
using Texts = std::multiset<std::tuple<std::string, Source, std::vector<Token>>>;

const MemoryKey kKey{"0123abcd", "a model"};
constexpr MemoryOptions kWrite{.access = MemoryAccess::write};

Texts all(const Memory& memory) {
  Texts texts;
  memory.for_each([&](const MemoryText& t) {
    texts.emplace(t.tenant, t.source, std::vector<Token>(t.tokens.begin(), t.tokens.end()));
  });
  return texts;
}

/// Without the flush of `write_file`, which takes most of the time of the tests below.
void put(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

class MemoryFile : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "memory"; }
  /// Two tenants, base and journal.
  Texts fill() {
    Texts texts;
    const auto memory = Memory::create(path(), kKey);
    for (std::uint64_t i = 0; i < 12; ++i) {
      const auto text = random_tokens(1 + 7 * i, 300, 1, i);
      const std::string tenant = i % 3 == 0 ? "ada" : "bob";
      const Source source = i % 4 == 0 ? Source::corpus : Source::past;
      memory->learn(tenant, text, source);
      texts.emplace(tenant, source, text);
      if (i == 6) memory->compact();
    }
    return texts;
  }
  TemporaryFolder folder_;
};

TEST_F(MemoryFile, KeepsTexts) {
  const Texts texts = fill();
  EXPECT_EQ(all(*Memory::open(path())), texts);
  {
    const auto memory = Memory::open(path(), kWrite);
    EXPECT_EQ(all(*memory), texts);
    memory->compact();
    EXPECT_EQ(all(*memory), texts);
    EXPECT_EQ(memory->stats().journal_bytes, 0u);
  }
  const auto memory = Memory::open(path());
  EXPECT_EQ(all(*memory), texts);
  EXPECT_EQ(memory->key(), kKey);
  const MemoryStats stats = memory->stats();
  ASSERT_EQ(stats.tenants.size(), 2u);
  EXPECT_EQ(stats.tenants[0].tenant, "ada");
  EXPECT_EQ(stats.tokens(), 12 + 7 * 66u);
}

TEST_F(MemoryFile, DraftsComeFromTheFile) {
  const auto text = random_tokens(500, 5000, 1);
  for (const bool indexed : {false, true}) {
    {
      const auto memory = Memory::create(path(), kKey, kWrite, Overwrite::replace);
      memory->learn("", text);
      if (indexed) memory->compact();
    }
    RequestIndex index(Memory::open(path())->texts(""));
    index.begin(std::span(text).subspan(100, 20));
    CandidateTree tree;
    index.retrieve({}, tree);
    ASSERT_GT(tree.nodes.size(), 20u);
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
      EXPECT_EQ(tree.nodes[i].token, text[120 + i]);
      EXPECT_EQ(tree.nodes[i].source, Source::past);
    }
  }
}

TEST_F(MemoryFile, NoTenantIsDraftedFromAnother) {
  const auto secret = random_tokens(400, 40'000, 1), mine = random_tokens(400, 40'000, 2);
  {
    const auto memory = Memory::create(path(), kKey);
    memory->learn("ada", secret);
    memory->learn("bob", mine, Source::corpus);
    memory->compact();
    memory->learn("ada", std::span(secret).first(200), Source::corpus);
  }
  const auto memory = Memory::open(path());
  const std::set<Token> known(secret.begin(), secret.end());
  for (const char* tenant : {"bob", "", "ad", "adaa", "nobody"}) {
    RequestIndex index(memory->texts(tenant));
    // Every place of the other's text is asked for.
    for (std::size_t at = 1; at < secret.size(); ++at) {
      index.begin(std::span(secret).subspan(at < 30 ? 0 : at - 30, std::min<std::size_t>(at, 30)));
      CandidateTree tree;
      index.retrieve({}, tree);
      for (const Candidate& c : tree.nodes) {
        const bool own_prompt = c.origin == 0;
        EXPECT_TRUE(own_prompt || std::string(tenant) == "bob");
        // Even where the vocabularies of the texts meet, what follows is one's own.
        if (!own_prompt && c.parent >= 0) {
          const Token before = tree.nodes[static_cast<std::size_t>(c.parent)].token;
          bool found = false;
          for (std::size_t i = 0; i + 1 < mine.size(); ++i) {
            found = found || (mine[i] == before && mine[i + 1] == c.token);
          }
          EXPECT_TRUE(found);
        }
      }
    }
  }
  // The control: the owner is.
  RequestIndex owner(memory->texts("ada"));
  owner.begin(std::span(secret).first(30));
  CandidateTree tree;
  owner.retrieve({}, tree);
  ASSERT_FALSE(tree.nodes.empty());
  EXPECT_EQ(tree.nodes[0].token, secret[30]);
}

TEST_F(MemoryFile, RefusesWhatIsTorn) {
  fill();
  const auto bytes = read_file(path());
  for (std::size_t size = 0; size < bytes.size(); size += size < 5000 ? 97 : 1009) {
    put(path(), std::span(bytes).first(size));
    expect_refused([&] { Memory::open(path()); }, "memory", ErrorCode::corrupt_data);
  }
}

TEST_F(MemoryFile, AChangedByteIsRefusedOrMeansNothing) {
  const Texts texts = fill();
  const auto bytes = read_file(path());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += at < 200 ? 3 : 101) {
    auto changed = bytes;
    changed[at] ^= std::byte{0x10};
    put(path(), changed);
    try {
      const Texts seen = all(*Memory::open(path()));
      // Beside the checked parts there is the padding of the head; and where a commit is damaged,
      // the one before it holds: the last text is missing then.
      EXPECT_TRUE(at >= 2048 && at < 4096) << at;
      EXPECT_TRUE(seen == texts || seen.size() + 1 == texts.size()) << at;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::corrupt_data || error.code() == ErrorCode::unsupported)
          << error.render();
      ++refused;
    }
  }
  EXPECT_GT(refused, 150u);
}

TEST_F(MemoryFile, RefusesWhatIsForeign) {
  write_file(path(), std::string(10'000, 'x'));
  expect_refused([&] { Memory::open(path()); }, "not a memory", ErrorCode::corrupt_data);
  std::filesystem::remove(path());
  expect_refused([&] { Memory::open(path()); }, "memory", ErrorCode::not_found);
  fill();
  EXPECT_NO_THROW(Memory::open_for(path(), kKey));
  expect_refused([&] { Memory::open_for(path(), {"ffff", "a model"}); }, "tokenizer",
                 ErrorCode::conflict);
  expect_refused([&] { Memory::open_for(path(), {kKey.tokenizer, "another"}); }, "another",
                 ErrorCode::conflict);
  auto bytes = read_file(path());
  bytes[8] = std::byte{9};
  write_file(path(), bytes, Overwrite::replace);
  expect_refused([&] { Memory::open(path()); }, "version 9", ErrorCode::unsupported);
}

TEST_F(MemoryFile, OneWriterManyReaders) {
  fill();
  const auto writer = Memory::open(path(), kWrite);
  expect_refused([&] { Memory::open(path(), kWrite); }, "another process writes",
                 ErrorCode::conflict);
  const auto reader = Memory::open(path());
  const auto before = all(*reader);
  const auto text = random_tokens(50, 100, 5);
  writer->learn("ada", text);
  EXPECT_EQ(all(*reader), before);
  reader->refresh();
  EXPECT_EQ(all(*reader), all(*writer));
  writer->compact();
  writer->learn("carl", text);
  reader->refresh();
  EXPECT_EQ(all(*reader), all(*writer));
  expect_refused([&] { reader->compact(); }, "reading only");
  // A reader's own texts are drafted from, but do not reach the file.
  reader->learn("dora", text);
  EXPECT_EQ(all(*reader).size(), before.size() + 3);
  EXPECT_EQ(all(*Memory::open(path())).size(), before.size() + 2);
}

TEST_F(MemoryFile, ReadersBesideAWriter) {
  Memory::create(path(), kKey);
  std::atomic<bool> done = false;
  std::thread writing([&] {
    const auto writer = Memory::open(path(), kWrite);
    for (std::uint64_t i = 0; i < 150; ++i) {
      writer->learn("t", random_tokens(100, 1000, 7, i));
      if (i % 20 == 19) writer->compact();
    }
    done = true;
  });
  const auto reader = Memory::open(path());
  std::size_t last = 0, rounds = 0;
  while (!done || rounds == 0) {
    reader->refresh();
    const std::size_t now = all(*reader).size();
    EXPECT_GE(now, last);
    last = now;
    EXPECT_LE(all(*Memory::open(path())).size(), 150u);
    ++rounds;
  }
  writing.join();
  reader->refresh();
  EXPECT_EQ(all(*reader).size(), 150u);
}

TEST_F(MemoryFile, TheCapHoldsAcrossTenants) {
  MemoryOptions options = kWrite;
  options.cap_bytes = 64 * 2000;
  const auto memory = Memory::create(path(), kKey, options);
  const auto first = random_tokens(100, 50'000, 1);
  memory->learn("ada", first);
  for (std::uint64_t i = 0; i < 60; ++i) {
    memory->learn(i % 2 ? "bob" : "carl", random_tokens(100, 50'000, 2, i));
    // Ada's text is of use all the time.
    const auto texts = memory->texts("ada");
    RequestIndex index(texts);
    index.begin(std::span(first).first(20));
    CandidateTree tree;
    index.retrieve({}, tree);
    ASSERT_FALSE(tree.nodes.empty()) << "after " << i;
    texts->touch(tree.nodes[0].origin);
    EXPECT_LE(memory->stats().tokens(), 2000u);
  }
  EXPECT_GT(memory->stats().tokens(), 1000u);
  EXPECT_EQ(all(*memory).count({"ada", Source::past, first}), 1u);
}

TEST_F(MemoryFile, PruneAndMerge) {
  const Texts texts = fill();
  const auto memory = Memory::open(path(), kWrite);
  const std::vector<std::string> gone{"ada"};
  memory->prune(kMemoryCapBytes, gone);
  for (const auto& [tenant, source, text] : all(*memory)) EXPECT_EQ(tenant, "bob");
  {
    const auto other = Memory::create(folder_.path() / "other", kKey);
    for (const auto& [tenant, source, text] : texts) {
      if (tenant == "ada") other->learn(tenant, text, source);
    }
    memory->merge(*other);
  }
  EXPECT_EQ(all(*memory), texts);
  memory->prune(64 * 100);
  EXPECT_LE(memory->stats().tokens(), 100u);
  EXPECT_GT(memory->stats().tokens(), 0u);
  const auto foreign = Memory::create(folder_.path() / "foreign", {"x", "y"});
  expect_refused([&] { memory->merge(*foreign); }, "different models", ErrorCode::conflict);
}

TEST_F(MemoryFile, NamesAndTokensAreChecked) {
  const auto memory = Memory::create(path(), kKey);
  expect_refused([&] { memory->learn(std::string(201, 'x'), random_tokens(3, 3, 1)); }, "201");
  expect_refused([&] { memory->learn("", std::vector<Token>{1, -1}); }, "negative");
  expect_refused([&] { Memory::create(path(), kKey); }, "exists", ErrorCode::conflict);
  memory->learn("", {});
  EXPECT_EQ(all(*memory).size(), 0u);
}

TEST_F(MemoryFile, LookaheadFillsIt) {
  const auto text = test::phrased_tokens(300, 1);
  {
    const auto memory = Memory::create(path(), kKey);
    Lookahead lookahead({}, StepCost::flat(), memory->texts("t"));
    lookahead.begin(std::span(text).first(50));
    for (std::size_t i = 50; i < text.size(); ++i) {
      lookahead.propose(0);
      lookahead.accept(std::span(text).subspan(i, 1), 1);
    }
    lookahead.end();
  }
  // Another process.
  const auto memory = Memory::open(path());
  EXPECT_EQ(memory->stats().tokens(), 250u + 24u);
}

}  // namespace
}  // namespace sosia::llm
