#include "common.hpp"
#include "errors.hpp"
#include "formats/test_pickle_samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/npy.hpp"
#include "sosia/formats/pickle.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

using namespace std::string_view_literals;
using samples::from_hex;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error error_of_pickle(std::string_view text, const PickleOptions& options = {}) {
  return error_of([&] { parse_pickle(bytes_of(text), "some.pkl", options); });
}

class PickleMixed : public testing::TestWithParam<std::string_view> {};

TEST_P(PickleMixed, ReadsEveryProtocolAlike) {
  const auto raw = from_hex(GetParam());
  const Pickle pickle = parse_pickle(raw);
  EXPECT_EQ(pickle.end_offset(), raw.size());
  const PickleNode root = pickle.root();
  ASSERT_EQ(root.kind(), PickleKind::dict);
  ASSERT_EQ(root.size(), 4u);
  EXPECT_EQ(root.entry(0).first.as_text(), "a");

  const PickleNode numbers = root.find("a").value();
  ASSERT_EQ(numbers.kind(), PickleKind::list);
  const std::int64_t wanted[] = {1, -2, 300, 70000, std::int64_t{1} << 40};
  ASSERT_EQ(numbers.size(), std::size(wanted));
  for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i].as_integer(), wanted[i]);

  const PickleNode tuple = root.find("b").value();
  ASSERT_EQ(tuple.kind(), PickleKind::tuple);
  ASSERT_EQ(tuple.size(), 4u);
  EXPECT_EQ(tuple[0].as_real(), 1.5);
  EXPECT_TRUE(tuple[1].is(PickleKind::none));
  EXPECT_TRUE(tuple[2].as_boolean());
  EXPECT_FALSE(tuple[3].as_boolean());

  EXPECT_EQ(root.find("t")->as_text(), "\xc3\xa9\xe4\xb8\xad\\n");
  EXPECT_EQ(text_of(root.find("y")->as_bytes()), "\x00\xff"sv);
  EXPECT_FALSE(root.find("z").has_value());
}

INSTANTIATE_TEST_SUITE_P(Protocols, PickleMixed,
                         testing::Values(samples::kMixed0, samples::kMixed2, samples::kMixed5));

class PickleForbidden : public testing::TestWithParam<std::pair<std::string_view, const char*>> {};

