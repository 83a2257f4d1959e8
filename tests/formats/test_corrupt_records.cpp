// Damaged files of every kind that holds records: each must be read or refused with an Error.

#include "formats/test_pickle_samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/formats/dataset.hpp"
#include "sosia/formats/pairs.hpp"
#include "sosia/formats/pickle.hpp"
#include "sosia/formats/recordio.hpp"
#include "sosia/formats/verification_bin.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

using Bytes = std::vector<std::byte>;

Bytes to_bytes(std::string_view text) {
  const auto raw = std::as_bytes(std::span(text.data(), text.size()));
  return {raw.begin(), raw.end()};
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Touches everything that can be reached, at most `budget` nodes of it.
void walk(PickleNode node, std::size_t& budget) {
  if (budget == 0) return;
  --budget;
  switch (node.kind()) {
    case PickleKind::dict:
    case PickleKind::object:
      for (std::size_t i = 0; i < node.size(); ++i) {
        walk(node.entry(i).first, budget);
        walk(node.entry(i).second, budget);
      }
      if (node.is(PickleKind::object)) walk(node.arguments(), budget);
      if (const auto state = node.state()) walk(*state, budget);
      return;
    case PickleKind::list:
    case PickleKind::tuple:
    case PickleKind::set:
      for (std::size_t i = 0; i < node.size(); ++i) walk(node[i], budget);
      return;
    case PickleKind::array:
      if (!node.is_object_array()) {
        (void)node.array();
      } else {
        for (std::size_t i = 0; i < node.size(); ++i) walk(node[i], budget);
      }
      return;
    case PickleKind::persistent:
      walk(node.persistent_id(), budget);
      return;
    case PickleKind::global:
      (void)node.name().size();
      return;
    default:
      return;
  }
}

void read_as_pickle(const Bytes& bytes) {
  PickleOptions options;
  options.allow = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.*Storage"};
  options.persistent_ids = true;
  options.max_memory_bytes = 64 << 20;
  std::size_t budget = 100'000;
  const Pickle pickle = parse_pickle(bytes, "p", options);
  walk(pickle.root(), budget);
}

void read_as_verification_bin(const Bytes& bytes) {
  const VerificationBin set(bytes, "b");
  std::size_t total = 0;
  for (std::size_t i = 0; i < 2 * set.pairs(); ++i) total += set.image(i).size();
  // Shared images may be listed often, but every one lies within the file.
  ASSERT_LE(total, 2 * set.pairs() * bytes.size());
}

void read_as_records(const Bytes& bytes) {
  const RecordSet set(bytes, std::nullopt, "r");
  Bytes scratch;
  for (const std::uint64_t key : set.image_keys()) {
    ASSERT_LE(set.read(key, scratch).image.size(), bytes.size());
  }
  for (std::size_t i = 0; i < set.identity_count(); ++i) set.identity(i);
}

struct Target {
  const char* name;
  Bytes good;
  void (*read)(const Bytes&);
};

std::vector<Target> targets() {
  std::vector<Target> all;
  for (const std::string_view hex :
       {samples::kMixed0, samples::kMixed2, samples::kMixed5, samples::kFortran4,
        samples::kObjects4, samples::kScalars2, samples::kTorch2, samples::kSystem4}) {
    all.push_back({"pickle", samples::from_hex(hex), read_as_pickle});
  }
  for (const std::string_view hex : {samples::kNumpy1Bin3, samples::kNumpy2Bin0,
                                     samples::kNumpy2Bin5, samples::kPython2Strings2}) {
    all.push_back({"bin", samples::from_hex(hex), read_as_verification_bin});
  }
  std::string rec;
  const float totals[] = {3, 5}, first[] = {1, 2}, second[] = {2, 3};
  append_record(rec, to_bytes(labels_payload(totals, 0)));
  append_record(rec, to_bytes(image_payload(0, 1, to_bytes("an image"))));
  append_record(rec, to_bytes(image_payload(1, 2,
                                            to_bytes("1234\x0a\x23\xd7\xce"
                                                     "5678"))));
  append_record(rec, to_bytes(labels_payload(first, 3)));
  append_record(rec, to_bytes(labels_payload(second, 4)));
  all.push_back({"rec", to_bytes(rec), read_as_records});
  all.push_back({"idx", to_bytes("0\t0\n1\t40\n2\t92\n"),
                 [](const Bytes& b) { parse_record_index(as_text(b)); }});
  all.push_back({"property", to_bytes("85742,112,112\n"),
                 [](const Bytes& b) { parse_record_property(as_text(b)); }});
  all.push_back({"lfw", to_bytes("2\t1\nA\t1\t4\nB\t1\tC\t2\nD\t2\t3\nE\t1\tF\t8\n"),
                 [](const Bytes& b) { parse_lfw_pairs(as_text(b)); }});
  all.push_back(
      {"list", to_bytes("a b 1\nc d 0\n"), [](const Bytes& b) { parse_pair_list(as_text(b)); }});
  all.push_back({"pair csv", to_bytes("a,b,same,fold\np,\"q\",1,0\nr,s,0,1\n"),
                 [](const Bytes& b) { parse_pair_csv(b); }});
  all.push_back({"templates", to_bytes("1.jpg 1 5\n2.jpg 1 6\n"),
                 [](const Bytes& b) { parse_template_list(as_text(b)); }});
  all.push_back({"template pairs", to_bytes("1 2 1\n1 3 0\n"),
                 [](const Bytes& b) { parse_template_pairs(as_text(b)); }});
  all.push_back({"msmt17", to_bytes("0000/0000_001_01_a.jpg 0\n0001/0001_001_02_a.jpg 1\n"),
                 [](const Bytes& b) { parse_msmt17_list(as_text(b), "f", "l"); }});
  all.push_back({"reid csv", to_bytes("path,pid,cam,time\na.jpg,1,0,2.5\nb.jpg,x,,\n"),
                 [](const Bytes& b) { parse_reid_csv(b, "f", "c"); }});
  return all;
}

/// Whether `read` succeeded; an Error of bad input is fine, everything else fails the test.
bool accepted(const Target& target, const Bytes& bytes, const std::string& damage) {
  try {
    target.read(bytes);
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::corrupt_data || error.code() == ErrorCode::unsupported ||
                error.code() == ErrorCode::out_of_memory)
        << target.name << ", " << damage << ": " << error.what();
    return false;
  }
}

