#include "common.hpp"
#include "errors.hpp"
#include "formats/reference_files.hpp"
#include "sosia/formats/safetensors.hpp"

#include <array>
#include <numeric>

namespace sosia::formats {
namespace {

std::string file_of(std::string_view header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string out(reinterpret_cast<const char*>(&length), 8);
  out += header;
  return out + std::string(data_bytes, '\0');
}

ErrorCode refusal(std::string_view header, std::size_t data_bytes = 0) {
  const std::string file = file_of(header, data_bytes);
  return code_of([&] { SafetensorsFile(bytes_of(file), "x.safetensors"); });
}

TEST(Safetensors, ReadsAndRewritesWhatTheReferenceWrote) {
  const std::string bytes = reference::unhex(reference::kSafetensors);
  const SafetensorsFile file(bytes_of(bytes), "x.safetensors");
  ASSERT_EQ(file.tensors().size(), 5u);
  EXPECT_EQ(file.metadata(), (Metadata{{"format", "np"}}));
  EXPECT_EQ(to_f32(file.view("w")), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(to_i64(file.view("b")), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(to_f32(file.view("h")), (std::vector<float>{0.5f, -2}));
  EXPECT_EQ(to_i64(file.view("m")), (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(file.info("z").shape, (std::vector<std::size_t>{0, 3}));
  NamedArrays arrays;
  for (const TensorInfo& tensor : file.tensors()) {
    arrays.emplace_back(tensor.name, file.view(tensor));
  }
  std::reverse(arrays.begin(), arrays.end());
  EXPECT_EQ(safetensors_bytes(arrays, file.metadata()), bytes);  // byte for byte
}

// The byte vectors of safetensors/src/tensor.rs (test_empty, test_serialization,
// test_serialization_forced_alignement), as header text and length.
TEST(Safetensors, WritesTheReferenceVectors) {
  EXPECT_EQ(safetensors_bytes({}), file_of("{}      "));
  EXPECT_EQ(safetensors_bytes({}, {{"framework", "pt"}}),
            file_of("{\"__metadata__\":{\"framework\":\"pt\"}}     "));
  const std::array<float, 6> values{0, 1, 2, 3, 4, 5};
  const std::string data(reinterpret_cast<const char*>(values.data()), sizeof(values));
  EXPECT_EQ(
      safetensors_bytes({{"attn.0", array_view(std::span<const float>(values), {1, 2, 3})}}),
      file_of("{\"attn.0\":{\"dtype\":\"F32\",\"shape\":[1,2,3],\"data_offsets\":[0,24]}}") + data);
  EXPECT_EQ(
      safetensors_bytes({{"attn0", array_view(std::span<const float>(values), {1, 1, 2, 3})}}),
      file_of(
          "{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,24]}}       ") +
          data);
}

TEST(Safetensors, AcceptsLegalHeaders) {
  const auto accept = [](std::string_view header, std::size_t bytes = 0) {
    const std::string file = file_of(header, bytes);
    return SafetensorsFile(bytes_of(file), "x").tensors().size();
  };
  EXPECT_EQ(accept("{}"), 0u);
  EXPECT_EQ(
      accept("{ \"a\" : { \"shape\" : [ ] , \"data_offsets\" : [ 0 , 1 ] , \"dtype\":\"U8\" } } ",
             1),
      1u);
  EXPECT_EQ(accept("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[2,4]},"
                   "\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]}}",
                   4),
            2u);
  const std::string file = file_of(
      "{\"\\u00e9\\n\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
  EXPECT_EQ(SafetensorsFile(bytes_of(file), "x").tensors()[0].name, "\xc3\xa9\n\xf0\x9f\x98\x80");
}

TEST(Safetensors, RefusesWhatTheReferenceValidatorRefuses) {
  constexpr auto kBad = ErrorCode::corrupt_data;
  EXPECT_EQ(code_of([] { SafetensorsFile(bytes_of("short"), "x"); }), kBad);
  const std::string too_long = std::string(8, '\x7f') + "{}";
  EXPECT_EQ(code_of([&] { SafetensorsFile(bytes_of(too_long), "x"); }), kBad);
  EXPECT_EQ(refusal(""), kBad);
  EXPECT_EQ(refusal("[]"), kBad);
  EXPECT_EQ(refusal(" {}"), kBad);  // must start with {
  EXPECT_EQ(refusal("{} x"), kBad);
  EXPECT_EQ(refusal("{\"\xff\":1}"), kBad);
  EXPECT_EQ(refusal("{}", 1), kBad);  // bytes that belong to no tensor
  const auto entry = [](std::string_view rest) { return "{\"a\":{" + std::string(rest) + "}}"; };
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,3]"), 3), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]"), 1), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]"), 3), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,0]"), 2), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,0]")), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]"), 1), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],"
                          "\"data_offsets\":[0,0]")),
            kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[99999999999999999999],"
                          "\"data_offsets\":[0,0]")),
            kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"U8\",\"shape\":[0]")), kBad);
  EXPECT_EQ(
      refusal(entry("\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]")),
      kBad);
  EXPECT_EQ(refusal("{\"__metadata__\":{\"a\":1}}"), kBad);
  EXPECT_EQ(refusal("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}"), kBad);
  EXPECT_EQ(refusal(entry("\"dtype\":\"Q7\",\"shape\":[0],\"data_offsets\":[0,0]")),
            ErrorCode::unsupported);
  const std::string one = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}";
  EXPECT_EQ(refusal("{\"a\":" + one + ",\"a\":" + one + "}", 1), kBad);
  EXPECT_EQ(refusal("{\"a\":" + one + ",\"b\":" + one + "}", 1), kBad);  // overlap
}

