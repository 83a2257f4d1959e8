#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/recordio.hpp"

#include <cmath>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\x0a\x23\xd7\xce"sv;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
std::string little_endian(T value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

/// A frame made by hand, not by the writer under test.
std::string frame(std::uint32_t part, std::string_view payload) {
  std::string out(kMagic);
  out += little_endian((part << 29) | static_cast<std::uint32_t>(payload.size()));
  out += payload;
  out.append((4 - payload.size() % 4) % 4, '\0');
  return out;
}

std::string header(std::uint32_t flag, float label, std::uint64_t id) {
  return little_endian(flag) + little_endian(label) + little_endian(id) +
         little_endian(std::uint64_t{0});
}

std::string read_all(std::string_view rec, std::size_t offset = 0) {
  std::vector<std::byte> scratch;
  return text_of(read_record(bytes_of(rec), offset, scratch).payload);
}

TEST(RecordFrame, ReadsOneRecordAfterTheOther) {
  const std::string rec = frame(0, "abcde") + frame(0, "") + frame(0, "wxyz");
  std::vector<std::byte> scratch;
  std::vector<std::string> payloads;
  for (std::size_t offset = 0; offset < rec.size();) {
    const RawRecord record = read_record(bytes_of(rec), offset, scratch);
    payloads.push_back(text_of(record.payload));
    offset = record.next_offset;
  }
  EXPECT_EQ(payloads, (std::vector<std::string>{"abcde", "", "wxyz"}));
}

TEST(RecordFrame, JoinsContinuationsWithTheMagicNumber) {
  const std::string rec =
      frame(1, "head") + frame(2, "") + frame(2, "middle__") + frame(3, "tail!");
  const std::string magic(kMagic);
  EXPECT_EQ(read_all(rec), "head" + magic + magic + "middle__" + magic + "tail!");
}

TEST(RecordFrame, WriterSplitsAtAlignedMagicNumbersOnly) {
  const std::string magic(kMagic);
  std::string out;
  append_record(out, bytes_of("head" + magic + "x" + magic + "tail"));
  // The second one stands at offset 9 and stays.
  EXPECT_EQ(out, frame(1, "head") + frame(3, "x" + magic + "tail"));
}

TEST(RecordFrame, EveryPayloadComesBack) {
  const std::string magic(kMagic);
  const std::string payloads[] = {"",
                                  "a",
                                  magic,
                                  magic + magic,
                                  "abcd" + magic,
                                  magic + "abcd",
                                  "abc" + magic,
                                  "abcd" + magic + "ab" + magic + "abcd" + magic + "e",
                                  magic.substr(0, 3)};
  std::string rec;
  for (const std::string& payload : payloads) append_record(rec, bytes_of(payload));
  std::vector<std::byte> scratch;
  std::size_t offset = 0;
  for (const std::string& payload : payloads) {
    const RawRecord record = read_record(bytes_of(rec), offset, scratch);
    EXPECT_EQ(text_of(record.payload), payload);
    EXPECT_EQ(record.next_offset % 4, 0u);
    offset = record.next_offset;
  }
  EXPECT_EQ(offset, rec.size());
}

TEST(RecordFrame, DamagedFramesAreCorruptData) {
  const std::string bad[] = {
      "",
      std::string(kMagic),
      "\x0b" + frame(0, "abc").substr(1),
      frame(0, "abcdefgh").substr(0, 12),
      frame(0, "abcde").substr(0, 13),  // padding missing
      frame(2, "abcd"),
      frame(3, "abcd"),                     // a continuation comes first
      frame(1, "abcd"),                     // never continued
      frame(1, "abcd") + frame(0, "efgh"),  // continued by a whole record
      frame(1, "abcd") + frame(1, "efgh") + frame(3, "ijkl"),
      frame(4, "abcd"),
      frame(7, "abcd"),
  };
  for (const std::string& rec : bad) {
    EXPECT_EQ(code_of([&] { read_all(rec); }), ErrorCode::corrupt_data)
        << testing::PrintToString(rec);
  }
  const std::string good = frame(0, "abcdefgh");
  EXPECT_EQ(code_of([&] { read_all(good, 2); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { read_all(good, 4); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { read_all(good, 4000); }), ErrorCode::corrupt_data);
}

TEST(RecordFrame, HeadersWithAndWithoutLabels) {
  const std::string plain = header(0, 7.5f, 42) + "JPEG";
  const ImageRecord one = parse_image_record(bytes_of(plain));
  EXPECT_EQ(one.header.id, 42u);
  EXPECT_EQ(one.labels, std::vector<float>{7.5f});
  EXPECT_EQ(text_of(one.image), "JPEG");
  EXPECT_EQ(image_payload(7.5f, 42, bytes_of("JPEG")), plain);

  const std::string many =
      header(3, 0, 1) + little_endian(1.0f) + little_endian(-2.0f) + little_endian(0.5f) + "PNG";
  const ImageRecord three = parse_image_record(bytes_of(many));
  EXPECT_EQ(three.labels, (std::vector<float>{1.0f, -2.0f, 0.5f}));
  EXPECT_EQ(text_of(three.image), "PNG");

  EXPECT_EQ(code_of([&] { parse_image_record(bytes_of(plain.substr(0, 23))); }),
            ErrorCode::corrupt_data);
  for (const std::uint32_t flag : {4u, 0x40000000u, 0xffffffffu}) {
    const std::string inflated = header(flag, 0, 1) + std::string(12, 'x');
    EXPECT_EQ(code_of([&] { parse_image_record(bytes_of(inflated)); }), ErrorCode::corrupt_data);
  }
}

TEST(RecordFrame, Index) {
  const auto index = parse_record_index("2\t80\r\n0\t0\n\n1\t40");
  ASSERT_EQ(index.size(), 3u);
  EXPECT_EQ(index[1].key, 1u);
  EXPECT_EQ(index[2].offset, 80u);
  for (const char* bad : {"1", "a\t0", "1\tb", "-1\t0", "1\t-4", "1\t0\n1\t8", "1\t2\t3",
                          "99999999999999999999\t0"}) {
    EXPECT_EQ(code_of([&] { parse_record_index(bad); }), ErrorCode::corrupt_data) << bad;
  }
}

TEST(RecordFrame, Property) {
  const auto property = parse_record_property("85742,112, 96\n");
  EXPECT_EQ(property.identities, 85742u);
  EXPECT_EQ(property.height_px, 112);
  EXPECT_EQ(property.width_px, 96);
  for (const char* bad :
       {"", "1,2", "1,2,3,4", "a,112,112", "1,0,112", "-1,112,112", "1,112,99999999999"}) {
    EXPECT_EQ(code_of([&] { parse_record_property(bad); }), ErrorCode::corrupt_data) << bad;
  }
}

/// Three identities with 2, 0 and 1 images; the second image holds the magic number.
class RecordSetFile : public testing::Test {
 protected:
  void SetUp() override {
    path = folder.path() / "train.rec";
    RecordSetWriter writer(path, {2, 0, 1}, 112, 96);
    for (const std::string& image : images) writer.add(bytes_of(image));
    writer.commit();
  }

  TemporaryFolder folder;
  std::filesystem::path path;
  const std::string images[3] = {"first", "1234" + std::string(kMagic) + "second", ""};
};

TEST_F(RecordSetFile, FollowsInsightFacesLayout) {
  EXPECT_EQ(read_text(folder.path() / "train.property"), "3,112,96\n");
  // Record 0: labels 4 (one past the images) and 7 (one past the identities).
  const std::string zero = header(2, 0, 0) + little_endian(4.0f) + little_endian(7.0f);
  const std::string rec = read_text(path);
  EXPECT_EQ(rec.substr(0, 40), frame(0, zero));
  const auto index = parse_record_index(read_text(folder.path() / "train.idx"));
  ASSERT_EQ(index.size(), 7u);
  const std::string first = frame(0, header(0, 0.0f, 1) + images[0]);
  EXPECT_EQ(rec.substr(index[1].offset, first.size()), first);
  const std::string last = frame(0, header(2, 0, 6) + little_endian(3.0f) + little_endian(4.0f));
  EXPECT_EQ(rec.substr(index[6].offset), last);
}

TEST_F(RecordSetFile, IsReadBack) {
  const RecordSet set(path);
  ASSERT_TRUE(set.property().has_value());
  EXPECT_EQ(set.property()->identities, 3u);
  EXPECT_EQ(set.image_keys(), (std::vector<std::uint64_t>{1, 2, 3}));
  std::vector<std::byte> scratch;
  const float labels[] = {0, 0, 2};
  for (std::uint64_t key = 1; key <= 3; ++key) {
    const ImageRecord record = set.read(key, scratch);
    EXPECT_EQ(text_of(record.image), images[key - 1]);
    EXPECT_EQ(record.labels, std::vector<float>{labels[key - 1]});
  }
  ASSERT_EQ(set.identity_count(), 3u);
  const std::uint64_t begins[] = {1, 3, 3}, ends[] = {3, 3, 4};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(set.identity(i).key, 4 + i);
    EXPECT_EQ(set.identity(i).begin, begins[i]);
    EXPECT_EQ(set.identity(i).end, ends[i]);
  }
  EXPECT_EQ(code_of([&] { set.read(7, scratch); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { set.identity(3); }), ErrorCode::invalid_argument);
}

TEST_F(RecordSetFile, WalkingReplacesAMissingIndex) {
  const RecordSet indexed(path);
  std::filesystem::remove(folder.path() / "train.idx");
  std::filesystem::rename(folder.path() / "train.property", folder.path() / "property");
  const RecordSet walked(path);
  ASSERT_EQ(walked.index().size(), indexed.index().size());
  for (std::size_t i = 0; i < walked.index().size(); ++i) {
    EXPECT_EQ(walked.index()[i].key, indexed.index()[i].key);
    EXPECT_EQ(walked.index()[i].offset, indexed.index()[i].offset);
  }
  EXPECT_EQ(walked.image_keys(), indexed.image_keys());
  EXPECT_EQ(walked.property()->width_px, 96);
}

TEST_F(RecordSetFile, IndexOfAnotherFileIsNoticed) {
  const std::string rec = read_text(path);
  const RecordSet set(bytes_of(rec), "0\t0\n1\t44\n2\t1000000\n6\t40", "train");
  std::vector<std::byte> scratch;
  EXPECT_EQ(code_of([&] { set.read(1, scratch); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { set.read(2, scratch); }), ErrorCode::corrupt_data);
}

TEST(RecordSet, WithoutRecordOfTotalsEveryKeyIsAnImage) {
  const std::string rec = frame(0, header(0, 3, 0) + "a") + frame(0, header(0, 4, 1) + "b");
  const RecordSet set(bytes_of(rec), std::nullopt, "plain");
  EXPECT_EQ(set.image_keys(), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(set.identity_count(), 0u);
  EXPECT_FALSE(set.property().has_value());
}

TEST(RecordSet, ImpossibleTotalsAreCorruptData) {
  const float bad[][2] = {{-1, 2}, {1.5f, 2}, {NAN, 2}, {INFINITY, 2}, {2, 1}, {1, 1e9f}, {9, 9}};
  for (const auto& labels : bad) {
    const std::string rec =
        frame(0, header(2, 0, 0) + little_endian(labels[0]) + little_endian(labels[1]));
    EXPECT_EQ(code_of([&] { RecordSet(bytes_of(rec), std::nullopt, "bad"); }),
              ErrorCode::corrupt_data)
        << labels[0] << ' ' << labels[1];
  }
}

TEST(RecordSet, IdentityMustHoldARangeOfImages) {
  const auto set_with = [](float begin, float end) {
    return frame(0, header(2, 0, 0) + little_endian(2.0f) + little_endian(3.0f)) +
           frame(0, header(0, 0, 1) + "a") +
           frame(0, header(2, 0, 2) + little_endian(begin) + little_endian(end));
  };
  const std::string good = set_with(1, 2);
  EXPECT_EQ(RecordSet(bytes_of(good), std::nullopt, "r").identity(0).end, 2u);
  for (const auto& [begin, end] :
       {std::pair(2.f, 1.f), std::pair(1.f, 3.f), std::pair(-1.f, 2.f)}) {
    const std::string rec = set_with(begin, end);
    const RecordSet set(bytes_of(rec), std::nullopt, "r");
    EXPECT_EQ(code_of([&] { set.identity(0); }), ErrorCode::corrupt_data);
  }
}

TEST(RecordSet, EmptyFile) {
  const RecordSet set({}, std::nullopt, "empty");
  EXPECT_TRUE(set.index().empty());
  EXPECT_TRUE(set.image_keys().empty());
}

TEST(RecordSetWriter, CountsMustMatchTheAnnouncement) {
  const TemporaryFolder folder;
  RecordSetWriter writer(folder.path() / "t.rec", {1}, 8, 8);
  EXPECT_EQ(code_of([&] { writer.commit(); }), ErrorCode::invalid_argument);
  writer.add(bytes_of("a"));
  EXPECT_EQ(code_of([&] { writer.add(bytes_of("b")); }), ErrorCode::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "t.rec"));
  writer.commit();
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "t.rec"));
  EXPECT_EQ(code_of([&] { RecordSetWriter(folder.path() / "t.rec", {1}, 8, 8); }),
            ErrorCode::conflict);
}

TEST(RecordSetWriter, RefusesASizeThatTheReaderWouldRefuse) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of([&] { RecordSetWriter(folder.path() / "t.rec", {1}, 0, 8); }),
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sosia::formats
