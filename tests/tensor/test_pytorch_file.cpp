#include "sosia/core/error.hpp"
#include "sosia/formats/zip.hpp"
#include "tensor/pytorch_file.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

// Files of torch.save itself are read by tests/python/tensor_oracle.py; here are small ones of our
// own, with the mistakes that torch.save does not make.
namespace sosia::tensor {
namespace {

// A pickle of protocol 2, word by word.
struct Pickle {
  std::string bytes = "\x80\x02";
  Pickle& text(const std::string& s) {
    bytes += 'X';
    const auto size = static_cast<std::uint32_t>(s.size());
    bytes.append(reinterpret_cast<const char*>(&size), 4);
    bytes += s;
    return *this;
  }
  Pickle& integer(std::int32_t value) {
    bytes += 'J';
    bytes.append(reinterpret_cast<const char*>(&value), 4);
    return *this;
  }
  Pickle& global(const std::string& module, const std::string& name) {
    bytes += 'c' + module + '\n' + name + '\n';
    return *this;
  }
  Pickle& word(char c) {
    bytes += c;
    return *this;
  }
};

struct Shape {
  int rows = 2, columns = 3, row_stride = 3, column_stride = 1, offset = 0;
};

// {key: tensor of `shape` on storage "0", which holds `elements` floats}
void put_tensor(Pickle& p, const std::string& key, const Shape& shape, int elements,
                const std::string& storage = "FloatStorage") {
  p.text(key).global("torch._utils", "_rebuild_tensor_v2").word('(');
  p.word('(').text("storage").global("torch", storage).text("0").text("cpu").integer(elements);
  p.word('t').word('Q').integer(shape.offset);
  p.word('(').integer(shape.rows).integer(shape.columns).word('t');
  p.word('(').integer(shape.row_stride).integer(shape.column_stride).word('t');
  p.word('\x89').global("collections", "OrderedDict").word(')').word('R').word('t').word('R');
}

std::filesystem::path archive(const std::string& pickle, std::size_t floats,
                              const std::string& extra = "") {
  const auto path =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".pth");
  std::string bytes;
  formats::ZipWriter zip([&](std::span<const std::byte> part) {
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  zip.add("net/data.pkl", std::as_bytes(std::span(pickle)));
  std::vector<float> values(floats);
  for (std::size_t i = 0; i < floats; ++i) values[i] = static_cast<float>(i);
  zip.add("net/data/0", std::as_bytes(std::span(values)));
  if (!extra.empty()) zip.add("net/" + extra, std::as_bytes(std::span("big", 3)));
  zip.finish();
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::filesystem::path one_tensor(const Shape& shape, int elements, std::size_t floats,
                                 const std::string& storage = "FloatStorage") {
  Pickle p;
  p.word('}').word('(');
  put_tensor(p, "w", shape, elements, storage);
  p.word('u').word('.');
  return archive(p.bytes, floats);
}

std::pair<ErrorCode, std::string> refusal(const std::filesystem::path& path,
                                          std::string_view section = {}) {
  try {
    read_pytorch_file(path, section);
  } catch (const Error& error) {
    return {error.code(), error.message()};
  }
  return {ErrorCode::internal, "accepted"};
}

TEST(PytorchFile, ReadsStridedTensors) {
  const NamedTensors plain = read_pytorch_file(one_tensor({}, 6, 6));
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_EQ(plain[0].first, "w");
  EXPECT_TRUE(at::equal(plain[0].second, at::arange(6).to(at::kFloat).view({2, 3})));
  const NamedTensors turned = read_pytorch_file(one_tensor(
      {.rows = 3, .columns = 2, .row_stride = 1, .column_stride = 3, .offset = 2}, 8, 8));
  EXPECT_TRUE(at::equal(turned[0].second, (at::arange(6) + 2).to(at::kFloat).view({2, 3}).t()));
}

TEST(PytorchFile, ATensorStaysWithinItsStorage) {
  EXPECT_EQ(refusal(one_tensor({.rows = 3}, 6, 6)).first, ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(one_tensor({.offset = 1}, 6, 6)).first, ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(one_tensor({.offset = -1}, 6, 6)).first, ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(one_tensor({.row_stride = -3}, 6, 6)).first, ErrorCode::corrupt_data);
  EXPECT_EQ(
      refusal(one_tensor({.rows = 1 << 20, .columns = 1 << 20, .row_stride = 0, .column_stride = 0},
                         6, 6))
          .first,
      ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(one_tensor({}, 7, 6)).first, ErrorCode::corrupt_data);  // a storage cut short
  EXPECT_EQ(refusal(one_tensor({}, 6, 6, "ComplexStorage")).first, ErrorCode::unsupported);
}

TEST(PytorchFile, NothingIsEverCalled) {
  Pickle p;
  p.global("os", "system").word('(').text("touch /tmp/owned").word('t').word('R').word('.');
  const auto [code, message] = refusal(archive(p.bytes, 1));
  EXPECT_EQ(code, ErrorCode::unsupported);
  EXPECT_NE(message.find("os.system"), std::string::npos) << message;
}

TEST(PytorchFile, SectionsAreNamed) {
  Pickle p;
  p.word('}').word('(');
  for (const char* section : {"model", "ema"}) {
    p.text(section).word('}').word('(');
    put_tensor(p, std::string(section) + ".w", {}, 6);
    p.word('u');
  }
  p.text("epoch").integer(3).word('u').word('.');
  const auto path = archive(p.bytes, 6);
  EXPECT_EQ(refusal(path), (std::pair{ErrorCode::invalid_argument,
                                      std::string("the file holds several dictionaries of tensors: "
                                                  "\"model\", \"ema\"")}));
  EXPECT_EQ(read_pytorch_file(path, "ema")[0].first, "ema.w");
  EXPECT_EQ(refusal(path, "head").first, ErrorCode::invalid_argument);
}

TEST(PytorchFile, RefusesOtherArchives) {
  Pickle p;
  p.integer(3).word('.');
  EXPECT_EQ(refusal(archive(p.bytes, 1)).first, ErrorCode::corrupt_data);
  Pickle q;
  q.word('}').word('.');
  EXPECT_EQ(refusal(archive(q.bytes, 1)).first, ErrorCode::corrupt_data);
  EXPECT_EQ(refusal(archive(q.bytes, 1, "constants.pkl")).first, ErrorCode::unsupported);
  EXPECT_EQ(refusal(archive(q.bytes, 1, "byteorder")).first, ErrorCode::unsupported);
}

}  // namespace
}  // namespace sosia::tensor