TEST(Safetensors, WritesFilesAndFindsNames) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "m.safetensors";
  std::vector<float> weights(1000, 0.25f);
  const std::vector<std::uint8_t> bytes{1, 2, 3};
  write_safetensors(path,
                    {{"layer.bias", array_view(std::span<const std::uint8_t>(bytes), {3})},
                     {"layer.weight", array_view(std::span<const float>(weights), {10, 100})}},
                    {{"b", "2"}, {"a", "1"}});
  const SafetensorsFile file(path);
  EXPECT_EQ(file.tensors()[0].name, "layer.weight");  // the larger alignment comes first
  EXPECT_EQ(file.view("layer.weight").as<float>()[999], 0.25f);
  EXPECT_EQ(file.read("layer.bias").as<std::uint8_t>()[2], 3);
  EXPECT_EQ(file.metadata().front().first, "a");
  const Error error = error_of([&] { file.info("layer.weigth"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_TRUE(contains(error.hint(), "layer.weight"));
}

TEST(Safetensors, WriterChecksItsInput) {
  const std::array<float, 2> values{};
  const ArrayView view = array_view(std::span<const float>(values), {2});
  const auto code = [](NamedArrays arrays, Metadata metadata = {}) {
    return code_of([&] { safetensors_bytes(arrays, metadata); });
  };
  EXPECT_EQ(code({{"a", view}, {"a", view}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{"__metadata__", view}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{"\xff", view}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{"a", {DType::f32, {3}, view.bytes}}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({}, {{"k", "1"}, {"k", "2"}}), ErrorCode::invalid_argument);
}

TEST(Safetensors, ManyTensors) {
  NamedArrays arrays;
  const std::array<std::uint8_t, 1> byte{7};
  for (int i = 0; i < 20'000; ++i) {
    arrays.emplace_back("t" + std::to_string(i),
                        array_view(std::span<const std::uint8_t>(byte), {1}));
  }
  const std::string bytes = safetensors_bytes(std::move(arrays));
  const SafetensorsFile file(bytes_of(bytes), "x");
  EXPECT_EQ(file.tensors().size(), 20'000u);
  EXPECT_NE(file.find("t19999"), nullptr);
}

}  // namespace
}  // namespace sosia::formats
