#include "common.hpp"
#include "core/embedded.hpp"
#include "core/report_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace sosia {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

template <class Call>
std::string internal_error(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::internal);
    return error.message();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t i = text.find(part); i != std::string_view::npos; i = text.find(part, i + 1))
    ++n;
  return n;
}

/// Every kind of part once, with the given texts in all places that show text.
Report report_with(const std::string& a, const std::string& b, const std::string& c) {
  Report report("evaluate.verification", a);
  report.verdict(b).warning(c).warning(a).gate(b, true, c).gate(a, false, b);
  report.scalar(Scalar{"auc", c, 0.5, a, Interval{0.4, 0.6, 0.95, b}, a});
  report.scalar("words", Value(b), a, c);
  report.group("group", a, {{"x" + a, b}, {"y" + c, 1}}, c);
  Table& table = report.table("table", b, {{"k", a, b}, {"l", c, ""}}, c);
  table.add({a, b});
  table.add({c, Value::list({a, Value::object({{b, c}})})});
  report.plot(Plot{"plot", b, c, a, false, false, {{a, {0, 1}, {0, 1}, SeriesStyle::line}}, b});
  report.pictures({"pictures", a, {{"p" + c, "image/png", bytes_of("Man")}}});
  report.text(c).data("machine", a);
  return report;
}

Value manifest_with(const std::string& a, const std::string& b) {
  return Value::object({{"seed", 7}, {a, b}, {"options", Value::object({{b, a}})}});
}

const std::string kHostile =
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\x1b[31m\x1b]0;t\x07\r"
    "\n\xff\xc0\xaf\xc2\x9b"
    "2J\xe2\x80\xae";

// JSON

TEST(ReportJson, FollowsTheContract) {
  Report report("evaluate.verification", "Verification");
  report.scalar(Scalar{"auc", "AUC", 0.75, "", Interval{0.7, 0.8, 0.95, "Wilson"}, "rule"});
  report.group("tar_at_far", "TAR at FAR", {{"1e-1", 0.9}, {"1e-2", nullptr}});
  report.text("for people only");
  report.plot({"roc", "ROC", "FMR", "TMR", true, false, {{"a", {0.1, 1}, {0, 1}}}, "a note"});
  Table& table = report.table("rows", "Rows", {{"name", "", ""}, {"score", "", "s"}});
  table.add({"one", 1});
  table.add({"two", kNaN});
  report.data("raw", Value::list({1, 2}));
  report.pictures({"faces", "Faces", {{"probe", "image/jpeg", bytes_of("12345")}}});
  report.gate("--min-auc 0.9", false, "AUC is 0.75").verdict("yes").warning("careful");
  EXPECT_EQ(to_json(report_to_value(report)), R"({
  "schema": "sosia.evaluate.verification/1",
  "auc": 0.75,
  "tar_at_far": {
    "1e-1": 0.9,
    "1e-2": null
  },
  "rows": [
    {
      "name": "one",
      "score": 1
    },
    {
      "name": "two",
      "score": null
    }
  ],
  "raw": [
    1,
    2
  ],
  "intervals": {
    "auc": {
      "low": 0.7,
      "high": 0.8,
      "level": 0.95,
      "method": "Wilson"
    }
  },
  "plots": [
    {
      "key": "roc",
      "title": "ROC",
      "x_label": "FMR",
      "y_label": "TMR",
      "x_log": true,
      "y_log": false,
      "series": [
        {
          "name": "a",
          "style": "line",
          "x": [
            0.1,
            1.0
          ],
          "y": [
            0.0,
            1.0
          ]
        }
      ],
      "note": "a note"
    }
  ],
  "pictures": [
    {
      "key": "faces",
      "title": "Faces",
      "pictures": [
        {
          "caption": "probe",
          "media_type": "image/jpeg",
          "bytes_length": 5
        }
      ]
    }
  ],
  "gates": [
    {
      "name": "--min-auc 0.9",
      "passed": false,
      "detail": "AUC is 0.75"
    }
  ],
  "verdict": "yes",
  "warnings": [
    "careful"
  ]
})");
}

