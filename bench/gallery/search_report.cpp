// Draws what compare_search.py measured: search_report RESULTS.json REPORT.html
//
// RESULTS holds "title", "about" (figures), "tables" ({key, title, note, columns, rows}) and
// "plots"
// ({key, title, x_label, y_label, y_log, series: [{name, x, y}]}).

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/report.hpp"

#include <cstdio>
#include <string>

#include <fmt/format.h>

namespace {

using namespace sosia;

std::string text(const Value& of, std::string_view key) {
  return of.at(key).as_text();
}

std::vector<double> numbers(const Value& list) {
  std::vector<double> out;
  for (const Value& value : list.as_list()) out.push_back(value.as_real());
  return out;
}

void add_tables(Report& report, const Value& results) {
  for (const Value& given : results.at("tables").as_list()) {
    std::vector<Column> columns;
    for (const Value& column : given.at("columns").as_list()) {
      columns.push_back({column.as_text(), "", ""});
    }
    Table& table =
        report.table(text(given, "key"), text(given, "title"), columns, text(given, "note"));
    for (const Value& row : given.at("rows").as_list()) {
      table.add(row.as_list());
    }
  }
}

void add_plots(Report& report, const Value& results) {
  for (const Value& given : results.at("plots").as_list()) {
    Plot plot{.key = text(given, "key"),
              .title = text(given, "title"),
              .x_label = text(given, "x_label"),
              .y_label = text(given, "y_label"),
              .y_log = given.at("y_log").as_boolean()};
    for (const Value& line : given.at("series").as_list()) {
      plot.series.push_back({text(line, "name"), numbers(line.at("x")), numbers(line.at("y"))});
    }
    report.plot(std::move(plot));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const Value results = parse_json(read_text(argv[1]), argv[1]);
    Report report("bench.search", text(results, "title"));
    for (const auto& [key, value] : results.at("about").as_object()) report.scalar(key, value);
    add_plots(report, results);
    add_tables(report, results);
    write_file(argv[2], render_html(report), Overwrite::replace);
  } catch (const std::exception& error) {
    fmt::print(stderr, "search_report: {}\n", error.what());
    return 1;
  }
}