TEST(CorruptRecords, GoodFilesAreAccepted) {
  for (const Target& target : targets()) {
    const bool forbidden = target.good == samples::from_hex(samples::kSystem4);
    EXPECT_EQ(accepted(target, target.good, "none"), !forbidden) << target.name;
  }
}

TEST(CorruptRecords, TruncatedAnywhere) {
  for (const Target& target : targets()) {
    const bool binary = target.read == read_as_pickle || target.read == read_as_verification_bin;
    for (std::size_t size = 0; size < target.good.size(); ++size) {
      const Bytes cut(target.good.begin(), target.good.begin() + static_cast<std::ptrdiff_t>(size));
      const bool read = accepted(target, cut, "cut to " + std::to_string(size));
      // A pickle without its last opcode is never complete.
      if (binary) {
        EXPECT_FALSE(read) << target.name << " cut to " << size;
      }
    }
  }
}

TEST(CorruptRecords, OneBitOfEveryByteFlipped) {
  for (const Target& target : targets()) {
    for (std::size_t at = 0; at < target.good.size(); ++at) {
      Bytes damaged = target.good;
      damaged[at] ^= static_cast<std::byte>(1 << at % 8);
      accepted(target, damaged, "at " + std::to_string(at));
    }
  }
}

TEST(CorruptRecords, LengthsInflated) {
  for (const Target& target : targets()) {
    for (std::size_t at = 0; at < target.good.size(); ++at) {
      for (const std::size_t width : {1, 4}) {
        Bytes damaged = target.good;
        for (std::size_t i = at; i < std::min(at + width, damaged.size()); ++i) {
          damaged[i] = std::byte{0xff};
        }
        accepted(target, damaged, std::to_string(width) + " times ff at " + std::to_string(at));
        damaged[std::min(at + width, damaged.size()) - 1] = std::byte{0x7f};
        accepted(target, damaged, std::to_string(width) + " times ff, 7f at " + std::to_string(at));
      }
    }
  }
}

TEST(CorruptRecords, RandomPiecesMovedAndRepeated) {
  RandomStream rng(7, "damage");
  for (const Target& target : targets()) {
    for (int round = 0; round < 300; ++round) {
      Bytes damaged = target.good;
      const auto position = [&] { return static_cast<std::ptrdiff_t>(rng.below(damaged.size())); };
      for (int edit = 0; edit < 3; ++edit) {
        std::ptrdiff_t from = position(), to = position();
        if (from > to) std::swap(from, to);
        const Bytes piece(damaged.begin() + from, damaged.begin() + to);
        damaged.insert(damaged.begin() + position(), piece.begin(), piece.end());
      }
      accepted(target, damaged, "round " + std::to_string(round));
    }
  }
}

}  // namespace
}  // namespace sosia::formats