TEST(ReportJson, AnEmptyReportHasItsSchemaAndNoWarnings) {
  EXPECT_EQ(to_json(report_to_value(Report("a.b", "", 3)), -1),
            R"({"schema":"sosia.a.b/3","warnings":[]})");
}

TEST(ReportJson, SurvivesHostileTexts) {
  const std::string json = to_json(report_to_value(report_with(kHostile, kHostile, kHostile)));
  EXPECT_TRUE(valid_utf8(json));
  const Value value = parse_json(json);
  EXPECT_TRUE(contains(value.at("verdict").as_text(), "<script>alert(1)</script>\"'>"));
}

TEST(ReportJson, ThinsLongSeriesAndSaysSo) {
  Series series{"s", {}, {}, SeriesStyle::line};
  for (int i = 0; i < 1000; ++i) {
    series.x.push_back(i);
    series.y.push_back(std::sin(i * 0.05));
  }
  Report report("a.b", "");
  report.plot({"p", "", "", "", false, false, {series}, ""});
  const Value item = report_to_value(report).at("plots").as_list()[0].at("series").as_list()[0];
  EXPECT_TRUE(item.at("decimated").as_boolean());
  EXPECT_EQ(item.at("points_length").as_integer(), 1000);
  EXPECT_EQ(item.at("x").as_list().size(), report::kMostPoints);
  EXPECT_EQ(item.at("y").as_list().size(), report::kMostPoints);
}

// What the adders and the renderers refuse

TEST(Report, RefusesReservedDuplicateAndEmptyKeys) {
  Report report("a.b", "");
  for (const char* key :
       {"schema", "intervals", "plots", "pictures", "gates", "verdict", "warnings"}) {
    EXPECT_TRUE(contains(internal_error([&] { report.scalar(key, 1); }), "reserved")) << key;
    EXPECT_TRUE(contains(internal_error([&] { report.data(key, 1); }), "reserved")) << key;
    EXPECT_TRUE(contains(internal_error([&] { report.table(key, "", {}); }), "reserved")) << key;
    EXPECT_TRUE(contains(internal_error([&] { report.group(key, "", {}); }), "reserved")) << key;
  }
  report.scalar("x", 1);
  EXPECT_TRUE(contains(internal_error([&] { report.group("x", "", {}); }), "\"x\" appears twice"));
  EXPECT_TRUE(contains(internal_error([&] { report.data("", 1); }), "empty key"));
  EXPECT_TRUE(contains(
      internal_error([&] { report.table("t", "", {{"a", "", ""}, {"a", "", ""}}); }), "\"a\""));
  EXPECT_TRUE(
      contains(internal_error([&] { report.group("g", "", {{"a", 1}, {"a", 2}}); }), "\"a\""));
  // Nothing of what was refused is left behind.
  EXPECT_EQ(to_json(report_to_value(report), -1),
            R"({"schema":"sosia.a.b/1","x":1,"warnings":[]})");
}

TEST(Report, PlotsAndPicturesHaveKeysOfTheirOwn) {
  Report report("a.b", "");
  report.table("roc", "", {{"x", "", ""}});
  report.plot({"roc", "", "", "", false, false, {}, ""});
  report.pictures({"roc", "", {}});
  internal_error([&] { report.plot({"roc", "", "", "", false, false, {}, ""}); });
  internal_error([&] { report.pictures({"roc", "", {}}); });
}

TEST(Report, RefusesRowsAndSeriesOfTheWrongLength) {
  Report report("a.b", "");
  Table& table = report.table("t", "", {{"a", "", ""}, {"b", "", ""}});
  EXPECT_TRUE(contains(internal_error([&] { table.add({1}); }), "1 cells for 2 columns"));
  table.rows.push_back({1, 2, 3});
  for (int i = 0; i < 3; ++i) {
    const std::string message = internal_error([&] {
      if (i == 0) render_terminal(report);
      if (i == 1) render_html(report);
      if (i == 2) report_to_value(report);
    });
    EXPECT_EQ(message, "table \"t\": row 0 has 3 cells for 2 columns");
  }
  Report plotted("a.b", "");
  plotted.plot({"p", "", "", "", false, false, {{"s", {1, 2}, {1}}}, ""});
  EXPECT_TRUE(contains(internal_error([&] { render_html(plotted); }), "2 x for 1 y"));
}

