#include "common.hpp"
#include "errors.hpp"
#include "sosia/formats/zip.hpp"

namespace sosia::formats {
namespace {

std::string archive(const std::vector<std::pair<std::string, std::string>>& files,
                    bool deflate = false) {
  std::string out;
  ZipWriter zip([&](std::span<const std::byte> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  for (const auto& [name, content] : files) zip.add(name, bytes_of(content), deflate);
  zip.finish();
  return out;
}

std::string content_of(const ZipReader& zip, std::string_view name) {
  const std::vector<std::byte> bytes = zip.read(*zip.find(name));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t position(const std::string& text, std::string_view part, std::size_t from = 0) {
  const std::size_t at = text.find(part, from);
  EXPECT_NE(at, std::string::npos);
  return at;
}

constexpr std::string_view kCentral("PK\1\2", 4);
constexpr std::string_view kEnd("PK\5\6", 4);

TEST(Zip, RoundTripsAndFindsByName) {
  const std::string large(300'000, 'z');
  for (const bool deflate : {false, true}) {
    const std::string file = archive({{"b", "two"}, {"a", ""}, {"c", large}}, deflate);
    const ZipReader zip(bytes_of(file), "x.zip");
    ASSERT_EQ(zip.entries().size(), 3u);
    EXPECT_EQ(zip.entries()[0].name, "b");
    EXPECT_EQ(content_of(zip, "b"), "two");
    EXPECT_EQ(content_of(zip, "a"), "");
    EXPECT_EQ(content_of(zip, "c"), large);
    EXPECT_EQ(zip.find("d"), nullptr);
    if (deflate) {
      EXPECT_EQ(code_of([&] { zip.stored_view(*zip.find("c")); }), ErrorCode::unsupported);
    } else {
      EXPECT_EQ(zip.stored_view(*zip.find("c")).size(), large.size());
    }
  }
}

TEST(Zip, FindsTheDirectoryBehindAComment) {
  std::string file = archive({{"a", "x"}});
  const std::string comment = "a comment with PK\5\6 inside of it, longer than an end record";
  file[file.size() - 2] = static_cast<char>(comment.size());
  file += comment;
  const ZipReader zip(bytes_of(file), "x.zip");
  EXPECT_EQ(zip.entries().size(), 1u);
}

TEST(Zip, ChecksTheChecksum) {
  std::string file = archive({{"a", "content"}});
  file[position(file, "content")] = 'K';
  const ZipReader zip(bytes_of(file), "x.zip");
  EXPECT_EQ(code_of([&] { zip.read(*zip.find("a")); }), ErrorCode::corrupt_data);
}

TEST(Zip, RefusesBombs) {
  // An entry that claims more than deflate can produce.
  std::string file = archive({{"a", std::string(1000, 'x')}}, true);
  file.replace(position(file, kCentral) + 24, 4, std::string_view("\0\0\0\x7f", 4));
  EXPECT_EQ(code_of([&] { ZipReader(bytes_of(file), "x.zip"); }), ErrorCode::corrupt_data);
  // Two entries of the directory that share one body.
  std::string shared = archive({{"a", "same"}, {"b", "same"}});
  const std::size_t second = position(shared, kCentral, position(shared, kCentral) + 1);
  shared.replace(second + 42, 4, std::string(4, '\0'));  // the offset of the local header
  shared.replace(position(shared, "b", second), 1, "a");
  EXPECT_EQ(code_of([&] { ZipReader(bytes_of(shared), "x.zip"); }), ErrorCode::corrupt_data);
  // More than the cap.
  const std::string zeros = archive({{"a", std::string(100'000, '\0')}}, true);
  const ZipReader capped(bytes_of(zeros), "x.zip", 50'000);
  EXPECT_EQ(code_of([&] { capped.read(*capped.find("a")); }), ErrorCode::out_of_memory);
}

TEST(Zip, RefusesWrongSizesOfTheContent) {
  // The stream ends before, or goes on behind, the stated size.
  for (const char size : {'\x10', '\x60'}) {
    std::string file = archive({{"a", std::string(0x40, 'x')}}, true);
    file.replace(position(file, kCentral) + 24, 1, 1, size);
    const ZipReader zip(bytes_of(file), "x.zip");
    EXPECT_EQ(code_of([&] { zip.read(*zip.find("a")); }), ErrorCode::corrupt_data);
  }
}

TEST(Zip, RefusesWhatItDoesNotRead) {
  std::string encrypted = archive({{"a", "x"}});
  encrypted[position(encrypted, kCentral) + 8] |= 1;
  EXPECT_EQ(code_of([&] { ZipReader(bytes_of(encrypted), "x"); }), ErrorCode::unsupported);
  std::string method = archive({{"a", "x"}});
  method[position(method, kCentral) + 10] = 12;  // bzip2
  EXPECT_EQ(code_of([&] { ZipReader(bytes_of(method), "x"); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([] { ZipReader(bytes_of("no archive at all, only text"), "x"); }),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { ZipReader(bytes_of(""), "x"); }), ErrorCode::corrupt_data);
  std::string twice = archive({{"a", "x"}, {"a", "y"}});
  EXPECT_EQ(code_of([&] { ZipReader(bytes_of(twice), "x"); }), ErrorCode::corrupt_data);
}

TEST(Zip, ReadsZip64) {
  // The same archive with its sizes and offsets moved to the 64-bit fields.
  const std::string plain = archive({{"a", "content"}});
  const std::size_t central = position(plain, kCentral);
  const std::size_t end = position(plain, kEnd);
  const auto u64 = [](std::uint64_t value) {
    return std::string(reinterpret_cast<const char*>(&value), 8);
  };
  std::string entry = plain.substr(central, end - central);
  const std::string ones(4, '\xff');
  entry.replace(20, 4, ones).replace(24, 4, ones).replace(42, 4, ones);
  entry.replace(30, 2, std::string_view("\x1c\0", 2));  // 28 bytes of extra field
  entry += std::string_view("\1\0\x18\0", 4);
  entry += u64(7) + u64(7) + u64(0);
  std::string file = plain.substr(0, central) + entry;
  const std::size_t end64 = file.size();
  file += std::string_view("PK\6\6", 4);
  file += u64(44) + std::string(4, '\0') + std::string(8, '\0') + u64(1) + u64(1) +
          u64(entry.size()) + u64(central);
  file += std::string_view("PK\6\7", 4);
  file += std::string(4, '\0') + u64(end64) + std::string("\1\0\0\0", 4);
  std::string last = plain.substr(end);
  last.replace(8, 12, 12, '\xff');
  file += last;
  const ZipReader zip(bytes_of(file), "x.zip");
  EXPECT_EQ(content_of(zip, "a"), "content");
}

}  // namespace
}  // namespace sosia::formats
