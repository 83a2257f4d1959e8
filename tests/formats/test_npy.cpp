#include "common.hpp"
#include "errors.hpp"
#include "formats/reference_files.hpp"
#include "sosia/formats/npy.hpp"

#include <array>
#include <numeric>

namespace sosia::formats {
namespace {

/// A version 1.0 file with any head and content.
std::string npy_file(std::string dict, std::string_view content, char version = '\1') {
  dict += '\n';
  std::string out = "\x93NUMPY";
  out +=
      {version, '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  if (version > '\1') out += std::string(2, '\0');
  return out + dict + std::string(content);
}

Array parse(std::string_view text) {
  return parse_npy(bytes_of(text), "x.npy");
}

TEST(Npy, ReadsWhatNumpyWrote) {
  const std::string file = reference::unhex(reference::kNpyFloat);
  const Array array = parse(file);
  EXPECT_EQ(array.dtype, DType::f32);
  EXPECT_EQ(array.shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(to_f32(array.view()), (std::vector<float>{1, 2, 3, 4, 5, -6.5f}));
  EXPECT_EQ(npy_bytes(array.view()), file);  // byte for byte
}

TEST(Npy, TransposesFortranOrderAndSwapsBigEndian) {
  const Array array = parse(reference::unhex(reference::kNpyFortranBig));
  EXPECT_EQ(array.dtype, DType::i16);
  EXPECT_EQ(to_i64(array.view()), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Npy, TransposesThreeDimensionsLikeTheIndexFormula) {
  const std::array<std::size_t, 3> shape{3, 4, 5};
  std::array<std::uint8_t, 60> memory;
  std::iota(memory.begin(), memory.end(), std::uint8_t{0});
  const Array array =
      parse(npy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (3, 4, 5), }",
                     std::string(reinterpret_cast<const char*>(memory.data()), memory.size())));
  for (std::size_t i = 0; i < shape[0]; ++i) {
    for (std::size_t j = 0; j < shape[1]; ++j) {
      for (std::size_t k = 0; k < shape[2]; ++k) {
        EXPECT_EQ(array.as<std::uint8_t>()[(i * 4 + j) * 5 + k], memory[i + 3 * (j + 4 * k)]);
      }
    }
  }
}

TEST(Npy, ReadsOddButLegalHeads) {
  EXPECT_EQ(parse(npy_file("{\"shape\":(2L,),\"descr\":\"<i2\",\"fortran_order\":False}",
                           std::string_view("\1\0\2\0", 4)))
                .as<std::int16_t>()[1],
            2);
  EXPECT_EQ(
      parse(npy_file("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", "\1", '\2')).size(),
      1u);
  EXPECT_EQ(
      parse(npy_file("{'descr': '<f8', 'fortran_order': True, 'shape': (0, 7), }", "", '\3')).shape,
      (std::vector<std::size_t>{0, 7}));
}

TEST(Npy, RefusesDamagedFiles) {
  const auto code = [](std::string_view text) { return code_of([&] { parse(text); }); };
  const std::string good = reference::unhex(reference::kNpyFloat);
  EXPECT_EQ(code(good.substr(0, good.size() - 1)), ErrorCode::corrupt_data);
  EXPECT_EQ(code(good + "x"), ErrorCode::corrupt_data);
  EXPECT_EQ(code("NUMPY"), ErrorCode::corrupt_data);
  EXPECT_EQ(code(npy_file("{'descr': '<f4', 'shape': (1,)}", "1234")), ErrorCode::corrupt_data);
  EXPECT_EQ(code(npy_file("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "1234")),
            ErrorCode::corrupt_data);
  // 2^62 elements of 4 bytes would wrap around to zero bytes.
  EXPECT_EQ(code(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': "
                          "(4611686018427387904, 4)}",
                          "")),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code(npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': "
                          "(99999999999999999999,)}",
                          "")),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code(npy_file("{'descr': '<U5', 'fortran_order': False, 'shape': ()}", "")),
            ErrorCode::unsupported);
  EXPECT_EQ(code(npy_file("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': ()}", "")),
            ErrorCode::unsupported);
  EXPECT_EQ(code(npy_file("{'descr': '|O', 'fortran_order': False, 'shape': ()}", "")),
            ErrorCode::unsupported);
  EXPECT_EQ(code(npy_file("{}", "", '\4')), ErrorCode::unsupported);
}

TEST(Npy, MapsFilesAndSaysWhyNot) {
  const TemporaryFolder folder;
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 0.5);
  const auto path = folder.path() / "a.npy";
  write_npy(path, array_view(std::span<const double>(values), {10, 100}));
  const NpyFile file(path);
  EXPECT_EQ(file.shape(), (std::vector<std::size_t>{10, 100}));
  EXPECT_EQ(file.as<double>()[999], 999.5);
  EXPECT_EQ(to_f64(read_npy(path).view()), values);
  EXPECT_EQ(code_of([&] { write_npy(path, file.view()); }), ErrorCode::conflict);

  write_file(folder.path() / "f.npy", reference::unhex(reference::kNpyFortranBig));
  const Error error = error_of([&] { NpyFile(folder.path() / "f.npy"); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_TRUE(contains(error.hint(), "read_npy"));
}

TEST(Npy, WriterChecksItsInput) {
  const std::array<float, 3> values{};
  EXPECT_EQ(code_of([&] { npy_bytes({DType::f32, {4}, std::as_bytes(std::span(values))}); }),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { npy_bytes({DType::bf16, {6}, std::as_bytes(std::span(values))}); }),
            ErrorCode::unsupported);
  EXPECT_EQ(parse(npy_bytes({DType::f16, {6}, std::as_bytes(std::span(values))})).dtype,
            DType::f16);
}

TEST(Npz, ReadsWhatNumpyWrote) {
  const std::string file = reference::unhex(reference::kNpz);
  const NpzReader npz(bytes_of(file), "x.npz");
  EXPECT_EQ(npz.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(to_f32(npz.read("a").view()), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(npz.read("b").dtype, DType::boolean);
  EXPECT_TRUE(npz.contains("a"));
  const Error error = error_of([&] { npz.read("aa"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
}

TEST(Npz, RoundTripsStoredAndCompressed) {
  const TemporaryFolder folder;
  std::vector<std::int32_t> values(5000, 7);
  const NamedArrays arrays{{"x", array_view(std::span<const std::int32_t>(values), {50, 100})},
                           {"y", array_view(std::span<const std::int32_t>(values).first(0), {0})}};
  for (const bool compress : {false, true}) {
    const auto path = folder.path() / (compress ? "c.npz" : "s.npz");
    write_npz(path, arrays, compress);
    const NpzReader npz(path);
    EXPECT_EQ(npz.read("x").as<std::int32_t>()[4999], 7);
    EXPECT_EQ(npz.read("y").size(), 0u);
    EXPECT_EQ(npz_bytes(arrays, compress), read_text(path));  // the same bytes every time
  }
  EXPECT_LT(std::filesystem::file_size(folder.path() / "c.npz"), 1000u);
  EXPECT_EQ(code_of([&] { NpzReader(folder.path() / "s.npz", 1000).read("x"); }),
            ErrorCode::out_of_memory);
}

}  // namespace
}  // namespace sosia::formats
