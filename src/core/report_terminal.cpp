// A report as text for people: no boxes, aligned columns, never wider than asked for.

#include "core/report_parts.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia {

namespace {

using report::Glyph;

constexpr std::size_t kIndent = 2;
constexpr std::size_t kGap = 2;             // between columns
constexpr std::size_t kNarrowest = 20;      // the least width that is laid out for
constexpr std::size_t kNarrowestCell = 12;  // text columns are not cut below this
constexpr std::size_t kMostRows = 30;
constexpr std::size_t kMostNamed = 6;  // hidden columns are named up to this number

constexpr std::string_view kBold = "1", kDim = "2", kGood = "32", kBad = "1;31", kWarn = "33",
                           kPlain = "";

std::string hex_escape(const Glyph& glyph) {
  return glyph.valid && glyph.point > 0xff
             ? fmt::format("\\u{:04x}", static_cast<unsigned>(glyph.point))
             : fmt::format("\\x{:02x}", static_cast<unsigned>(glyph.point));
}

bool is_space(const Glyph& glyph) {
  return glyph.point == '\n' || glyph.point == '\t' || glyph.point == '\r';
}

/// Escapes for control characters and invalid UTF-8; `space` gives what stands for tabs and breaks.
template <class Space>
std::string escaped(std::string_view text, Space space) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const Glyph glyph = report::glyph_at(text, i);
    i += glyph.bytes.size();
    if (is_space(glyph)) {
      out += space(glyph);
    } else if (!glyph.valid || report::is_control(glyph.point)) {
      out += hex_escape(glyph);
    } else {
      out += glyph.bytes;
    }
  }
  return out;
}

/// One line that can do nothing to a terminal, trimmed: blanks for tabs and line breaks.
std::string harmless(std::string_view text) {
  return std::string(trim(escaped(text, [](const Glyph&) { return ' '; })));
}

/// The longest beginning of `text` that takes at most `columns`.
std::string_view beginning(std::string_view text, std::size_t columns) {
  std::size_t end = 0, used = 0;
  while (end < text.size()) {
    const std::string_view bytes = report::glyph_at(text, end).bytes;
    used += display_width(bytes);
    if (used > columns) break;
    end += bytes.size();
  }
  return text.substr(0, end);
}

/// Paths lose their middle, other texts their end.
std::string cut(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns <= 3) return std::string(beginning(text, columns));
  const std::size_t room = columns - 3;
  std::string_view end;
  if (text.find('/') != std::string_view::npos) {
    std::size_t from = 0;
    while (display_width(text.substr(from)) > room * 2 / 3) {
      from += report::glyph_at(text, from).bytes.size();
    }
    end = text.substr(from);
  }
  std::string_view start = beginning(text, room - display_width(end));
  while (start.ends_with(' ')) start.remove_suffix(1);
  return std::string(start) + "..." + std::string(end);
}