TEST(Report, RefusesPicturesThatBrowsersCouldRun) {
  Report report("a.b", "");
  EXPECT_TRUE(contains(
      internal_error([&] { report.pictures({"p", "", {{"", "image/svg+xml", {}}}}); }), "svg"));
}

TEST(Report, PassesWhenAllGatesPass) {
  Report report("a.b", "");
  EXPECT_TRUE(report.gates_passed());
  report.gate("a", true, "");
  EXPECT_TRUE(report.gates_passed());
  report.gate("b", false, "");
  EXPECT_FALSE(report.gates_passed());
}

// Figures

TEST(FormatFigure, RoundsToFourDigits) {
  const std::pair<Value, const char*> cases[] = {
      {0.12345, "0.1235"},
      {0.5, "0.5"},
      {12.3456, "12.35"},
      {999.94, "999.9"},
      {1234.5678, "1235"},
      {1234567.8, "1234568"},
      {3.0, "3"},
      {-2.5, "-2.5"},
      {0.0, "0"},
      {-0.0, "0"},
      {1e-4, "0.0001"},
      {0.99e-4, "9.9e-5"},
      {1.23456e-7, "1.235e-7"},
      {1e7, "1e7"},
      {2.5e12, "2.5e12"},
      {0.99996, "1.000"},
      {-0.99999, "-1.000"},
      {38.9999, "39.00"},
      {9.99999, "10.00"},
      {kNaN, "-"},
      {HUGE_VAL, "inf"},
      {-HUGE_VAL, "-inf"},
      {123456789, "123456789"},
      {-7, "-7"},
      {Value(), "-"},
      {true, "yes"},
      {false, "no"},
      {"text", "text"},
      {Value::list({1, "a", 0.25}), "1, a, 0.25"},
      {Value::list(), "-"},
      {Value::object({{"a", 1}}), R"({"a":1})"},
  };
  for (const auto& [value, expected] : cases) {
    EXPECT_EQ(format_figure(value), expected) << to_json(value);
  }
}

// Terminal

/// Removes the colour escapes that the renderer itself writes.
std::string without_colour(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\x1b[") {
      i = text.find('m', i);
    } else {
      plain += text[i];
    }
  }
  return plain;
}

void expect_calm(const std::string& text, std::size_t width) {
  ASSERT_TRUE(valid_utf8(text));
  ASSERT_TRUE(text.ends_with('\n'));
  for (const std::string_view line : split(text, '\n')) {
    EXPECT_LE(display_width(line), width) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
    for (std::size_t i = 0; i < line.size();) {
      const report::Glyph glyph = report::glyph_at(line, i);
      EXPECT_FALSE(report::is_control(glyph.point)) << quote(line, 1000);
      i += glyph.bytes.size();
    }
  }
}

std::string random_text(std::mt19937& generator) {
  static const std::vector<std::string> kPieces = {
      "a",
      "word",
      " ",
      " ",
      "averyveryverylongwordthatnolinecanholdwithoutbreakingitsomewhere",
      "path/to/some/file.jpg",
      "\xe8\xa5\xbf\xe9\x97\xa8\xe5\xad\x90",
      "\n",
      "\t",
      "\x1b[2J",
      "\xff",
      "e\xcc\x81",
      "\xf0\x9f\x98\x80",
      "\xc2\x9b",
      "\"",
      "<",
      "&",
      "0.5",
      "\r\n",
      "\xe2\x80\xae"};
  std::string text;
  for (std::size_t n = generator() % 8; n > 0; --n) text += kPieces[generator() % kPieces.size()];
  return text;
}

