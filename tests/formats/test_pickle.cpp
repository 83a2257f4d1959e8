#include "common.hpp"
#include "errors.hpp"
#include "formats/reference_files.hpp"
#include "sosia/formats/pickle.hpp"

#include <array>

namespace sosia::formats {
namespace {

/// Text in which ~ stands for the zero byte, which literals hold badly.
std::string zeros(std::string text) {
  for (char& c : text) c = c == '~' ? '\0' : c;
  return text;
}

Error refusal(std::string_view pickle, const PickleOptions& options = {}) {
  return error_of([&] { parse_pickle(bytes_of(pickle), "x.pkl", options); });
}

class PickleProtocol : public ::testing::TestWithParam<int> {};

TEST_P(PickleProtocol, ReadsWhatPythonWrote) {
  const std::array files{reference::kPickle0, reference::kPickle1, reference::kPickle2,
                         reference::kPickle3, reference::kPickle4, reference::kPickle5};
  const std::string bytes = reference::unhex(files[GetParam()]);
  const Pickle pickle = parse_pickle(bytes_of(bytes), "x.pkl");
  const PickleNode root = pickle.root();
  EXPECT_EQ(pickle.end_offset(), bytes.size());
  ASSERT_TRUE(root.is(PickleKind::dict));
  EXPECT_EQ(root.size(), 5u);

  const PickleNode list = *root.find("a");
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[0].as_integer(), 1);
  EXPECT_EQ(list[1].as_integer(), -2);
  EXPECT_EQ(list[2].as_real(), 3.5);
  EXPECT_TRUE(list[3].is(PickleKind::none));
  EXPECT_TRUE(list[4].as_boolean());

  const PickleNode tuple = *root.find("t");
  EXPECT_EQ(tuple[0].as_text(), "x");
  ASSERT_EQ(tuple[1].as_bytes().size(), 2u);
  EXPECT_EQ(tuple[1].as_bytes()[1], std::byte{0xff});

