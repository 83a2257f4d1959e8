#pragma once
// What every verb returns. One report renders as terminal text, as JSON (the stable contract) and
// as one self-contained HTML file. Verbs never print.

#include "sosia/core/value.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia {

/// A confidence interval of a scalar.
struct Interval {
  double low = 0;
  double high = 0;
  double level = 0.95;
  std::string method = {};  ///< "bootstrap over 40 subjects, 1000 replicates", "Wilson", ...
};

/// A named figure. JSON: `"<key>": value`, and its interval under `"intervals"`.
struct Scalar {
  std::string key = {};    ///< snake_case JSON key
  std::string label = {};  ///< for people; default: the key
  Value value = {};
  std::string unit = {};
  std::optional<Interval> interval = {};
  std::string note = {};  ///< the rule it was computed by, in a few words
};

struct Column {
  std::string key = {};    ///< snake_case JSON key
  std::string label = {};  ///< for people; default: the key
  std::string unit = {};
};

/// Rows of values. JSON: a list of objects under the table's key.
struct Table {
  std::string key = {};
  std::string title = {};
  std::vector<Column> columns = {};
  std::vector<std::vector<Value>> rows = {};  ///< each as long as `columns`
  std::string note = {};

  /// Appends a row. Throws internal when its length differs from the number of columns.
  void add(std::vector<Value> row);
};

enum class SeriesStyle { line, points, bars, dashed };

struct Series {
  std::string name = {};
  std::vector<double> x = {};
  std::vector<double> y = {};  ///< same length as x; NaN leaves a gap
  SeriesStyle style = SeriesStyle::line;
};

/// A chart. JSON: under `"plots"`, so that other front-ends can draw it. A series of more than 512
/// points is thinned for JSON and HTML (ends, extremes and the shape are kept) and says so. A point
/// at or below zero leaves a gap on a logarithmic axis.
struct Plot {
  std::string key = {};
  std::string title = {};
  std::string x_label = {};
  std::string y_label = {};
  bool x_log = false;
  bool y_log = false;
  std::vector<Series> series = {};
  std::string note = {};
};

/// An encoded picture (the image room encodes). In HTML it is inlined; JSON names it without bytes.
struct Picture {
  std::string caption = {};
  std::string media_type = {};  ///< "image/png" or "image/jpeg"
  std::vector<std::byte> bytes = {};
};

/// Pictures that belong together, shown in one row.
struct PictureRow {
  std::string key = {};
  std::string title = {};
  std::vector<Picture> pictures = {};
};

/// A demanded bound ("--min-auc 0.9"). A failed gate makes the exit status 5.
struct Gate {
  std::string name = {};
  bool passed = false;
  std::string detail = {};
};

/// The result of a verb. Build it with the adders (each returns the report or the stored part);
/// the order of calls is the order of presentation. A plain value. Thread-safety: as `std::vector`.
///
/// Keys of scalars, groups, tables and data are members of one JSON object: unique, not empty, and
/// none of "schema", "intervals", "plots", "pictures", "gates", "verdict", "warnings". Keys of
/// plots are unique among plots, keys of picture rows among picture rows. The adders throw internal
/// otherwise, and for a picture that is neither PNG nor JPEG; the renderers throw internal for a
/// row or series of the wrong length.
class Report {
 public:
  /// `name` is the schema name without "sosia.", e.g. "evaluate.verification".
  Report(std::string name, std::string title, int schema_version = 1);

