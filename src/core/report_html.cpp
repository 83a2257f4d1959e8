// A report as one HTML file. Everything that came from outside goes through `escape` (text and
// attributes) or `script_json` (data); the page's own policy forbids every load.

#include "core/embedded.hpp"
#include "core/report_parts.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

namespace sosia {

namespace {

using report::label_of;

constexpr std::size_t kMostRows = 5000;
constexpr std::size_t kLongText = 28;  // columns; longer cells get a broad column
constexpr std::size_t kLongJson = 72;  // longer values of the manifest take several lines
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// Text for element content and for attributes in double quotes. Line breaks and tabs stay; other
/// control characters and invalid UTF-8 become U+FFFD.
std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const report::Glyph glyph = report::glyph_at(text, i);
    i += glyph.bytes.size();
    switch (glyph.point) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\n':
      case '\t':
        out += glyph.bytes;
        break;
      default:
        out += glyph.valid && !report::is_control(glyph.point) ? glyph.bytes : kReplacement;
    }
  }
  return out;
}

/// JSON that cannot end the script element it stands in: '<' only occurs inside strings.
std::string script_json(const Value& value) {
  std::string out;
  for (const char c : to_json(value, -1)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string base64(const std::vector<std::byte>& bytes) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), kVariant);
  text.pop_back();  // the terminating zero
  return text;
}

std::string_view policy() {
  return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
         "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
}

class Page {
 public:
  Page(const Report& report, const Value& manifest) : report_(report), manifest_(manifest) {}

