#include "core/report_parts.hpp"

#include <fmt/format.h>

namespace sosia {

namespace {

std::string_view style_name(SeriesStyle style) {
  switch (style) {
    case SeriesStyle::line:
      return "line";
    case SeriesStyle::points:
      return "points";
    case SeriesStyle::bars:
      return "bars";
    case SeriesStyle::dashed:
      return "dashed";
  }
  return "line";
}

Value numbers(const std::vector<double>& values) {
  return Value(Value::List(values.begin(), values.end()));
}

Value group_value(const Report::Group& group) {
  Value value = Value::object();
  for (const auto& [key, item] : group.items) value.set(key, item);
  return value;
}

Value table_value(const Table& table) {
  Value list = Value::list();
  for (const std::vector<Value>& row : table.rows) {
    Value& object = list.push(Value::object());
    for (std::size_t i = 0; i < row.size(); ++i) object.set(table.columns[i].key, row[i]);
  }
  return list;
}

void add_members(const Report& report, Value& out) {
  for (const Report::Part& part : report.parts()) {
    switch (part.kind) {
      case Report::Kind::scalar: {
        const Scalar& scalar = report.scalars()[part.index];
        out.set(scalar.key, scalar.value);
        break;
      }
      case Report::Kind::group: {
        const Report::Group& group = report.groups()[part.index];
        out.set(group.key, group_value(group));
        break;
      }
      case Report::Kind::table: {
        const Table& table = report.tables()[part.index];
        out.set(table.key, table_value(table));
        break;
      }
      case Report::Kind::data: {
        const auto& [key, value] = report.data()[part.index];
        out.set(key, value);
        break;
      }
      case Report::Kind::plot:
      case Report::Kind::pictures:
      case Report::Kind::text:
        break;
    }
  }
}

void add_intervals(const Report& report, Value& out) {
  Value intervals;
  for (const Scalar& scalar : report.scalars()) {
    if (!scalar.interval) continue;
    intervals.set(scalar.key, Value::object({{"low", scalar.interval->low},
                                             {"high", scalar.interval->high},
                                             {"level", scalar.interval->level},
                                             {"method", scalar.interval->method}}));
  }
  if (!intervals.is_null()) out.set("intervals", std::move(intervals));
}

void add_pictures(const Report& report, Value& out) {
  if (report.picture_rows().empty()) return;
  Value& rows = out.set("pictures", Value::list());
  for (const PictureRow& row : report.picture_rows()) {
    Value pictures = Value::list();
    for (const Picture& picture : row.pictures) {
      pictures.push(Value::object({{"caption", picture.caption},
                                   {"media_type", picture.media_type},
                                   {"bytes_length", picture.bytes.size()}}));
    }
    rows.push(
        Value::object({{"key", row.key}, {"title", row.title}, {"pictures", std::move(pictures)}}));
  }
}

}  // namespace

namespace report {

Value plot_value(const Plot& plot) {
  Value list = Value::list();
  for (const Series& series : plot.series) {
    const ThinnedSeries thinned = thin_series(series, plot.x_log, plot.y_log);
    Value& item =
        list.push(Value::object({{"name", series.name}, {"style", style_name(series.style)}}));
    if (thinned.decimated) {
      item.set("decimated", true);
      item.set("points_length", series.x.size());
    }
    item.set("x", numbers(thinned.x));
    item.set("y", numbers(thinned.y));
  }
  Value value = Value::object({{"key", plot.key},
                               {"title", plot.title},
                               {"x_label", plot.x_label},
                               {"y_label", plot.y_label},
                               {"x_log", plot.x_log},
                               {"y_log", plot.y_log},
                               {"series", std::move(list)}});
  if (!plot.note.empty()) value.set("note", plot.note);
  return value;
}

}  // namespace report

Value report_to_value(const Report& report) {
  report::check_shapes(report);
  Value out = Value::object();
  out.set("schema", fmt::format("sosia.{}/{}", report.name(), report.schema_version()));
  add_members(report, out);
  add_intervals(report, out);
  if (!report.plots().empty()) {
    Value& plots = out.set("plots", Value::list());
    for (const Plot& plot : report.plots()) plots.push(report::plot_value(plot));
  }
  add_pictures(report, out);
  if (!report.gates().empty()) {
    Value& gates = out.set("gates", Value::list());
    for (const Gate& gate : report.gates()) {
      gates.push(
          Value::object({{"name", gate.name}, {"passed", gate.passed}, {"detail", gate.detail}}));
    }
  }
  if (!report.verdict().empty()) out.set("verdict", report.verdict());
  Value& warnings = out.set("warnings", Value::list());
  for (const std::string& warning : report.warnings()) warnings.push(warning);
  return out;
}

}  // namespace sosia