TEST_P(PickleForbidden, IsRefusedByName) {
  const auto raw = from_hex(GetParam().first);
  const Error error = error_of([&] { parse_pickle(raw, "evil.pkl"); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_NE(error.message().find(GetParam().second), std::string::npos) << error.message();
  EXPECT_EQ(error.context(), "evil.pkl");
  EXPECT_FALSE(error.hint().empty());
}

INSTANTIATE_TEST_SUITE_P(Names, PickleForbidden,
                         testing::Values(std::pair(samples::kSystem0, "posix.system"),
                                         std::pair(samples::kSystem2, "posix.system"),
                                         std::pair(samples::kSystem4, "posix.system"),
                                         std::pair(samples::kEval4, "builtins.eval")));

TEST(PickleProgram, RefusesNamesHoweverTheyAreSpelled) {
  // A name with a dot that joins to an allowed one ("numpy" + "core.multiarray._reconstruct") is
  // inert: our own code stands in for it. One that does not is refused, whichever opcode asks.
  const std::string_view programs[] = {
      "cos\nsystem\n."sv,   // GLOBAL
      "(ios\nsystem\n."sv,  // INST
      "(cos\nsystem\nX\4\0\0\0true"
      "o."sv,                                         // OBJ
      "\x80\4\x8c\2os\x8c\6system\x93."sv,            // STACK_GLOBAL
      "\x80\2cos\nsystem\nX\4\0\0\0true\x85\x81."sv,  // NEWOBJ
      "cnumpy\nload\n."sv,
      "cnumpy.core.multiarray\n_reconstruct.__globals__\n."sv,
      "cnumpy\nndarray.tofile\n."sv,
  };
  for (const std::string_view program : programs) {
    const Error error = error_of_pickle(program);
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.message();
    EXPECT_NE(error.message().find("not allowed"), std::string::npos) << error.message();
  }
}

TEST(PickleProgram, RefusesWhatOnlyTheWriterCouldResolve) {
  EXPECT_EQ(error_of_pickle("\x82\1."sv).code(), ErrorCode::unsupported);   // extension code
  EXPECT_EQ(error_of_pickle("\x97."sv).code(), ErrorCode::unsupported);     // buffer outside
  EXPECT_EQ(error_of_pickle("P17\n."sv).code(), ErrorCode::unsupported);    // persistent id
  EXPECT_EQ(error_of_pickle("\x80\6N."sv).code(), ErrorCode::unsupported);  // protocol 6
  EXPECT_EQ(error_of_pickle("cnumpy\nndarray\n)R."sv).code(), ErrorCode::unsupported);
}

TEST(PickleProgram, AllowedNamesBecomeInertObjects) {
  PickleOptions options;
  options.allow = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.*Storage"};
  options.persistent_ids = true;
  const auto raw = from_hex(samples::kTorch2);
  const Pickle pickle = parse_pickle(raw, "weights.pth", options);
  const PickleNode root = pickle.root();
  ASSERT_EQ(root.kind(), PickleKind::dict);
  const PickleNode tensor = root.find("fc.weight").value();
  ASSERT_EQ(tensor.kind(), PickleKind::object);
  EXPECT_EQ(tensor.name(), "torch._utils._rebuild_tensor_v2");
  const PickleNode arguments = tensor.arguments();
  ASSERT_EQ(arguments.size(), 6u);
  const PickleNode id = arguments[0].persistent_id();
  EXPECT_EQ(id[0].as_text(), "storage");
  EXPECT_EQ(id[1].name(), "torch.FloatStorage");
  EXPECT_EQ(id[4].as_integer(), 6);
  EXPECT_EQ(arguments[2][1].as_integer(), 3);
  EXPECT_FALSE(arguments[4].as_boolean());
  EXPECT_EQ(arguments[5].size(), 0u);

  // Each permission is needed.
  options.persistent_ids = false;
  EXPECT_EQ(error_of([&] { parse_pickle(raw, "weights.pth", options); }).code(),
            ErrorCode::unsupported);
  options.persistent_ids = true;
  options.allow.pop_back();
  EXPECT_NE(error_of([&] { parse_pickle(raw, "weights.pth", options); })
                .message()
                .find("torch.FloatStorage"),
            std::string::npos);
}

TEST(PickleProgram, StarDoesNotCrossDots) {
  PickleOptions options;
  options.allow = {"torch.*Storage"};
  EXPECT_NO_THROW(parse_pickle(bytes_of("ctorch\nHalfStorage\n."sv), "p", options));
  EXPECT_EQ(error_of_pickle("ctorch.evil\nStorage\n."sv, options).code(), ErrorCode::unsupported);
  EXPECT_EQ(error_of_pickle("ctorch\nStorages\n."sv, options).code(), ErrorCode::unsupported);
}

TEST(PickleProgram, ObjectsKeepArgumentsStateAndItems) {
  PickleOptions options;
  options.allow = {"my.Thing"};
  const std::string_view program = "\x80\2cmy\nThing\nK\7\x85\x81}U\1aK\1sbU\1kK\2s."sv;
  const Pickle pickle = parse_pickle(bytes_of(program), "p", options);
  const PickleNode root = pickle.root();
  EXPECT_EQ(root.name(), "my.Thing");
  EXPECT_EQ(root.arguments()[0].as_integer(), 7);
  EXPECT_EQ(root.state()->find("a")->as_integer(), 1);
  EXPECT_EQ(root.find("k")->as_integer(), 2);
}

TEST(PickleProgram, OrderedDictNeedsPermissionAndIsADict) {
  const auto raw = from_hex(samples::kOrdered2);
  EXPECT_EQ(error_of([&] { parse_pickle(raw); }).code(), ErrorCode::unsupported);
  PickleOptions options;
  options.allow = {"collections.OrderedDict"};
  const Pickle pickle = parse_pickle(raw, "p", options);
  ASSERT_EQ(pickle.root().kind(), PickleKind::dict);
  EXPECT_EQ(pickle.root().find("b")->as_integer(), 2);
}

TEST(PickleProgram, ArraysInFortranOrderAndBigEndianAreNormalised) {
  const auto raw = from_hex(samples::kFortran4);
  const Pickle pickle = parse_pickle(raw);
  const Array array = pickle.root().array();
  EXPECT_EQ(array.shape, (std::vector<std::size_t>{2, 3}));
  const auto values = array.as<std::int16_t>();
  EXPECT_EQ(std::vector<int>(values.begin(), values.end()), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(error_of([&] { pickle.root().array_view(); }).code(), ErrorCode::unsupported);
}

TEST(PickleProgram, ArraysOfObjects) {
  const auto raw = from_hex(samples::kObjects4);
  const Pickle pickle = parse_pickle(raw);
  const PickleNode root = pickle.root();
  ASSERT_TRUE(root.is_object_array());
  ASSERT_EQ(root.size(), 3u);
  EXPECT_EQ(text_of(root[0].as_bytes()), "ab");
  EXPECT_TRUE(root[1].is(PickleKind::none));
  EXPECT_EQ(root[2][0].as_integer(), 1);
  EXPECT_EQ(error_of([&] { root.array(); }).code(), ErrorCode::corrupt_data);
}

TEST(PickleProgram, NumpyScalars) {
  const auto raw = from_hex(samples::kScalars2);
  const Pickle pickle = parse_pickle(raw);
  EXPECT_EQ(pickle.root()[0].as_real(), 0.5);
  EXPECT_EQ(pickle.root()[1].as_integer(), -3);
  EXPECT_TRUE(pickle.root()[2].as_boolean());
}

TEST(PickleProgram, ObjectArraysOfNpyFiles) {
  const auto raw = from_hex(samples::kNpyObjects);
  const TemporaryFolder folder;
  write_file(folder.path() / "x.npy", raw);
  const Pickle pickle = read_npy_pickle(folder.path() / "x.npy");
  ASSERT_EQ(pickle.root().size(), 2u);
  EXPECT_EQ(pickle.root()[0].find("a")->as_integer(), 1);
  EXPECT_EQ(pickle.root()[1].as_text(), "x");
  const float numbers[] = {1, 2};
  const std::string plain = npy_bytes(array_view(std::span<const float>(numbers), {2}));
  EXPECT_EQ(error_of([&] { parse_npy_pickle(bytes_of(plain)); }).code(), ErrorCode::unsupported);
}

TEST(PickleProgram, LongIntegers) {
  const auto integer = [](std::string_view program) {
    return parse_pickle(bytes_of(program)).root().as_integer();
  };
  EXPECT_EQ(integer("\x8a\0."sv), 0);
  EXPECT_EQ(integer("\x8a\1\xff."sv), -1);
  EXPECT_EQ(integer("\x8a\2\xff\0."sv), 255);
  EXPECT_EQ(integer("\x8a\x08\0\0\0\0\0\0\0\x80."sv), INT64_MIN);
  EXPECT_EQ(integer("L-12L\n."sv), -12);
  EXPECT_EQ(integer("J\xfe\xff\xff\xff."sv), -2);
  const auto big = parse_pickle(bytes_of("\x8a\x09\0\0\0\0\0\0\0\0\1."sv));
  EXPECT_EQ(big.root().kind(), PickleKind::big_integer);
  EXPECT_EQ(big.root().as_bytes().size(), 9u);
}

TEST(PickleProgram, Reals) {
  const auto real = [](std::string_view program) {
    return parse_pickle(bytes_of(program)).root().as_real();
  };
  EXPECT_EQ(real("G\x3f\xf8\0\0\0\0\0\0."sv), 1.5);
  EXPECT_EQ(real("F-0.25\n."sv), -0.25);
  EXPECT_TRUE(std::isinf(real("Finf\n."sv)));
}

TEST(PickleProgram, EscapesOfProtocolZero) {
  const Pickle bytes = parse_pickle(bytes_of("S'a\\x00\\n\\'\\\\\\101\\q'\n."sv));
  EXPECT_EQ(text_of(bytes.root().as_bytes()), "a\0\n'\\A\\q"sv);
  const Pickle text = parse_pickle(bytes_of("V\\u4e2d\xe9\\U0001f600\\ud83d\\ude00\n."sv));
  EXPECT_EQ(text.root().as_text(), "\xe4\xb8\xad\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
  EXPECT_EQ(error_of_pickle("V\\ud83d\n."sv).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle("S'a\\x0'\n."sv).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle("Sa\n."sv).code(), ErrorCode::corrupt_data);
}

TEST(PickleProgram, SetsStackAndMemo) {
  const Pickle set = parse_pickle(bytes_of("\x80\4\x8f(K\1K\2\x90."sv));
  EXPECT_EQ(set.root().kind(), PickleKind::set);
  EXPECT_EQ(set.root().size(), 2u);
  // What Python's pickler writes for {1, 2} and frozenset() below protocol 4.
  const Pickle older =
      parse_pickle(bytes_of("\x80\2c__builtin__\nset\nq\0]q\1(K\1K\2e\x85q\2Rq\3."sv));
  EXPECT_EQ(older.root().kind(), PickleKind::set);
  ASSERT_EQ(older.root().size(), 2u);
  EXPECT_EQ(older.root()[1].as_integer(), 2);
  const Pickle frozen = parse_pickle(bytes_of("\x80\3cbuiltins\nfrozenset\n]\x85R."sv));
  EXPECT_EQ(frozen.root().kind(), PickleKind::set);
  EXPECT_EQ(frozen.root().size(), 0u);
  EXPECT_EQ(error_of_pickle("cbuiltins\nset\nK\1\x85R."sv).code(), ErrorCode::corrupt_data);
  // POP, DUP, POP_MARK, MEMOIZE, BINGET, a tuple of the same list twice.
  const Pickle shared =
      parse_pickle(bytes_of("\x80\4NK\3"
                            "0"
                            "0]\x94(K\1K\2"
                            "1h\0\x86."sv));
  ASSERT_EQ(shared.root().size(), 2u);
  EXPECT_EQ(shared.root()[1].kind(), PickleKind::list);
  const Pickle later = parse_pickle(bytes_of("}(U\1aK\1U\1aK\2u."sv));
  EXPECT_EQ(later.root().find("a")->as_integer(), 2);  // the last setting counts
}

TEST(PickleProgram, MalformedProgramsAreCorrupt) {
  const std::string_view programs[] = {
      ""sv,
      "."sv,
      "0."sv,
      "N"sv,
      "h\1."sv,
      "t."sv,
      "\x85."sv,
      "a."sv,
      "Na."sv,
      "NNa."sv,
      "(e."sv,
      "]K\1s."sv,
      "}(K\1u."sv,
      "NNR."sv,
      "NNb."sv,
      "\x93."sv,
      "U\5ab."sv,
      "\xff."sv,
      "Iabc"sv,
      "Fx\n."sv,
      "px\n."sv,
      "(K\1d."sv,
      "X\1\0\0\0\xff."sv,
      "B\xff\xff\xff\xff"
      "ab."sv,
      "\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
      "ab."sv,
      "\x95\xff\xff\xff\xff\xff\xff\xff\x7fN."sv,
      "cnumpy.core.multiarray\n_reconstruct\n)R."sv,
      "cnumpy\ndtype\nU\2u1\x85RU\1xb."sv,
  };
  for (const std::string_view program : programs) {
    EXPECT_EQ(error_of_pickle(program).code(), ErrorCode::corrupt_data)
        << testing::PrintToString(std::string(program));
  }
}

/// An array of dtype `dtype`, of shape `shape` (opcodes) with `data` (opcodes) as its elements.
std::string array_program(std::string_view dtype, std::string_view shape, std::string_view data) {
  std::string out(
      "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"
      "U\1b\x87R(K\1"sv);
  out += shape;
  out += "cnumpy\ndtype\nU\2";
  out += dtype;
  out += "K\0K\1\x87R(K\3U\1<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"sv;
  out += data;
  out += "tb."sv;
  return out;
}

TEST(PickleProgram, ArraysMustHoldExactlyTheirElements) {
  const std::string program = array_program("u2", "K\2\x85", "U\4abcd");
  const Pickle good = parse_pickle(bytes_of(program));
  EXPECT_EQ(good.root().array().size(), 2u);
  EXPECT_EQ(error_of_pickle(array_program("u2", "K\2\x85", "U\3abc")).code(),
            ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle(array_program("u2", "K\3\x85", "U\4abcd")).code(),
            ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle(array_program("u1", "J\xff\xff\xff\xff\x85", "U\1a")).code(),
            ErrorCode::corrupt_data);
  // 2^62 * 4 elements of two bytes overflow to zero.
  EXPECT_EQ(
      error_of_pickle(array_program("u2", "\x8a\x08\0\0\0\0\0\0\0\x40K\4\x86"sv, "U\0"sv)).code(),
      ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle(array_program("O8", "K\3\x85", "]")).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle(array_program("V8", "K\1\x85",
                                          "U\x08"
                                          "abcdefgh"))
                .code(),
            ErrorCode::unsupported);
}

TEST(PickleProgram, CyclesAndDepth) {
  const auto self = from_hex(samples::kSelf2);
  EXPECT_NE(error_of([&] { parse_pickle(self); }).message().find("contains itself"),
            std::string::npos);
  const auto nested = [](std::size_t levels) {
    return std::string(levels, ']') + std::string(levels - 1, 'a') + ".";
  };
  EXPECT_NO_THROW(parse_pickle(bytes_of(nested(100))));
  EXPECT_EQ(error_of_pickle(nested(101)).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of_pickle(nested(1'000'000)).code(), ErrorCode::corrupt_data);
  PickleOptions shallow;
  shallow.max_depth = 2;
  EXPECT_EQ(error_of_pickle(nested(3), shallow).code(), ErrorCode::corrupt_data);
}

TEST(PickleProgram, SharedTreesStaySmall) {
  // Each level holds the one below twice: 2^90 paths in a few hundred bytes.
  std::string program = "N";
  for (int level = 0; level < 90; ++level) program += "2\x86";
  const Pickle pickle = parse_pickle(bytes_of(program + "."));
  EXPECT_EQ(pickle.root().size(), 2u);
}

TEST(PickleProgram, MemoryIsCapped) {
  PickleOptions small;
  small.max_memory_bytes = 100'000;
  const auto capped = [&](const std::string& program) {
    return error_of_pickle(program, small).code() == ErrorCode::out_of_memory;
  };
  EXPECT_TRUE(capped(std::string(100'000, '(') + "."));              // marks
  EXPECT_TRUE(capped(std::string(100'000, ']') + "."));              // nodes
  EXPECT_TRUE(capped("N" + std::string(100'000, '2') + "."));        // stack
  EXPECT_TRUE(capped("N\x94" + std::string(10'000, '\x94') + "."));  // memo
  EXPECT_TRUE(capped("S'" + std::string(200'000, 'x') + "'\n."));    // owned strings
  // A list of 1,000 elements that is copied into an OrderedDict over and over.
  small.allow = {"collections.OrderedDict"};
  std::string copies = "\x80\2](";
  for (int i = 0; i < 500; ++i) copies += "NN\x86";
  copies += "e\x85q\1";
  copies += "ccollections\nOrderedDict\nq\2";
  for (int i = 0; i < 5'000; ++i) copies += "h\2h\1R";
  EXPECT_TRUE(capped(copies + "."));
  // Bytes in place cost nothing.
  const std::string in_place = std::string("T\x40\x0d\x03\0"sv) + std::string(200'000, 'x') + ".";
  EXPECT_NO_THROW(parse_pickle(bytes_of(in_place), "p", small));
}

TEST(PickleProgram, WrongKindsAreErrorsNotGuesses) {
  const Pickle pickle = parse_pickle(bytes_of("(K\2U\2\xff\xfe]Nt."sv));
  const PickleNode root = pickle.root();
  EXPECT_EQ(error_of([&] { root[0].as_boolean(); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root[0].as_text(); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root[1].as_text(); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root[3].as_integer(); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root[3].size(); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root[4]; }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root[2][0]; }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root.find("x"); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root.name(); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { root.array(); }).code(), ErrorCode::corrupt_data);
}

TEST(PickleProgram, SeveralInOneFile) {
  const std::string_view two = "K\1.K\2."sv;
  const Pickle first = parse_pickle(bytes_of(two));
  const Pickle second = parse_pickle(bytes_of(two).subspan(first.end_offset()));
  EXPECT_EQ(first.root().as_integer(), 1);
  EXPECT_EQ(second.root().as_integer(), 2);
}

TEST(PickleProgram, MissingFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { read_pickle(folder.path() / "none.pkl"); }).code(),
            ErrorCode::not_found);
}

}  // namespace
}  // namespace sosia::formats