  std::string render() {
    write_head();
    write_header();
    write_parts();
    write_footer();
    out_ += "</main>\n";
    write_scripts();
    out_ += "</body>\n</html>\n";
    return std::move(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  const std::string& title() const {
    return report_.title().empty() ? report_.name() : report_.title();
  }

  void write_head() {
    out_ +=
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    add("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n", policy());
    out_ += "<meta name=\"color-scheme\" content=\"light dark\">\n";
    add("<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n", escape(title()),
        embedded::report_css());
  }

  void write_header() {
    add("<header>\n<p class=\"kind\">{}</p>\n<h1>{}</h1>\n", escape(report_.name()),
        escape(title()));
    if (!report_.verdict().empty()) {
      add("<p class=\"verdict\">{}</p>\n", escape(report_.verdict()));
    }
    if (!report_.gates().empty()) {
      out_ += "<ul class=\"gates\" aria-label=\"Gates\">\n";
      for (const Gate& gate : report_.gates()) {
        add("<li{}><b>{}</b> <span>{}</span>", gate.passed ? "" : " class=\"failed\"",
            gate.passed ? "passed" : "failed", escape(gate.name));
        if (!gate.detail.empty()) add(" <span class=\"detail\">{}</span>", escape(gate.detail));
        out_ += "</li>\n";
      }
      out_ += "</ul>\n";
    }
    if (!report_.warnings().empty()) {
      out_ += "<ul class=\"warnings\" aria-label=\"Warnings\">\n";
      for (const std::string& warning : report_.warnings()) {
        add("<li><b>Warning:</b> {}</li>\n", escape(warning));
      }
      out_ += "</ul>\n";
    }
    out_ += "</header>\n";
  }

  /// Calls `each` for the run of parts of one kind that starts at `i`; leaves `i` at its last.
  template <class Each>
  void for_run(std::size_t& i, Each each) {
    const std::vector<Report::Part>& parts = report_.parts();
    const Report::Kind kind = parts[i].kind;
    for (; i < parts.size() && parts[i].kind == kind; ++i) each(parts[i].index);
    --i;
  }

  void write_parts() {
    const std::vector<Report::Part>& parts = report_.parts();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      switch (parts[i].kind) {
        case Report::Kind::scalar: {
          std::vector<const Scalar*> block;
          for_run(i, [&](std::size_t k) { block.push_back(&report_.scalars()[k]); });
          write_scalars(block);
          break;
        }
        case Report::Kind::group:
          out_ += "<div class=\"side-by-side\">\n";
          for_run(i, [&](std::size_t k) { write_group(report_.groups()[k]); });
          out_ += "</div>\n";
          break;
        case Report::Kind::plot:
          out_ += "<div class=\"plots\">\n";
          for_run(i, [&](std::size_t k) { write_plot(report_.plots()[k], k); });
          out_ += "</div>\n";
          break;
        case Report::Kind::table:
          write_table(report_.tables()[parts[i].index]);
          break;
        case Report::Kind::pictures:
          write_pictures(report_.picture_rows()[parts[i].index]);
          break;
        case Report::Kind::text:
          add("<p class=\"text\">{}</p>\n", escape(report_.texts()[parts[i].index]));
          break;
        case Report::Kind::data:
          break;
      }
    }
  }

  void write_note(std::string_view note) {
    if (!note.empty()) add("<p class=\"note\">{}</p>\n", escape(note));
  }

  void write_scalars(const std::vector<const Scalar*>& scalars) {
    out_ += "<section>\n<dl class=\"cards\">\n";
    for (const Scalar* scalar : scalars) {
      const bool is_words = !scalar->value.is_number() && !scalar->value.is_null();
      add("<div><dt>{}</dt><dd class=\"value{}\">{}", escape(label_of(scalar->key, scalar->label)),
          is_words ? " words" : "", escape(format_figure(scalar->value)));
      if (!scalar->unit.empty()) add(" <span class=\"unit\">{}</span>", escape(scalar->unit));
      out_ += "</dd>";
      if (scalar->interval) {
        add("<dd class=\"interval\">{}</dd>", report::interval_text(*scalar->interval));
      }
      if (!scalar->note.empty()) add("<dd class=\"why\">{}</dd>", escape(scalar->note));
      out_ += "</div>\n";
    }
    out_ += "</dl>\n";
    for (const std::string& note : report::interval_notes(scalars)) write_note(note);
    out_ += "</section>\n";
  }

  void write_group(const Report::Group& group) {
    const std::string label = escape(label_of(group.key, group.label));
    add("<section>\n<h2>{}</h2>\n", label);
    if (group.items.empty()) {
      out_ += "<p class=\"empty\">(none)</p>\n";
    } else {
      open_table(label, false);
      out_ += "<tbody>\n";
      for (const auto& [key, value] : group.items) {
        add("<tr><th scope=\"row\">{}</th>", escape(key));
        write_cell(value, !value.is_text() && !value.is_list() && !value.is_object());
        out_ += "</tr>\n";
      }
      out_ += "</tbody>\n</table>\n</div>\n";
    }
    write_note(group.note);
    out_ += "</section>\n";
  }

  /// `label` is escaped already.
  void open_table(std::string_view label, bool sortable) {
    // tabindex lets the keyboard scroll what does not fit.
    add("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n<table{}>\n",
        label, sortable ? " class=\"sortable\"" : "");
  }

  void write_cell(const Value& value, bool numeric) {
    const std::string text = format_figure(value);
    std::string classes = numeric ? "n" : display_width(text) > kLongText ? "long" : "";
    if (text == "-" && !value.is_text()) classes += classes.empty() ? "none" : " none";
    out_ += "<td";
    if (!classes.empty()) add(" class=\"{}\"", classes);
    if (value.is_number() && text != "-") add(" data-v=\"{}\"", value.as_real());
    add(">{}</td>", escape(text));
  }

  void write_table(const Table& table) {
    const std::string label = escape(label_of(table.key, table.title));
    add("<section>\n<h2>{}<small>{} row{}</small></h2>\n", label, table.rows.size(),
        table.rows.size() == 1 ? "" : "s");
    if (!table.rows.empty()) {
      open_table(label, table.rows.size() > 1);
      std::vector<bool> numeric;
      out_ += "<thead><tr>";
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const Column& column = table.columns[c];
        numeric.push_back(report::is_numeric_column(table, c));
        add("<th scope=\"col\"{}>{}", numeric[c] ? " class=\"n\"" : "",
            escape(label_of(column.key, column.label)));
        if (!column.unit.empty()) add(" <span class=\"unit\">({})</span>", escape(column.unit));
        out_ += "</th>";
      }
      out_ += "</tr></thead>\n<tbody>\n";
      const std::size_t shown = std::min(table.rows.size(), kMostRows);
      for (std::size_t r = 0; r < shown; ++r) {
        out_ += "<tr>";
        for (std::size_t c = 0; c < numeric.size(); ++c) write_cell(table.rows[r][c], numeric[c]);
        out_ += "</tr>\n";
      }
      out_ += "</tbody>\n</table>\n</div>\n";
      if (shown < table.rows.size()) {
        write_note(
            fmt::format("The first {} of {} rows; --json has all.", shown, table.rows.size()));
      }
    }
    write_note(table.note);
    out_ += "</section>\n";
  }

  void write_plot(const Plot& plot, std::size_t index) {
    const Value value = report::plot_value(plot);
    const std::string label = escape(label_of(plot.key, plot.title));
    std::vector<std::string> names;
    for (const Series& series : plot.series) names.push_back(series.name);
    add("<figure>\n<h2>{}</h2>\n", label);
    add("<div class=\"canvas\"><canvas data-plot=\"plot-{}\" role=\"img\" "
        "aria-label=\"{}: {} over {}; {}. The data follow as a table.\"></canvas></div>\n",
        index, label, escape(plot.y_label), escape(plot.x_label), escape(enumerate(names)));
    out_ += "<noscript>Drawing needs scripts; the data are in the table below.</noscript>\n";
    write_thinning_note(plot);
    write_note(plot.note);
    write_plot_data(plot, value, label);
    add("<script type=\"application/json\" id=\"plot-{}\">{}</script>\n</figure>\n", index,
        script_json(value));
  }

