#include "common.hpp"
#include "errors.hpp"
#include "sosia/formats/recordio.hpp"

namespace sosia::formats {
namespace {

const std::string kMagic("\x0a\x23\xd7\xce", 4);

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string framed(std::string_view payload) {
  std::string out;
  append_record(out, bytes_of(payload));
  return out;
}

TEST(RecordIo, PlainRecordsStayInPlace) {
  const std::string rec = framed("hello") + framed("") + framed("four");
  EXPECT_EQ(rec.size(), 16u + 8u + 12u);
  std::vector<std::byte> scratch;
  const RawRecord first = read_record(bytes_of(rec), 0, scratch);
  EXPECT_EQ(text_of(first.payload), "hello");
  EXPECT_EQ(reinterpret_cast<const char*>(first.payload.data()), rec.data() + 8);
  const RawRecord second = read_record(bytes_of(rec), first.next_offset, scratch);
  EXPECT_TRUE(second.payload.empty());
  EXPECT_EQ(text_of(read_record(bytes_of(rec), second.next_offset, scratch).payload), "four");
}

// As dmlc-core's WriteRecord: a payload is split at every aligned magic number, which is left out;
// the parts are marked 1 (first), 2 (middle) and 3 (last).
TEST(RecordIo, SplitsAtTheMagicNumberAndJoinsAgain) {
  const std::string payload = "abcd" + kMagic + kMagic + "efghijk";
  const std::string expected = kMagic + std::string("\x04\0\0\x20", 4) + "abcd" +  //
                               kMagic + std::string("\x00\0\0\x40", 4) +           //
                               kMagic + std::string("\x07\0\0\x60", 4) + "efghijk" + '\0';
  EXPECT_EQ(framed(payload), expected);
  std::vector<std::byte> scratch;
  const RawRecord record = read_record(bytes_of(expected), 0, scratch);
  EXPECT_EQ(text_of(record.payload), payload);
  EXPECT_EQ(record.next_offset, expected.size());
  for (const std::string& odd : {kMagic, "a" + kMagic, kMagic + "xyz", "abcd" + kMagic}) {
    EXPECT_EQ(text_of(read_record(bytes_of(framed(odd)), 0, scratch).payload), odd);
  }
  // Unaligned, the magic number is ordinary content.
  EXPECT_EQ(framed("a" + kMagic).size(), 8u + 8u);
}

TEST(RecordIo, HeadersAndLabels) {
  const std::string one = image_payload(3.5f, 42, bytes_of("jpeg"));
  EXPECT_EQ(one.size(), 28u);
  const ImageRecord record = parse_image_record(bytes_of(one));
  EXPECT_EQ(record.header.flag, 0u);
  EXPECT_EQ(record.header.id, 42u);
  EXPECT_EQ(record.labels, std::vector<float>{3.5f});
  EXPECT_EQ(text_of(record.image), "jpeg");
  const float labels[] = {1, 2, 3};
  const std::string several = labels_payload(labels, 7) + "jpeg";
  EXPECT_EQ(parse_image_record(bytes_of(several)).labels, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(text_of(parse_image_record(bytes_of(several)).image), "jpeg");
  EXPECT_EQ(code_of([&] { parse_image_record(bytes_of(several).first(30)); }),
            ErrorCode::corrupt_data);
}

TEST(RecordIo, IndexAndProperty) {
  const auto index = parse_record_index("2\t30\n0\t0\r\n\n1\t16");
  ASSERT_EQ(index.size(), 3u);
  EXPECT_EQ(index[2].key, 2u);
  EXPECT_EQ(index[2].offset, 30u);
  EXPECT_EQ(error_of([] { parse_record_index("0\t0\nx\t1\n", "t.idx"); }).context(),
            "t.idx: line 2");
  EXPECT_EQ(code_of([] { parse_record_index("0\t0\n0\t8\n"); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { parse_record_index("0\t-4\n"); }), ErrorCode::corrupt_data);
  const auto property = parse_record_property("85742,112,112\n");
  EXPECT_EQ(property.identities, 85742u);
  EXPECT_EQ(property.width_px, 112);
  for (const char* bad : {"", "1,2", "1,2,3,4", "a,112,112", "1,0,112", "1,112,99999999"}) {
    EXPECT_EQ(code_of([&] { parse_record_property(bad); }), ErrorCode::corrupt_data) << bad;
  }
}

TEST(RecordIo, WritesAndReadsATrainingSet) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "train.rec";
  const std::vector<std::string> images{"a0", "b0" + kMagic, "xx" + kMagic + "b1", "d0"};
  RecordSetWriter writer(path, {1, 2, 0, 1}, 112, 96);
  for (const std::string& image : images) writer.add(bytes_of(image));
  EXPECT_EQ(code_of([&] { writer.add(bytes_of("more")); }), ErrorCode::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.commit();

  const RecordSet set(path);
  ASSERT_TRUE(set.property().has_value());
  EXPECT_EQ(set.property()->identities, 4u);
  EXPECT_EQ(set.property()->height_px, 112);
  EXPECT_EQ(set.image_keys(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(set.identity_count(), 4u);
  const std::vector<float> subjects{0, 1, 1, 3};
  std::vector<std::byte> scratch;
  for (std::uint64_t key = 1; key <= 4; ++key) {
    const ImageRecord record = set.read(key, scratch);
    EXPECT_EQ(text_of(record.image), images[key - 1]);
    EXPECT_EQ(record.labels[0], subjects[key - 1]);
  }
  const IdentityRange second = set.identity(1);
  EXPECT_EQ(second.begin, 2u);
  EXPECT_EQ(second.end, 4u);
  EXPECT_EQ(set.identity(2).begin, set.identity(2).end);
  EXPECT_EQ(code_of([&] { set.read(99, scratch); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { set.identity(4); }), ErrorCode::invalid_argument);

  // Without the index the records are walked: the same keys and offsets.
  std::filesystem::remove(folder.path() / "train.idx");
  const RecordSet walked(path);
  ASSERT_EQ(walked.index().size(), set.index().size());
  for (std::size_t i = 0; i < set.index().size(); ++i) {
    EXPECT_EQ(walked.index()[i].key, set.index()[i].key);
    EXPECT_EQ(walked.index()[i].offset, set.index()[i].offset);
  }
}

TEST(RecordIo, SetsWithoutIdentityRecords) {
  const std::string rec =
      framed(image_payload(5, 0, bytes_of("a"))) + framed(image_payload(6, 1, bytes_of("b")));
  const RecordSet set(bytes_of(rec), std::nullopt, "x");
  EXPECT_EQ(set.image_keys(), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(set.identity_count(), 0u);
}

TEST(RecordIo, RefusesDamage) {
  std::vector<std::byte> scratch;
  const std::string good = framed("abcd" + kMagic + "tail");
  const auto code = [&](std::string_view rec, std::size_t offset = 0) {
    return code_of([&] { read_record(bytes_of(rec), offset, scratch); });
  };
  EXPECT_EQ(code(good, 4), ErrorCode::corrupt_data);   // no magic there
  EXPECT_EQ(code(good, 2), ErrorCode::corrupt_data);   // unaligned
  EXPECT_EQ(code(good, 12), ErrorCode::corrupt_data);  // inside of a record
  EXPECT_EQ(code(good, 999), ErrorCode::corrupt_data);
  EXPECT_EQ(code(good.substr(0, 12)), ErrorCode::corrupt_data);  // never continued
  EXPECT_EQ(code(good.substr(0, 12) + framed("whole")), ErrorCode::corrupt_data);
  EXPECT_EQ(code(kMagic + std::string("\xff\xff\xff\x1f", 4)), ErrorCode::corrupt_data);
  EXPECT_EQ(code(kMagic + std::string("\x00\0\0\xe0", 4)), ErrorCode::corrupt_data);
  // Totals that no index can satisfy.
  for (const float bad : {-1.0f, 1.5f, 1e30f, 100.0f}) {
    const float totals[] = {bad, 3};
    const std::string rec = framed(labels_payload(totals, 0)) + framed("x");
    EXPECT_EQ(code_of([&] { RecordSet(bytes_of(rec), std::nullopt, "x"); }),
              ErrorCode::corrupt_data);
  }
}

}  // namespace
}  // namespace sosia::formats
