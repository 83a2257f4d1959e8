#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/formats/csv.hpp"

#include <cmath>
#include <limits>

namespace sosia::formats {
namespace {

using Table = std::vector<std::vector<std::string>>;

CsvReader reader(std::string_view text, const CsvOptions& options = {}) {
  return CsvReader(bytes_of(text), "t.csv", options);
}

/// Header (if any) and records.
Table table(std::string_view text, const CsvOptions& options = {}) {
  CsvReader csv = reader(text, options);
  Table out;
  if (options.header) out.push_back(csv.header());
  while (csv.next()) {
    auto& row = out.emplace_back();
    for (std::size_t i = 0; i < csv.size(); ++i) row.emplace_back(csv[i]);
  }
  return out;
}

CsvOptions without_header(char delimiter = ',') {
  CsvOptions options;
  options.header = false;
  options.delimiter = delimiter;
  return options;
}

TEST(Csv, ReadsFieldsLinesAndQuotes) {
  EXPECT_EQ(table("a,b\n1,2\r\n\"x,\"\"y\"\"\nz\",\r3,4"),
            (Table{{"a", "b"}, {"1", "2"}, {"x,\"y\"\nz", ""}, {"3", "4"}}));
  EXPECT_EQ(table("a\n\n\r\nb\n\"\"\n\n", without_header()), (Table{{"a"}, {"b"}, {""}}));
  EXPECT_EQ(table(",\n,,",
                  [] {
                    CsvOptions options = without_header();
                    options.ragged = true;
                    return options;
                  }()),
            (Table{{"", ""}, {"", "", ""}}));
  EXPECT_EQ(table("it\"s,5\"\n", without_header()), (Table{{"it\"s", "5\""}}));
}

TEST(Csv, ReadsWithoutQuotesWhenTold) {
  CsvOptions options = without_header();
  options.quotes = false;
  EXPECT_EQ(table("\"a,b\"\n", options), (Table{{"\"a", "b\""}}));
}

TEST(Csv, DetectsTheDelimiter) {
  const auto found = [](std::string_view text) { return reader(text).delimiter(); };
  EXPECT_EQ(found("a,b\n1,2\n"), ',');
  EXPECT_EQ(found("a;b\n1,5;2,5\n"), ';');
  EXPECT_EQ(found("a\tb\nx, y\tz\n"), '\t');
  EXPECT_EQ(found("a|b|c\n1|2|3\n"), '|');
  EXPECT_EQ(found("name\nx\n"), ',');
  EXPECT_EQ(found("a,b,\"c;d;e;f\"\n"), ',');
  EXPECT_EQ(found("a;b\n\n\n1;2"), ';');
}

TEST(Csv, StatesLineNumbers) {
  CsvReader csv = reader("a,b\n\"x\ny\",1\n\n5,oops\n");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.line(), 2u);
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.line(), 5u);
  EXPECT_EQ(csv.where(), "t.csv: line 5");
  const Error error = error_of([&] { csv.real(1); });
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error.message(), "column \"b\" holds \"oops\", which is not a number");
  EXPECT_EQ(error.context(), "t.csv: line 5");
  EXPECT_FALSE(csv.next());
  EXPECT_EQ(csv.size(), 0u);
}