  if (GetParam() < 2) {
    EXPECT_EQ(root.find("n")->as_integer(), 7);
  } else {
    const auto big = root.find("n")->as_bytes();  // 2^70, little-endian
    ASSERT_EQ(big.size(), 9u);
    EXPECT_EQ(big[8], std::byte{0x40});
  }
  const PickleNode array = *root.find("arr");
  ASSERT_TRUE(array.is(PickleKind::array));
  EXPECT_EQ(array.array().dtype, DType::i16);
  EXPECT_EQ(array.array().shape, (std::vector<std::size_t>{2, 2}));
  EXPECT_EQ(to_i64(array.array().view()), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(root.find("s")->as_real(), 1.5);
  EXPECT_FALSE(root.find("absent").has_value());
}

INSTANTIATE_TEST_SUITE_P(All, PickleProtocol, ::testing::Range(0, 6));

TEST(Pickle, RefusesToCallAnythingByName) {
  const Error error = refusal(reference::unhex(reference::kPickleSystem));
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_TRUE(contains(error.message(), "\"posix.system\""));
  EXPECT_EQ(error.context(), "x.pkl");
  // By every road to a name: GLOBAL, STACK_GLOBAL, INST, and the extension registry.
  EXPECT_EQ(refusal("cos\nsystem\n.").code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("\x8c\x02os\x8c\x06system\x93.").code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("(S'x'\nios\nsystem\n.").code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("\x82\x01.").code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("cbuiltins\neval\n.").code(), ErrorCode::unsupported);
}

TEST(Pickle, AllowedNamesBecomeInertObjects) {
  PickleOptions options;
  options.allow = {"datetime.date", "torch.*Storage"};
  const Pickle pickle =
      parse_pickle(bytes_of("cdatetime\ndate\n(I2024\nI5\nI6\ntR}S'k'\nI1\nsb."), "x", options);
  const PickleNode root = pickle.root();
  ASSERT_TRUE(root.is(PickleKind::object));
  EXPECT_EQ(root.name(), "datetime.date");
  EXPECT_EQ(root.arguments()[0].as_integer(), 2024);
  EXPECT_EQ(root.state()->find("k")->as_integer(), 1);
  EXPECT_TRUE(parse_pickle(bytes_of("ctorch\nFloatStorage\n."), "x", options)
                  .root()
                  .is(PickleKind::global));
  EXPECT_EQ(refusal("ctorch.a\nFloatStorage\n.", options).code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("ctorch\nFloatStorages\n.", options).code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("cdatetime\ndatetime\n.", options).code(), ErrorCode::unsupported);
}

TEST(Pickle, PersistentIdsOnlyWhenAsked) {
  EXPECT_EQ(refusal("S'ref'\nQ.").code(), ErrorCode::unsupported);
  PickleOptions options;
  options.persistent_ids = true;
  EXPECT_EQ(parse_pickle(bytes_of("S'ref'\nQ."), "x", options).root().persistent_id().as_text(),
            "ref");
  EXPECT_EQ(parse_pickle(bytes_of("Pref\n."), "x", options).root().persistent_id().as_text(),
            "ref");
}

TEST(Pickle, EscapesOfProtocolZero) {
  const Pickle pickle = parse_pickle(
      bytes_of("(S'a\\x00\\'\\101\\n\\q'\nS\"it's\"\nV\\u00e9\xe9\\U0001f600\\ud83d\\ude00\nt."),
      "x");
  const PickleNode root = pickle.root();
  const auto raw = root[0].as_bytes();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(raw.data()), raw.size()), zeros("a~'A\n\\q"));
  EXPECT_EQ(root[1].as_text(), "it's");
  EXPECT_EQ(root[2].as_text(), "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
  EXPECT_EQ(refusal("S'open\n.").code(), ErrorCode::corrupt_data);
  EXPECT_EQ(refusal("S'\\x4'\n.").code(), ErrorCode::corrupt_data);
  EXPECT_EQ(refusal("V\\ud83d\n.").code(), ErrorCode::corrupt_data);
}

TEST(Pickle, MarksMemoAndStackOperations) {
  // POP, POP_MARK, DUP, LONG_BINPUT, SETITEM, ADDITEMS, FROZENSET
  const Pickle pickle = parse_pickle(
      bytes_of(zeros("(I9\n0(I8\nI7\n1K\x05"
                     "2\x86r\x10~~~0j\x10~~~}K\x01K\x02s\x8f(K\x01K\x02\x90(K\x03\x91t.")),
      "x");
  const PickleNode root = pickle.root();
  ASSERT_EQ(root.size(), 4u);
  EXPECT_EQ(root[0][1].as_integer(), 5);
  EXPECT_EQ(root[1].entry(0).second.as_integer(), 2);
  EXPECT_EQ(root[2].size(), 2u);
  EXPECT_TRUE(root[3].is(PickleKind::set));
}

TEST(Pickle, LongIntegersOfAnyWidth) {
  const auto value = [](std::string_view text) {
    return parse_pickle(bytes_of(text), "x").root().as_integer();
  };
  EXPECT_EQ(value(zeros("\x8a~.")), 0);
  EXPECT_EQ(value("\x8a\x01\xff."), -1);
  EXPECT_EQ(value(zeros("\x8a\x02\xff~.")), 255);
  EXPECT_EQ(value("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), 0x7fffffffffffffff);
  EXPECT_EQ(value("L-42L\n."), -42);
  EXPECT_EQ(refusal("L99999999999999999999L\n.").code(), ErrorCode::unsupported);
}

TEST(Pickle, RefusesDamagedPrograms) {
  constexpr auto kBad = ErrorCode::corrupt_data;
  for (const char* program : {"",
                              "N",
                              "\xfe.",
                              ".",
                              "0.",
                              "1.",
                              "t.",
                              "a.",
                              "]a.",
                              "Na.",
                              "K\x01]K\x02s.",
                              "(K\x01"
                              "d.",
                              "h\x07.",
                              "K",
                              "X\x05",
                              "NNR.",
                              "]Nb.",
                              "\x86.",
                              "N(\x86.",
                              "(u.",
                              "I1x\n.",
                              "Fx\n.",
                              "p1\n.",
                              "Np-1\n.",
                              "U\x05"
                              "ab."}) {
    EXPECT_EQ(refusal(program).code(), kBad) << program;
  }
  EXPECT_EQ(refusal("\x80\x06N.").code(), ErrorCode::unsupported);
  EXPECT_EQ(refusal("B\xff\xff\xff\xff.").code(), kBad);
  EXPECT_EQ(refusal("\x8e\xff\xff\xff\xff\xff\xff\xff\xff.").code(), kBad);
  EXPECT_EQ(refusal("\x95\xff\xff\xff\xff\xff\xff\xff\xffN.").code(), kBad);
  EXPECT_EQ(refusal(zeros("X\x01~~~\xff.")).code(), kBad);
}

TEST(Pickle, RefusesCyclesDepthAndSize) {
  EXPECT_EQ(refusal("]q\x01h\x01"
                    "a.")
                .code(),
            ErrorCode::corrupt_data);  // a list in itself
  std::string deep(200, ']');
  EXPECT_EQ(refusal(deep + std::string(199, 'a') + ".").code(), ErrorCode::corrupt_data);
  PickleOptions options;
  options.max_depth = 300;
  EXPECT_TRUE(parse_pickle(bytes_of(deep + std::string(199, 'a') + "."), "x", options)
                  .root()
                  .is(PickleKind::list));
  options.max_memory_bytes = 100'000;
  EXPECT_EQ(refusal("(" + std::string(10'000, ']') + "l.", options).code(),
            ErrorCode::out_of_memory);
}

TEST(Pickle, SharedNodesDoNotMultiply) {
  // Each list holds the one before twice: 2^60 paths, 61 nodes.
  std::string program = "]q\x01";
  for (int i = 0; i < 60; ++i) program += "0(h\x01h\x01lq\x01";
  PickleOptions options;
  options.max_memory_bytes = 1u << 20;
  EXPECT_EQ(parse_pickle(bytes_of(program + "."), "x", options).root().size(), 2u);
}

TEST(Pickle, TypedAccessNamesTheKinds) {
  const Pickle pickle = parse_pickle(bytes_of("(I1\nS'x'\nt."), "x");
  EXPECT_EQ(error_of([&] { pickle.root()[0].as_text(); }).message(),
            "the pickle should hold a text here, but holds integer");
  EXPECT_EQ(code_of([&] { pickle.root()[2]; }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { pickle.root().find("x"); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { pickle.root()[1].as_integer(); }), ErrorCode::corrupt_data);
}

TEST(Pickle, ChecksArraysAgainstTheirBytes) {
  const std::string head = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR";
  const std::string dtype = "cnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntb";
  const auto array = [&](const std::string& shape, const std::string& data) {
    return head + "(I1\n" + shape + dtype + "I00\n" + data + "tb.";
  };
  EXPECT_EQ(parse_pickle(bytes_of(array("(I3\nt", "S'abc'\n")), "x").root().array().size(), 3u);
  EXPECT_EQ(refusal(array("(I4\nt", "S'abc'\n")).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(array("(I-3\nt", "S'abc'\n")).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(array("(I4611686018427387904\nI8\nt", "S''\n")).code(),
            ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(array("(I3\nt", "(t")).code(), ErrorCode::corrupt_data);
  // An array that never gets its content is only an error when it is used.
  const std::string hollow = head + ".";
  const Pickle unbuilt = parse_pickle(bytes_of(hollow), "x");
  EXPECT_EQ(code_of([&] { unbuilt.root().array(); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { unbuilt.root().shape(); }), ErrorCode::corrupt_data);
}

}  // namespace
}  // namespace sosia::formats