Value random_value(std::mt19937& generator) {
  switch (generator() % 6) {
    case 0:
      return Value();
    case 1:
      return Value(static_cast<int>(generator() % 100000));
    case 2:
      return Value(
          std::ldexp(static_cast<double>(generator()), -static_cast<int>(generator() % 90)));
    case 3:
      return Value(generator() % 2 == 0);
    default:
      return Value(random_text(generator));
  }
}

Report random_report(unsigned seed) {
  std::mt19937 generator(seed);
  const auto text = [&] { return random_text(generator); };
  Report report("a.b", text());
  if (seed % 2 == 0) report.verdict(text());
  for (std::size_t i = 0, n = 1 + generator() % 10; i < n; ++i) {
    const std::string key = "k" + std::to_string(i);
    switch (generator() % 6) {
      case 0:
        report.scalar(Scalar{key, text(), random_value(generator), text(), {}, text()});
        break;
      case 1:
        report.scalar(Scalar{key, text(), 0.123456, "", Interval{1e-9, 1e12, 0.9, text()}, text()});
        break;
      case 2:
        report.group(key, text(), {{"a" + text(), random_value(generator)}, {"b", 1}}, text());
        break;
      case 3: {
        std::vector<Column> columns;
        for (std::size_t c = 0, m = 1 + generator() % 9; c < m; ++c) {
          columns.push_back({"c" + std::to_string(c), text(), text()});
        }
        Table& table = report.table(key, text(), columns, text());
        const bool numeric = generator() % 2 == 0;
        for (std::size_t r = generator() % 40; r > 0; --r) {
          std::vector<Value> row;
          for (std::size_t c = 0; c < columns.size(); ++c) {
            row.push_back(numeric && c % 2 == 0 ? Value(static_cast<double>(generator()) * 1e-5)
                                                : random_value(generator));
          }
          table.add(std::move(row));
        }
        break;
      }
      case 4:
        report.plot({key, text(), text(), text(), false, false, {}, text()});
        break;
      default:
        report.text(text());
    }
  }
  return report.warning(text()).warning(text()).gate(text(), seed % 3 == 0, text());
}

TEST(ReportTerminal, NeverExceedsTheWidth) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    const Report report = random_report(seed);
    for (const std::size_t width : {20u, 40u, 57u, 80u, 200u}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", width " + std::to_string(width));
      const std::string plain = render_terminal(report, {width, false});
      expect_calm(plain, width);
      EXPECT_EQ(without_colour(render_terminal(report, {width, true})), plain);
      if (HasFailure()) return;
    }
  }
}

TEST(ReportTerminal, MakesHostileTextsHarmless) {
  for (const std::size_t width : {40u, 80u, 200u}) {
    const std::string text = render_terminal(report_with(kHostile, kHostile, kHostile), {width});
    expect_calm(text, width);
  }
  Report report("a.b", "t\x1b[2J\xff\xc2\x9b\nx\xe2\x80\xae");
  EXPECT_EQ(render_terminal(report), "t\\x1b[2J\\xff\\x9b x\\u202e\n");
}

TEST(ReportTerminal, LeavesOutAVerdictThatStandsThere) {
  Report report("t", "title");
  report.verdict("what came bit by bit").scalar("n", 1);
  EXPECT_NE(render_terminal(report).find("bit by bit"), std::string::npos);
  const std::string rest = render_terminal(report, {.verdict = false});
  EXPECT_EQ(rest.find("bit by bit"), std::string::npos);
  EXPECT_NE(rest.find("title"), std::string::npos);
}

TEST(TerminalText, KeepsLinesAndDisarmsControls) {
  EXPECT_EQ(terminal_text("a\n\tb  "), "a\n\tb  ");
  EXPECT_EQ(terminal_text("a\r\nb\rc"), "a\nbc");
  const std::string hostile = terminal_text("\x1b[2J\x07\xff");
  EXPECT_EQ(hostile.find('\x1b'), std::string::npos);
  EXPECT_NE(hostile.find("\\x1b[2J\\x07\\xff"), std::string::npos);
}