  void write_thinning_note(const Plot& plot) {
    std::size_t longest = 0;
    for (const Series& series : plot.series) longest = std::max(longest, series.x.size());
    if (longest <= report::kMostPoints) return;
    write_note(
        fmt::format("Thinned to {} points per series (of up to {}); ends, extremes and shape "
                    "are kept.",
                    report::kMostPoints, longest));
  }

  void write_plot_data(const Plot& plot, const Value& value, std::string_view label) {
    out_ += "<details><summary>Data</summary>\n";
    open_table(label, false);
    add("<thead><tr><th scope=\"col\">series</th><th scope=\"col\" class=\"n\">{}</th>"
        "<th scope=\"col\" class=\"n\">{}</th></tr></thead>\n<tbody>\n",
        escape(plot.x_label.empty() ? "x" : plot.x_label),
        escape(plot.y_label.empty() ? "y" : plot.y_label));
    for (const Value& series : value.at("series").as_list()) {
      const std::string name = escape(series.at("name").as_text());
      const Value::List &x = series.at("x").as_list(), &y = series.at("y").as_list();
      for (std::size_t i = 0; i < x.size(); ++i) {
        add("<tr><td>{}</td><td class=\"n\">{:.6g}</td><td class=\"n\">{:.6g}</td></tr>\n", name,
            x[i].as_real(), y[i].as_real());
      }
    }
    out_ += "</tbody>\n</table>\n</div>\n</details>\n";
  }

  void write_pictures(const PictureRow& row) {
    const std::string label = label_of(row.key, row.title);
    add("<section>\n<h2>{}</h2>\n<div class=\"pictures\">\n", escape(label));
    for (std::size_t i = 0; i < row.pictures.size(); ++i) {
      const Picture& picture = row.pictures[i];
      const std::string caption = escape(picture.caption);
      add("<figure><img src=\"data:{};base64,{}\" alt=\"{}\">", picture.media_type,
          base64(picture.bytes),
          caption.empty() ? escape(label) + ", picture " + std::to_string(i + 1) : caption);
      if (!caption.empty()) add("<figcaption>{}</figcaption>", caption);
      out_ += "</figure>\n";
    }
    out_ += "</div>\n</section>\n";
  }

  void write_footer() {
    out_ += "<footer>\n";
    if (!manifest_.is_null()) {
      out_ += "<details><summary>How this was made</summary>\n";
      if (manifest_.is_object()) {
        write_manifest_members();
      } else {
        add("<code>{}</code>\n", escape(to_json(manifest_)));
      }
      out_ += "</details>\n";
    }
    add("<p>sosia.{}/{}</p>\n</footer>\n", escape(report_.name()), report_.schema_version());
  }

  /// Plain members in one table, then one table per object.
  void write_manifest_members() {
    Value::Object plain;
    for (const auto& member : manifest_.as_object()) {
      if (!member.second.is_object()) plain.push_back(member);
    }
    if (!plain.empty()) write_pairs("run", plain);
    for (const auto& [key, value] : manifest_.as_object()) {
      if (value.is_object()) write_pairs(key, value.as_object());
    }
  }

  void write_pairs(std::string_view heading, const Value::Object& members) {
    const std::string label = escape(heading);
    add("<h3>{}</h3>\n", label);
    open_table(label, false);
    out_ += "<tbody>\n";
    for (const auto& [key, value] : members) {
      // Exact, not rounded: this is what a run is repeated from.
      std::string text = value.is_text() ? value.as_text() : to_json(value, -1);
      if (!value.is_text() && text.size() > kLongJson) text = to_json(value);
      add("<tr><td>{}</td><td><code>{}</code></td></tr>\n", escape(key), escape(text));
    }
    out_ += "</tbody>\n</table>\n</div>\n";
  }

  void write_scripts() {
    const bool has_plots = !report_.plots().empty();
    const bool has_sorting = std::any_of(report_.tables().begin(), report_.tables().end(),
                                         [](const Table& table) { return table.rows.size() > 1; });
    if (has_plots) add("<script>{}</script>\n", embedded::chart_js());
    if (has_plots || has_sorting) add("<script>\n{}</script>\n", embedded::report_js());
  }

  const Report& report_;
  const Value& manifest_;
  std::string out_;
};

}  // namespace

std::string render_html(const Report& report, const Value& manifest) {
  report::check_shapes(report);
  return Page(report, manifest).render();
}

}  // namespace sosia