/// Lines of at most `columns`, broken at blanks, and inside words that are longer than a line.
std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  const auto next_line = [&] {
    lines.emplace_back();
    used = 0;
  };
  for (std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    if (used > 0 && used + 1 + display_width(word) > columns) next_line();
    while (display_width(word) > columns) {
      std::string_view start = beginning(word, columns);
      if (start.empty()) start = report::glyph_at(word, 0).bytes;  // wider than the whole line
      lines.back() = start;
      word.remove_prefix(start.size());
      next_line();
    }
    if (used > 0) lines.back() += ' ';
    lines.back() += word;
    used = display_width(lines.back());
  }
  if (lines.size() > 1 && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string pad_right(std::string text, std::size_t columns) {
  const std::size_t used = display_width(text);
  return used < columns ? text + std::string(columns - used, ' ') : text;
}

std::string pad_left(const std::string& text, std::size_t columns) {
  const std::size_t used = display_width(text);
  return used < columns ? std::string(columns - used, ' ') + text : text;
}

std::string with_unit(const std::string& text, const std::string& unit) {
  return unit.empty() || text == "-" ? text : text + ' ' + unit;
}

/// A table as the terminal sees it: texts already harmless.
struct Grid {
  std::vector<std::string> header;
  std::vector<bool> numeric;
  std::vector<std::vector<std::string>> rows;  ///< the shown ones only
  std::size_t rows_left_out = 0;
};

class Writer {
 public:
  Writer(const Report& report, const TerminalStyle& style)
      : report_(report),
        width_(std::max(style.width, kNarrowest)),
        colour_(style.colour),
        verdict_(style.verdict) {}

  std::string render() {
    write_wrapped(report_.title().empty() ? report_.name() : report_.title(), 0, kBold);
    if (verdict_ && !report_.verdict().empty()) write_wrapped(report_.verdict(), 0, kPlain);
    write_parts();
    write_gates();
    write_hint();
    write_warnings();
    return std::move(out_);
  }

 private:
  std::string paint(std::string_view text, std::string_view code) const {
    if (!colour_ || code.empty() || text.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }

  void line(std::string_view text = {}) {
    out_ += text;
    while (out_.ends_with(' ')) out_.pop_back();
    out_ += '\n';
  }

  void write_wrapped(std::string_view text, std::size_t indent, std::string_view code) {
    for (const std::string& part : wrap(harmless(text), width_ - indent)) {
      line(std::string(indent, ' ') + paint(part, code));
    }
  }

  void write_note(std::string_view note) {
    if (!note.empty()) write_wrapped(note, kIndent, kDim);
  }

  void write_parts() {
    const std::vector<Report::Part>& parts = report_.parts();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      switch (parts[i].kind) {
        case Report::Kind::scalar: {
          std::vector<const Scalar*> block;
          for (; i < parts.size() && parts[i].kind == Report::Kind::scalar; ++i) {
            block.push_back(&report_.scalars()[parts[i].index]);
          }
          --i;
          write_scalars(block);
          break;
        }
        case Report::Kind::group:
          write_group(report_.groups()[parts[i].index]);
          break;
        case Report::Kind::table:
          write_table(report_.tables()[parts[i].index]);
          break;
        case Report::Kind::text:
          write_text(report_.texts()[parts[i].index]);
          break;
        case Report::Kind::plot:      // named once, by write_hint
        case Report::Kind::pictures:  // the same
        case Report::Kind::data:      // for machines
          break;
      }
    }
  }

  void write_text(const std::string& text) {
    line();
    for (const std::string_view paragraph : split(text, '\n')) {
      write_wrapped(paragraph, 0, kPlain);
    }
  }

  /// Appends `text` to the line that `column` columns are written of; goes to a new line at
  /// `indent`, and wraps there, when it does not fit.
  void flow(const std::string& text, std::size_t gap, std::size_t indent, std::string_view code,
            std::size_t& column) {
    if (column + gap + display_width(text) <= width_) {
      out_ += std::string(gap, ' ') + paint(text, code);
      column += gap + display_width(text);
      return;
    }
    const bool at_start = column <= indent;
    const std::vector<std::string> lines = wrap(text, width_ - indent);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0 || !at_start) out_ += '\n' + std::string(indent, ' ');
      out_ += paint(lines[i], code);
      column = indent + display_width(lines[i]);
    }
  }

  struct Entry {
    std::string label, value, interval, note;
  };

  void write_scalars(const std::vector<const Scalar*>& scalars) {
    std::vector<Entry> entries;
    for (const Scalar* scalar : scalars) {
      entries.push_back({harmless(report::label_of(scalar->key, scalar->label)),
                         harmless(with_unit(format_figure(scalar->value), scalar->unit)),
                         scalar->interval ? report::interval_text(*scalar->interval) : "",
                         harmless(scalar->note)});
    }
    line();
    write_entries(entries);
    for (const std::string& note : report::interval_notes(scalars)) write_note(note);
  }

  void write_entries(const std::vector<Entry>& entries) {
    const std::size_t widest_label = std::max<std::size_t>(10, width_ * 2 / 5);
    std::size_t label_width = 0, value_width = 0, interval_width = 0;
    for (const Entry& entry : entries) {
      const std::size_t label = display_width(entry.label), value = display_width(entry.value);
      if (label <= widest_label) label_width = std::max(label_width, label);
      if (value <= width_ / 4) value_width = std::max(value_width, value);
      interval_width = std::max(interval_width, display_width(entry.interval));
    }
    const std::size_t indent = kIndent + label_width + kGap;
    for (const Entry& entry : entries) {
      out_ += std::string(kIndent, ' ');
      std::size_t column = kIndent;
      if (display_width(entry.label) <= label_width) {
        out_ += pad_right(entry.label, label_width) + std::string(kGap, ' ');
      } else {
        flow(entry.label, 0, kIndent, kPlain, column);
        out_ += '\n' + std::string(indent, ' ');
      }
      column = indent;
      write_entry_rest(entry, value_width, interval_width, indent, column);
    }
  }

  void write_entry_rest(const Entry& entry, std::size_t value_width, std::size_t interval_width,
                        std::size_t indent, std::size_t column) {
    flow(entry.value, 0, indent, kBold, column);
    // Pieces that follow start in a column of their own where the line has room for it.
    const auto gap_for = [&](const std::string& text, std::initializer_list<std::size_t> starts) {
      for (const std::size_t start : starts) {
        if (column < start && start + display_width(text) <= width_) return start - column;
      }
      return kGap;
    };
    const std::size_t interval_start = indent + value_width + kGap;
    if (!entry.interval.empty()) {
      flow(entry.interval, gap_for(entry.interval, {interval_start}), indent, kPlain, column);
    }
    if (!entry.note.empty()) {
      const std::size_t note_start =
          interval_start + (interval_width > 0 ? interval_width + kGap : 0);
      flow(entry.note, gap_for(entry.note, {note_start, interval_start}), indent, kDim, column);
    }
    line();
  }

  void write_group(const Report::Group& group) {
    line();
    write_wrapped(report::label_of(group.key, group.label), 0, kBold);
    std::vector<Entry> entries;
    for (const auto& [key, value] : group.items) {
      entries.push_back({harmless(key), harmless(format_figure(value)), "", ""});
    }
    write_entries(entries);
    if (entries.empty()) write_note("(none)");
    write_note(group.note);
  }

  void write_table(const Table& table) {
    line();
    write_wrapped(report::label_of(table.key, table.title), 0, kBold);
    if (table.rows.empty()) {
      write_note("(no rows)");
    } else {
      const Grid grid = make_grid(table);
      const std::vector<std::size_t> widths = lay_out(grid);
      write_header(grid, widths);
      for (const std::vector<std::string>& row : grid.rows) write_row(grid, widths, row, kPlain);
      write_left_out(grid, widths.size());
    }
    write_note(table.note);
  }

  static Grid make_grid(const Table& table) {
    Grid grid;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const Column& column = table.columns[c];
      std::string header = report::label_of(column.key, column.label);
      if (!column.unit.empty()) header += " (" + column.unit + ")";
      grid.header.push_back(harmless(header));
      grid.numeric.push_back(report::is_numeric_column(table, c));
    }
    const std::size_t shown = std::min(table.rows.size(), kMostRows);
    grid.rows_left_out = table.rows.size() - shown;
    for (std::size_t r = 0; r < shown; ++r) {
      std::vector<std::string>& cells = grid.rows.emplace_back();
      for (const Value& value : table.rows[r]) cells.push_back(harmless(format_figure(value)));
    }
    return grid;
  }

  /// Widths of the shown columns: as many from the left as fit when their texts are cut to
  /// kNarrowestCell (numbers never are), then the widest texts are cut until the line fits.
  std::vector<std::size_t> lay_out(const Grid& grid) const {
    std::vector<std::size_t> widths, least;
    std::size_t least_total = kIndent;
    for (std::size_t c = 0; c < grid.header.size(); ++c) {
      std::size_t cells = 0;
      for (const std::vector<std::string>& row : grid.rows) {
        cells = std::max(cells, display_width(row[c]));
      }
      const std::size_t natural = std::max(cells, display_width(grid.header[c]));
      const std::size_t floor =
          std::min(natural, grid.numeric[c] ? std::max(cells, kNarrowestCell) : kNarrowestCell);
      least_total += floor + (c > 0 ? kGap : 0);
      if (c > 0 && least_total > width_) break;
      widths.push_back(natural);
      least.push_back(floor);
    }
    std::size_t total = kIndent + kGap * (widths.size() - 1);
    for (const std::size_t w : widths) total += w;
    while (total > width_) {
      std::size_t widest = widths.size();
      for (std::size_t c = 0; c < widths.size(); ++c) {
        if (widths[c] > least[c] && (widest == widths.size() || widths[c] > widths[widest])) {
          widest = c;
        }
      }
      if (widest == widths.size()) {  // a single column of huge numbers
        widths[0] = width_ - kIndent;
        break;
      }
      --widths[widest];
      --total;
    }
    return widths;
  }

  void write_header(const Grid& grid, const std::vector<std::size_t>& widths) {
    write_row(grid, widths, grid.header, kDim);
    std::vector<std::string> rules;
    for (const std::size_t w : widths) rules.emplace_back(w, '-');
    write_row(grid, widths, rules, kDim);
  }

  void write_row(const Grid& grid, const std::vector<std::size_t>& widths,
                 const std::vector<std::string>& cells, std::string_view code) {
    std::string text;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (c > 0) text += std::string(kGap, ' ');
      const std::string cell = cut(cells[c], widths[c]);
      text += grid.numeric[c] ? pad_left(cell, widths[c]) : pad_right(cell, widths[c]);
    }
    while (text.ends_with(' ')) text.pop_back();  // before the colour's end hides them
    line(std::string(kIndent, ' ') + paint(text, code));
  }

  void write_left_out(const Grid& grid, std::size_t shown_columns) {
    std::vector<std::string> parts;
    if (grid.rows_left_out > 0) parts.push_back(counted(grid.rows_left_out, "more row"));
    if (shown_columns < grid.header.size()) {
      const std::span<const std::string> hidden = std::span(grid.header).subspan(shown_columns);
      std::string columns = counted(hidden.size(), "more column");
      if (hidden.size() <= kMostNamed) columns += " (" + enumerate(hidden) + ")";
      parts.push_back(std::move(columns));
    }
    if (!parts.empty()) write_note("... and " + enumerate(parts) + "; --json shows all");
  }

  static std::string counted(std::size_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  }

  void write_gates() {
    if (report_.gates().empty()) return;
    line();
    std::size_t name_width = 0;
    for (const Gate& gate : report_.gates()) {
      name_width = std::max(name_width, display_width(harmless(gate.name)));
    }
    name_width = std::min(name_width, width_ / 2);
    for (const Gate& gate : report_.gates()) {
      out_ += std::string(kIndent, ' ') +
              (gate.passed ? paint("pass", kGood) : paint("FAIL", kBad)) + std::string(kGap, ' ');
      const std::size_t indent = kIndent + 4 + kGap;
      std::size_t column = indent;
      flow(harmless(gate.name), 0, indent, kPlain, column);
      const std::string detail = harmless(gate.detail);
      const std::size_t start = indent + name_width;
      const std::size_t gap = kGap + (column < start ? start - column : 0);
      if (!detail.empty()) flow(detail, gap, indent, kDim, column);
      line();
    }
  }

  /// Says what only the HTML form shows.
  void write_hint() {
    std::vector<std::string> plots, parts;
    for (const Plot& plot : report_.plots())
      plots.push_back(report::label_of(plot.key, plot.title));
    std::size_t pictures = 0;
    for (const PictureRow& row : report_.picture_rows()) pictures += row.pictures.size();
    if (!plots.empty()) {
      parts.push_back("draws " + counted(plots.size(), "plot") + " (" + enumerate(plots) + ")");
    }
    if (pictures > 0) parts.push_back("shows " + counted(pictures, "picture"));
    if (parts.empty()) return;
    line();
    write_wrapped("--html FILE " + enumerate(parts), 0, kDim);
  }

  void write_warnings() {
    if (report_.warnings().empty()) return;
    line();
    constexpr std::string_view kPrefix = "warning:";
    for (const std::string& warning : report_.warnings()) {
      out_ += paint(kPrefix, kWarn) + ' ';
      std::size_t column = kPrefix.size() + 1;
      flow(harmless(warning), 0, column, kPlain, column);
      line();
    }
  }

  const Report& report_;
  std::size_t width_;
  bool colour_;
  bool verdict_;
  std::string out_;
};

}  // namespace

std::string terminal_text(std::string_view text) {
  // A carriage return would let what follows cover what was there.
  return escaped(text, [](const Glyph& glyph) {
    return glyph.point == '\r' ? std::string() : std::string(glyph.bytes);
  });
}

std::string render_terminal(const Report& report, const TerminalStyle& style) {
  report::check_shapes(report);
  return Writer(report, style).render();
}

}  // namespace sosia