TEST(ReportTerminal, AlignsScalarsAndNamesTheirIntervals) {
  Report report("a.b", "Title");
  report.verdict("It is the same one.");
  report.scalar(Scalar{"a", "AUC", 0.98765, "", Interval{0.981, 0.992, 0.95, "Wilson"}, "a rule"});
  report.scalar(Scalar{"wall", "", 12.3456, "s", {}, "measured"});
  report.scalar("missing", nullptr);
  EXPECT_EQ(render_terminal(report),
            "Title\n"
            "It is the same one.\n"
            "\n"
            "  AUC      0.9877   [0.981, 0.992]  a rule\n"
            "  wall     12.35 s                  measured\n"
            "  missing  -\n"
            "  intervals: 95%, Wilson\n");
}

TEST(ReportTerminal, CutsTablesAndSaysWhatIsHidden) {
  Report report("a.b", "Title");
  Table& table = report.table(
      "rows", "Rows", {{"name", "Name", ""}, {"score", "Score", "%"}, {"note", "Note", ""}});
  for (int i = 0; i < 33; ++i) table.add({"n" + std::to_string(i), i * 1.5, std::string(50, 'x')});
  const std::string wide = render_terminal(report, {80});
  EXPECT_TRUE(contains(wide, "\n  Name  Score (%)  Note\n")) << wide;
  EXPECT_TRUE(contains(wide, "\n  n29        43.5  " + std::string(50, 'x') + "\n")) << wide;
  EXPECT_FALSE(contains(wide, "n30")) << wide;
  EXPECT_TRUE(contains(wide, "\n  ... and 3 more rows; --json shows all\n")) << wide;
  const std::string middle = render_terminal(report, {40});
  EXPECT_TRUE(contains(middle, "\n  n1          1.5  xxxxxxxxxxxxxxxxxx...\n")) << middle;
  const std::string narrow = render_terminal(report, {28});
  EXPECT_TRUE(contains(narrow, "\n  n1          1.5\n")) << narrow;
  EXPECT_TRUE(contains(narrow, "3 more rows and 1")) << narrow;
}

TEST(ReportTerminal, CutsPathsInTheMiddle) {
  Report report("a.b", "Title");
  Table& table = report.table("rows", "Rows", {{"file", "", ""}});
  table.add({"a/very/long/folder/with/many/parts/and/0001.jpg"});
  const std::string text = render_terminal(report, {30});
  EXPECT_TRUE(contains(text, "\n  a/very/lo...rts/and/0001.jpg\n")) << text;
}

TEST(ReportTerminal, ShowsGatesPlotsPicturesAndWarningsAtTheEnd) {
  Report report("a.b", "Title");
  report.warning("first");
  report.plot({"roc", "ROC curve", "", "", false, false, {}, ""});
  report.plot({"det", "", "", "", false, false, {}, ""});
  report.pictures({"faces", "", {{"", "image/png", {}}}});
  report.gate("--min-auc 0.9", true, "AUC is 0.95").gate("--max-eer 1", false, "");
  report.data("machine", "not for people");
  EXPECT_EQ(render_terminal(report),
            "Title\n"
            "\n"
            "  pass  --min-auc 0.9  AUC is 0.95\n"
            "  FAIL  --max-eer 1\n"
            "\n"
            "--html FILE draws 2 plots (ROC curve and det) and shows 1 picture\n"
            "\n"
            "warning: first\n");
  EXPECT_TRUE(contains(render_terminal(report, {80, true}), "\x1b[1;31mFAIL\x1b[0m"));
}

TEST(ReportTerminal, AnEmptyReportIsItsTitle) {
  EXPECT_EQ(render_terminal(Report("a.b", "Title")), "Title\n");
  EXPECT_EQ(render_terminal(Report("a.b", "")), "a.b\n");
  Report report("a.b", "Title");
  report.table("t", "Table", {{"c", "", ""}});
  EXPECT_EQ(render_terminal(report), "Title\n\nTable\n  (no rows)\n");
}

// HTML