TEST(Csv, TypedAccess) {
  CsvReader csv = reader("a,b,c,d,e,f\n-1.5e3, 42 ,TRUE,nan,inf,\n");
  ASSERT_TRUE(csv.next());
  EXPECT_EQ(csv.real(0), -1500.0);
  EXPECT_EQ(csv.integer(1), 42);
  EXPECT_EQ(csv.real(1), 42.0);
  EXPECT_TRUE(csv.boolean(2));
  EXPECT_TRUE(contains(error_of([&] { csv.real(3); }).message(), "not a finite number"));
  EXPECT_TRUE(contains(error_of([&] { csv.real(4); }).message(), "not a finite number"));
  EXPECT_TRUE(contains(error_of([&] { csv.real(5); }).message(), "holds nothing"));
  EXPECT_EQ(code_of([&] { csv.integer(0); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { csv.boolean(1); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { csv.real(17); }), ErrorCode::corrupt_data);
}

TEST(Csv, FindsColumns) {
  CsvReader csv = reader("Path, pid ,score,Score,x,x\n1,2,3,4,5,6\n");
  EXPECT_EQ(csv.column("Path"), 0u);
  EXPECT_EQ(csv.column("path"), 0u);
  EXPECT_EQ(csv.column("pid"), 1u);
  EXPECT_EQ(csv.column("Score"), 3u);
  EXPECT_FALSE(csv.find_column("camera").has_value());
  EXPECT_EQ(csv.find_column_of({"person", "pid"}), 1u);
  EXPECT_EQ(code_of([&] { csv.column("x"); }), ErrorCode::corrupt_data);
  EXPECT_TRUE(contains(error_of([&] { csv.column("scores"); }).hint(), "did you mean"));
  const std::string_view wanted[] = {"pid", "cam", "clothes"};
  EXPECT_EQ(error_of([&] { csv.columns(wanted); }).message(),
            "there are no columns \"cam\" and \"clothes\"");
}

TEST(Csv, NamesTheNearestOfManyColumns) {
  std::string text = "c0";
  for (int i = 1; i < 40; ++i) text += ",c" + std::to_string(i);
  text += ",similarity\n";
  const CsvReader csv = reader(text);
  EXPECT_TRUE(contains(error_of([&] { csv.column("similarty"); }).hint(), "\"similarity\""));
  const std::string hint = error_of([&] { csv.column("zebra crossing"); }).hint();
  EXPECT_TRUE(contains(hint, "\"c19\" and more"));
  EXPECT_FALSE(contains(hint, "\"c20\""));
}

TEST(Csv, DetectsAndStatesEncodings) {
  struct Case {
    std::string text;
    TextEncoding encoding;
  };
  std::string le = "\xff\xfe", be = "\xfe\xff";
  for (const char16_t unit : {u'n', u'\n', u'\u00e9', u'\u20ac', u'\xd83d', u'\xde00', u'\n'}) {
    le += {static_cast<char>(unit & 0xff), static_cast<char>(unit >> 8)};
    be += {static_cast<char>(unit >> 8), static_cast<char>(unit & 0xff)};
  }
  const std::string utf8 = "n\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n";
  for (const Case& c :
       {Case{utf8, TextEncoding::utf8}, Case{"\xef\xbb\xbf" + utf8, TextEncoding::utf8_bom},
        Case{le, TextEncoding::utf16le}, Case{be, TextEncoding::utf16be}}) {
    CsvReader csv = reader(c.text);
    ASSERT_TRUE(csv.next());
    EXPECT_EQ(csv[0], "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(csv.encoding(), c.encoding);
    EXPECT_EQ(csv.header().front(), "n");
  }
  CsvReader western = reader("n\nJos\xe9 \x80 \x8d\n");
  ASSERT_TRUE(western.next());
  EXPECT_EQ(western[0], "Jos\xc3\xa9 \xe2\x82\xac \xc2\x8d");
  EXPECT_EQ(western.encoding(), TextEncoding::windows1252);
  EXPECT_EQ(encoding_name(western.encoding()), "windows-1252");
}

TEST(Csv, OneBadByteInUtf8IsAnErrorWithItsLine) {
  const Error error = error_of([] { table("n\n\xc3\xa9\nb\xff\n"); });
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error.message(), "the byte 0xff is not UTF-8");
  EXPECT_EQ(error.context(), "t.csv: line 3");
  // The bad byte comes first, but what follows is clearly UTF-8.
  EXPECT_EQ(code_of([] { table("n\n\xe9x\n\xc3\xa9\xc3\xa9\n"); }), ErrorCode::corrupt_data);
  CsvOptions stated;
  stated.encoding = TextEncoding::utf8;
  EXPECT_EQ(code_of([&] { table("n\nJos\xe9\n", stated); }), ErrorCode::corrupt_data);
  stated.encoding = TextEncoding::windows1252;
  EXPECT_EQ(table("n\n\xc3\xa9\n", stated)[1][0], "\xc3\x83\xc2\xa9");
}

TEST(Csv, RefusesDamagedText) {
  EXPECT_EQ(error_of([] { table("a,b\n1\n"); }).message(),
            "this record has 1 fields, the first one has 2");
  EXPECT_TRUE(contains(error_of([] { table("a\n\"x\" y\n"); }).message(), "closing quote"));
  EXPECT_EQ(error_of([] { table("a\n1\n\"x\ny\n"); }).context(), "t.csv: line 3");
  EXPECT_TRUE(
      contains(error_of([] { table(std::string_view("a\nb\0c\n", 6)); }).message(), "zero byte"));
  EXPECT_EQ(code_of([] { table(""); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] {
              table(
                  std::string_view("\xff\xfe"
                                   "a\0b",
                                   5));
            }),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { table(std::string_view("\xff\xfe\x00\xd8", 4)); }),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { table(std::string_view("\xff\xfe\0\0a\0\0\0", 8)); }),
            ErrorCode::unsupported);
  EXPECT_EQ(table("", without_header()), Table{});
  EXPECT_EQ(code_of([] { CsvReader("/nonexistent/x.csv"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([] { CsvReader("/tmp"); }), ErrorCode::io);
}

TEST(Csv, CapsHold) {
  CsvOptions options = without_header();
  options.max_field_bytes = 10;
  options.max_record_bytes = 30;
  options.max_columns = 4;
  const std::string field(11, 'x');
  EXPECT_EQ(code_of([&] { table(field, options); }), ErrorCode::out_of_memory);
  EXPECT_EQ(code_of([&] { table("1,2,3,4,5", options); }), ErrorCode::out_of_memory);
  EXPECT_EQ(code_of([&] { table("123456789,123456789,123456789,12", options); }),
            ErrorCode::out_of_memory);
  // A quote that is never closed stops at the cap, not at the end of a large file.
  EXPECT_EQ(code_of([&] { table("\"" + std::string(20'000'000, '\n'), without_header()); }),
            ErrorCode::out_of_memory);
  EXPECT_EQ(code_of([&] { table("\"" + std::string(2'000'000, '\n'), without_header()); }),
            ErrorCode::corrupt_data);
}

/// A reader that shares nothing with ours: byte by byte over the whole text.
Table naive(std::string_view text) {
  Table out(1);
  std::string field;
  bool quoted = false;
  const auto end_field = [&] { out.back().push_back(std::exchange(field, "")); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else if (c == '"') {
        quoted = false;
      } else {
        field += c;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      end_field();
    } else if (c == '\n') {
      end_field();
      out.emplace_back();
    } else if (c != '\r') {
      field += c;
    }
  }
  if (!out.back().empty() || !field.empty()) {
    end_field();
  } else {
    out.pop_back();
  }
  return out;
}

TEST(Csv, AgreesWithANaiveReaderAcrossBufferBorders) {
  // 3 MB of random fields, so that records of all kinds cross the borders of the 1 MiB buffer.
  RandomStream random(7, "csv");
  std::string text;
  const char* const pieces[] = {"abc",  "\xc3\xa9", "\"\"", ",",           "\n",
                                "12.5", "\r\n",     " ",    "\xe2\x82\xac"};
  while (text.size() < 3'000'000) {
    for (int column = 0; column < 5; ++column) {
      const bool quoted = random.below(3) == 0;
      if (column > 0) text += ',';
      if (quoted) text += '"';
      for (std::uint64_t n = random.below(20) + (column == 0); n > 0; --n) {
        text += quoted ? pieces[random.below(9)] : pieces[random.below(2)];
      }
      if (quoted) text += '"';
    }
    text += random.below(2) == 0 ? "\n" : "\r\n";
  }
  const Table expected = naive(text);
  EXPECT_EQ(table(text, without_header()), expected);

  const TemporaryFolder folder;
  write_file(folder.path() / "t.csv", text);
  CsvReader from_file(folder.path() / "t.csv", without_header());
  std::size_t row = 0;
  for (; from_file.next(); ++row) {
    ASSERT_EQ(from_file[0], expected[row][0]);
    ASSERT_EQ(from_file[4], expected[row][4]);
  }
  EXPECT_EQ(row, expected.size());
}

TEST(Csv, LongRecordsGrowTheBuffer) {
  std::string text = "a\n";
  text += "\"" + std::string(900'000, 'x') + "\"\n" + std::string(900'000, 'y') + "\n";
  const Table rows = table(text);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1][0].size(), 900'000u);
  EXPECT_EQ(rows[2][0], std::string(900'000, 'y'));
}

TEST(Csv, WesternTextThatTurnsUpLate) {
  std::string text = "n\n";
  while (text.size() < 2'500'000) text += "plain ascii\n";
  text += "M\xfcller\n";
  CsvReader csv = reader(text);
  std::string last;
  while (csv.next()) last = csv[0];
  EXPECT_EQ(last, "M\xc3\xbcller");
  EXPECT_EQ(csv.encoding(), TextEncoding::windows1252);
}

TEST(CsvWriter, WritesWhatTheReaderReads) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "out.csv";
  const std::vector<std::string> header{"text", "real", "integer"};
  const std::vector<std::string> texts{"plain",   "a,b", "say \"hi\"", "two\nlines",
                                       " blank ", "",    "cr\rhere",   "\xc3\xa9"};
  CsvWriter writer(path, header);
  for (const std::string& text : texts) {
    writer.field(text).field(0.1).field(std::numeric_limits<std::int64_t>::min()).end_record();
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.commit();
  CsvReader csv(path);
  EXPECT_EQ(csv.header(), header);
  for (const std::string& text : texts) {
    ASSERT_TRUE(csv.next());
    EXPECT_EQ(csv[0], text);
    EXPECT_EQ(csv.real(1), 0.1);
    EXPECT_EQ(csv.integer(2), std::numeric_limits<std::int64_t>::min());
  }
  EXPECT_FALSE(csv.next());
}

TEST(CsvWriter, LoneEmptyFieldsSurvive) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "out.csv";
  CsvWriter writer(path, std::vector<std::string>{"a"}, {.delimiter = ';', .crlf = true});
  writer.field("").end_record();
  writer.field("x;y").end_record();
  writer.commit();
  EXPECT_EQ(read_text(path), "a\r\n\"\"\r\n\"x;y\"\r\n");
}

TEST(CsvWriter, ChecksTheShapeAndRefusesToOverwrite) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "out.csv";
  CsvWriter writer(path, std::vector<std::string>{"a", "b"});
  writer.field(1);
  EXPECT_EQ(code_of([&] { writer.end_record(); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { writer.commit(); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { CsvWriter(path, std::vector<std::string>{"a"}, {.delimiter = '"'}); }),
            ErrorCode::invalid_argument);
  write_file(path, "mine");
  EXPECT_EQ(code_of([&] { CsvWriter(path, std::vector<std::string>{"a"}); }), ErrorCode::conflict);
  EXPECT_EQ(read_text(path), "mine");
}

}  // namespace
}  // namespace sosia::formats