  Report& scalar(Scalar scalar);
  Report& scalar(std::string key, Value value, std::string label = {}, std::string note = {});
  /// Figures under one key: JSON `"tar_at_far": {"1e-1": .., "1e-2": ..}`; shown as a small table.
  Report& group(std::string key, std::string label,
                std::vector<std::pair<std::string, Value>> items, std::string note = {});
  /// The reference stays valid until the next table is added.
  Table& table(std::string key, std::string title, std::vector<Column> columns,
               std::string note = {});
  /// The reference stays valid until the next plot is added.
  Plot& plot(Plot plot);
  Report& pictures(PictureRow row);
  /// Data for machines only: a JSON member that is not shown to people.
  Report& data(std::string key, Value value);
  /// A paragraph for people; not in JSON.
  Report& text(std::string paragraph);
  Report& warning(std::string sentence);
  /// The answer in one sentence.
  Report& verdict(std::string sentence);
  Report& gate(std::string name, bool passed, std::string detail);

  const std::string& name() const noexcept { return name_; }
  const std::string& title() const noexcept { return title_; }
  int schema_version() const noexcept { return schema_version_; }
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }
  const std::string& verdict() const noexcept { return verdict_; }
  const std::vector<Gate>& gates() const noexcept { return gates_; }
  bool gates_passed() const noexcept;

  /// One presented part: index into the vector of its kind.
  enum class Kind { scalar, group, table, plot, pictures, data, text };
  struct Part {
    Kind kind;
    std::size_t index = {};
  };
  struct Group {
    std::string key = {};
    std::string label = {};
    std::vector<std::pair<std::string, Value>> items = {};
    std::string note = {};
  };
  const std::vector<Part>& parts() const noexcept { return parts_; }
  const std::vector<Scalar>& scalars() const noexcept { return scalars_; }
  const std::vector<Group>& groups() const noexcept { return groups_; }
  const std::vector<Table>& tables() const noexcept { return tables_; }
  const std::vector<Plot>& plots() const noexcept { return plots_; }
  const std::vector<PictureRow>& picture_rows() const noexcept { return picture_rows_; }
  const std::vector<std::pair<std::string, Value>>& data() const noexcept { return data_; }
  const std::vector<std::string>& texts() const noexcept { return texts_; }

 private:
  /// `space` is "" for members of the JSON object, "plots" or "pictures".
  void claim_key(std::string_view space, const std::string& key);

  std::string name_, title_, verdict_;
  int schema_version_;
  std::vector<Part> parts_;
  std::vector<Scalar> scalars_;
  std::vector<Group> groups_;
  std::vector<Table> tables_;
  std::vector<Plot> plots_;
  std::vector<PictureRow> picture_rows_;
  std::vector<std::pair<std::string, Value>> data_;
  std::vector<std::string> texts_, warnings_, keys_;
  std::vector<Gate> gates_;
};

struct TerminalStyle {
  std::size_t width = 80;  ///< columns
  bool colour = false;     ///< ANSI escapes
  bool verdict = true;     ///< false: it stands there already
};

/// Text for people: verdict, scalars, tables cut to the width (at least 20 columns are used),
/// gates, one line that says where to see plots and pictures, warnings last. Control characters and
/// invalid UTF-8 in texts are shown as escapes. Ends with a newline.
std::string render_terminal(const Report& report, const TerminalStyle& style = {});

/// `text` without what a terminal would obey: control characters and invalid UTF-8 as escapes, line
/// breaks and tabs as they are, no carriage returns.
std::string terminal_text(std::string_view text);

/// The stable contract: {"schema": "sosia.<name>/<version>", ...members..., "intervals", "plots",
/// "pictures", "gates", "verdict", "warnings"}; absent sections are left out but for "warnings".
Value report_to_value(const Report& report);

/// One HTML file that opens offline: tables, inlined pictures, plots by Chart.js (inlined), and the
/// run's manifest folded away at the end. All text is escaped, and the page's own policy forbids
/// every network access. Tables show their first 5000 rows.
std::string render_html(const Report& report, const Value& manifest = {});

/// A figure for people: four significant digits (never fewer than the integer part), integers
/// whole, scientific below 1e-4 and from 1e7 on, null and NaN as "-", booleans as yes and no, lists
/// joined by commas, text as it is (not made safe for any output).
std::string format_figure(const Value& value);

}  // namespace sosia