/// The tags of a page with their attributes' names, without texts and attributes' values: what
/// must not depend on any text of the report. Also checks that elements are nested properly.
std::string skeleton(std::string_view html) {
  std::string out;
  std::vector<std::string> open;
  for (std::size_t i = 0; (i = html.find('<', i)) != std::string_view::npos;) {
    const bool closes = html[i + 1] == '/';
    if (closes) ++i;
    const std::size_t name_end = html.find_first_of(" >", i);
    const std::string name(html.substr(i + 1, name_end - i - 1));
    out += closes ? "</" : "<";
    out += name;
    i = name_end;
    while (html[i] != '>') {
      const std::size_t end = html.find_first_of("=> ", i + 1);
      out += html.substr(i, end - i);
      i = end;
      if (html[i] != '=') continue;
      EXPECT_EQ(html[i + 1], '"');
      i = html.find('"', i + 2) + 1;
    }
    out += ">\n";
    if (closes) {
      EXPECT_FALSE(open.empty());
      if (open.empty()) return out;
      EXPECT_EQ(open.back(), name);
      open.pop_back();
    } else if (name != "meta" && name != "img" && name != "!DOCTYPE") {
      open.push_back(name);
      if (name == "script" || name == "style") i = html.find("</" + name, i);
    }
  }
  EXPECT_TRUE(open.empty());
  return out;
}

TEST(ReportHtml, HostileTextsChangeNoTag) {
  const std::string plain = render_html(report_with("a", "b", "c"), manifest_with("one", "two"));
  const std::string hostile = render_html(report_with(kHostile, kHostile + "b", kHostile + "c"),
                                          manifest_with(kHostile, kHostile));
  // Long cells get the class "long", so the attribute may be there or not.
  const auto without_class = [](std::string text) {
    for (std::size_t i; (i = text.find("td class")) != std::string::npos;) text.erase(i + 2, 6);
    return text;
  };
  EXPECT_EQ(without_class(skeleton(hostile)), without_class(skeleton(plain)));
  EXPECT_TRUE(valid_utf8(hostile));
  EXPECT_FALSE(contains(hostile, "<script>alert"));
  EXPECT_FALSE(contains(hostile, "<img src=x"));
  EXPECT_FALSE(contains(hostile, "\x1b"));
  EXPECT_TRUE(contains(hostile, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img"));
}

TEST(ReportHtml, GeneratedReportsAreWellFormed) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    const std::string html = render_html(random_report(seed), manifest_with("a", "b"));
    EXPECT_TRUE(valid_utf8(html));
    EXPECT_FALSE(skeleton(html).empty());
    if (HasFailure()) return;
  }
}

TEST(ReportHtml, ForbidsTheNetworkAndLoadsNothing) {
  const std::string html = render_html(report_with("a", "b", "c"));
  EXPECT_TRUE(contains(
      html,
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
      "form-action 'none'\">"));
  EXPECT_EQ(count(html, "src=\""), count(html, "src=\"data:image/"));
  EXPECT_FALSE(contains(html, "<link"));
  EXPECT_FALSE(contains(html, "url("));
  EXPECT_TRUE(contains(html, "<html lang=\"en\">"));
  EXPECT_TRUE(contains(html, "<img src=\"data:image/png;base64,TWFu\" alt=\"pc\">"));
}

TEST(ReportHtml, CarriesChartJsOnlyWithPlots) {
  const std::string with_plot = render_html(report_with("a", "b", "c"));
  EXPECT_TRUE(contains(with_plot, embedded::chart_js()));
  EXPECT_TRUE(contains(with_plot, "<noscript>"));
  Report report("a.b", "Title");
  report.scalar("auc", 0.9).table("t", "", {{"c", "", ""}}).add({1});
  const std::string without = render_html(report);
  EXPECT_FALSE(contains(without, "<script"));
  EXPECT_LT(without.size(), 30'000u);
}

TEST(ReportHtml, PlotDataSurviveTheirScriptElement) {
  const Report report = report_with(kHostile, "b", "c");
  const std::string html = render_html(report);
  const std::string_view open = "<script type=\"application/json\" id=\"plot-0\">";
  const std::size_t begin = html.find(open) + open.size();
  const std::string data = html.substr(begin, html.find("</script>", begin) - begin);
  EXPECT_FALSE(contains(data, "<"));
  EXPECT_EQ(to_json(parse_json(data)), to_json(report::plot_value(report.plots()[0])));
}

TEST(ReportHtml, RightAlignsNumbersAndKeepsExactValuesForSorting) {
  Report report("a.b", "Title");
  Table& table = report.table("t", "", {{"n", "", "s"}, {"w", "", ""}});
  table.add({0.123456, "x"});
  table.add({kNaN, nullptr});
  const std::string html = render_html(report);
  EXPECT_TRUE(
      contains(html, "<th scope=\"col\" class=\"n\">n <span class=\"unit\">(s)</span></th>"));
  EXPECT_TRUE(contains(html, "<td class=\"n\" data-v=\"0.123456\">0.1235</td><td>x</td>")) << html;
  EXPECT_TRUE(contains(html, "<td class=\"n none\">-</td><td class=\"none\">-</td>"));
  EXPECT_TRUE(contains(html, "class=\"sortable\""));
}

TEST(ReportHtml, LimitsRowsAndSaysSo) {
  Report report("a.b", "Title");
  Table& table = report.table("t", "", {{"n", "", ""}});
  for (int i = 0; i < 5001; ++i) table.add({i});
  const std::string html = render_html(report);
  EXPECT_EQ(count(html, "<tr>"), 5001u);  // with the header's
  EXPECT_TRUE(contains(html, "The first 5000 of 5001 rows"));
}

TEST(ReportHtml, FoldsTheManifestAway) {
  const Value manifest = Value::object({{"seed", 7}, {"options", Value::object({{"far", 1e-3}})}});
  const std::string html = render_html(Report("a.b", "Title"), manifest);
  EXPECT_TRUE(contains(html, "<details><summary>How this was made</summary>"));
  EXPECT_TRUE(contains(html, "<tr><td>seed</td><td><code>7</code></td></tr>"));
  EXPECT_TRUE(contains(html, "<h3>options</h3>"));
  EXPECT_TRUE(contains(html, "<tr><td>far</td><td><code>0.001</code></td></tr>"));
  EXPECT_FALSE(contains(render_html(Report("a.b", "Title")), "<details>"));
}

TEST(Embedded, FilesAreWholeAndFitIntoScriptElements) {
  EXPECT_TRUE(embedded::chart_js().starts_with("/*!\n * Chart.js v3"));
  EXPECT_TRUE(contains(embedded::chart_js(), "MIT License"));
  EXPECT_TRUE(contains(embedded::report_css(), "prefers-color-scheme: dark"));
  EXPECT_TRUE(trim(embedded::report_js()).ends_with("})();"));
  for (const std::string_view text : {embedded::chart_js(), embedded::report_js()}) {
    EXPECT_FALSE(contains(ascii_lower(text), "</script"));
    EXPECT_FALSE(contains(text, "<!--"));
    EXPECT_TRUE(valid_utf8(text));
  }
  EXPECT_FALSE(contains(embedded::report_css(), "</"));
}

// Thinning

Series long_roc(std::size_t n) {
  Series series{"roc", {}, {}, SeriesStyle::line};
  for (std::size_t i = 0; i < n; ++i) {
    const double z = 6 - 12 * static_cast<double>(i) / static_cast<double>(n - 1);
    series.x.push_back(0.5 * std::erfc(z / std::sqrt(2.0)));
    series.y.push_back(0.5 * std::erfc((z - 3) / std::sqrt(2.0)));
  }
  return series;
}

/// Largest vertical distance, with x on a logarithmic axis, between a curve and its thinned form.
double deviation(const Series& series, const report::ThinnedSeries& thinned) {
  double worst = 0;
  std::size_t k = 1;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    while (k + 1 < thinned.x.size() && thinned.x[k] < series.x[i]) ++k;
    const double left = std::log10(thinned.x[k - 1]), right = std::log10(thinned.x[k]);
    const double t = right > left ? (std::log10(series.x[i]) - left) / (right - left) : 0;
    worst = std::max(
        worst, std::abs(thinned.y[k - 1] + t * (thinned.y[k] - thinned.y[k - 1]) - series.y[i]));
  }
  return worst;
}

TEST(ThinSeries, KeepsTheShapeOnLogarithmicAxes) {
  const Series series = long_roc(100'000);
  const report::ThinnedSeries thinned = report::thin_series(series, true, false);
  EXPECT_TRUE(thinned.decimated);
  EXPECT_EQ(thinned.x.size(), report::kMostPoints);
  EXPECT_EQ(thinned.x.front(), series.x.front());
  EXPECT_EQ(thinned.x.back(), series.x.back());
  const double observed = deviation(series, thinned);
  EXPECT_LT(observed, 1e-4);  // observed: 7e-6
  const report::ThinnedSeries again = report::thin_series(series, true, false);
  EXPECT_EQ(again.x, thinned.x);
  EXPECT_EQ(again.y, thinned.y);
}

TEST(ThinSeries, KeepsExtremesAndGaps) {
  for (const SeriesStyle style :
       {SeriesStyle::line, SeriesStyle::points, SeriesStyle::bars, SeriesStyle::dashed}) {
    Series series{"s", {}, {}, style};
    std::mt19937 generator(11);
    for (int i = 0; i < 20'000; ++i) {
      series.x.push_back(i);
      series.y.push_back(static_cast<double>(generator() % 1000));
    }
    series.y[7001] = 5000;
    series.y[12'345] = -5000;
    const bool is_line = style == SeriesStyle::line || style == SeriesStyle::dashed;
    if (is_line) std::fill(series.y.begin() + 300, series.y.begin() + 400, kNaN);
    const report::ThinnedSeries thinned = report::thin_series(series, false, false);
    EXPECT_LE(thinned.x.size(), report::kMostPoints);
    EXPECT_GT(thinned.x.size(), report::kMostPoints * 9 / 10);
    EXPECT_EQ(thinned.x.front(), 0);
    EXPECT_EQ(thinned.x.back(), 19'999);
    EXPECT_TRUE(std::is_sorted(thinned.x.begin(), thinned.x.end()));
    EXPECT_EQ(std::count(thinned.y.begin(), thinned.y.end(), 5000), 1);
    EXPECT_EQ(std::count(thinned.y.begin(), thinned.y.end(), -5000), 1);
    for (std::size_t i = 0; i < thinned.x.size(); ++i) {
      const double original = series.y[static_cast<std::size_t>(thinned.x[i])];
      EXPECT_TRUE(thinned.y[i] == original || std::isnan(original));
    }
    if (!is_line) continue;
    for (const double border : {299.0, 300.0, 399.0, 400.0}) {
      EXPECT_EQ(std::count(thinned.x.begin(), thinned.x.end(), border), 1) << border;
    }
  }
}

TEST(ThinSeries, WithstandsDegenerateSeries) {
  std::vector<double> nothing(1000, kNaN), same(1000, 4.0), zero(1000, 0.0);
  std::vector<double> huge(1000, -1.7e308), holes(1000, 1.0), up(1000);
  std::fill(huge.begin() + 500, huge.end(), 1.7e308);
  for (std::size_t i = 0; i < 1000; ++i) up[i] = static_cast<double>(i);
  for (std::size_t i = 0; i < 1000; i += 2) holes[i] = kNaN;
  for (const std::vector<double>* y : {&nothing, &same, &zero, &huge, &holes}) {
    for (const SeriesStyle style : {SeriesStyle::line, SeriesStyle::points}) {
      for (const bool log : {false, true}) {
        const auto thinned = report::thin_series({"s", up, *y, style}, log, log);
        EXPECT_TRUE(thinned.decimated);
        EXPECT_GE(thinned.x.size(), 2u);
        EXPECT_LE(thinned.x.size(), report::kMostPoints);
        EXPECT_EQ(thinned.x.size(), thinned.y.size());
      }
    }
  }
  const report::ThinnedSeries empty = report::thin_series({"s", {}, {}}, false, false);
  EXPECT_FALSE(empty.decimated);
  EXPECT_TRUE(empty.x.empty());
}

}  // namespace
}  // namespace sosia
