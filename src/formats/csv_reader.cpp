#include "formats/bytes.hpp"
#include "formats/text_buffer.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sosia::formats {

namespace {

/// Which bytes end a run of ordinary characters.
using StopTable = std::array<bool, 256>;

bool& stop_at(StopTable& table, char c) {
  return table[static_cast<unsigned char>(c)];
}

/// How often each candidate stands outside quotes in each of the first lines. A delimiter that is
/// in every line, the header's included, wins; rare ones are asked before the comma because texts
/// and decimal numbers hold commas.
char detect_delimiter(std::string_view sample, bool ended, bool quotes) {
  constexpr std::string_view kCandidates = "\t;|,";
  constexpr std::size_t kLines = 20;
  std::vector<std::array<std::size_t, kCandidates.size()>> counts(1);
  bool quoted = false;
  bool blank = true;
  for (const char c : sample) {
    if (c == '"' && quotes) quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') {
      if (!blank && counts.size() == kLines) break;
      if (!blank) counts.emplace_back();
      blank = true;
      continue;
    }
    blank = false;
    const std::size_t candidate = kCandidates.find(c);
    if (candidate != std::string_view::npos) ++counts.back()[candidate];
  }
  if (counts.size() > 1 && (blank || !ended)) counts.pop_back();  // an empty or a cut line
  if (counts.size() > 1) {
    for (std::size_t i = 0; i < kCandidates.size(); ++i) {
      if (std::all_of(counts.begin(), counts.end(),
                      [&](const auto& line) { return line[i] > 0; })) {
        return kCandidates[i];
      }
    }
  }
  std::size_t best = kCandidates.size() - 1;  // the comma, also where there is none of all
  for (std::size_t i = 0; i < kCandidates.size(); ++i) {
    if (counts[0][i] > counts[0][best]) best = i;
  }
  return kCandidates[best];
}

}  // namespace

struct CsvReader::Impl {
  enum class Step { record, more, end };

  template <class... Source>
  Impl(const CsvOptions& wanted, Source&&... source)
      : options(wanted), text(std::forward<Source>(source)..., wanted.encoding) {}

  void open();
  bool next_record();
  Step scan();
  /// Scans a field in quotes that opens at `p`; leaves `p` behind the closing quote. False: more
  /// text is needed.
  bool scan_quoted(char*& p, std::uint64_t& line);
  void push(const char* begin, const char* end);
  void unescape();
  void check_shape() const;
  [[noreturn]] void fail_record_cap() const {
    fail_cap(text.origin() + ": line " + std::to_string(next_line),
             "a record is longer than " + std::to_string(options.max_record_bytes) + " bytes",
             "a quote that opens here may never be closed");
  }
  std::string where() const { return text.origin() + ": line " + std::to_string(line); }
  std::string column_label(std::size_t column) const;
  std::optional<std::size_t> find(std::string_view name) const;

  CsvOptions options;
  TextBuffer text;
  char delimiter = ',';
  StopTable plain_stops{};
  StopTable quoted_stops{};
  char* at = nullptr;                    // the first byte that no record has consumed
  std::vector<std::string_view> fields;  // grows to the widest record; `count` are in use
  std::size_t count = 0;
  std::vector<std::size_t> doubled;  // fields that hold doubled quotes
  bool any_quoted = false;           // in the present record
  std::size_t columns = 0;           // fields of the first record; 0 before it
  std::uint64_t line = 0;            // where the present record starts
  std::uint64_t next_line = 1;
  std::vector<std::string> header;
};

void CsvReader::Impl::open() {
  if (options.max_record_bytes < options.max_field_bytes) {
    options.max_record_bytes = options.max_field_bytes;
  }
  text.refill(nullptr, next_line);
  at = text.begin();
  constexpr std::size_t kSample = std::size_t{1} << 16;
  const std::string_view sample(text.begin(),
                                std::min<std::size_t>(kSample, text.end() - text.begin()));
  delimiter =
      options.delimiter != '\0'
          ? options.delimiter
          : detect_delimiter(sample, text.ended() && sample.size() < kSample, options.quotes);
  if (delimiter == '"' || delimiter == '\n' || delimiter == '\r') {
    throw Error(ErrorCode::invalid_argument, "a quote or line end cannot be the delimiter");
  }
  for (const char c : {'\n', '\r', '\0'}) {
    stop_at(plain_stops, c) = true;
    stop_at(quoted_stops, c) = true;
  }
  stop_at(plain_stops, delimiter) = true;
  stop_at(quoted_stops, '"') = true;
  if (!options.header) return;
  if (!next_record()) {
    fail_corrupt(text.origin(), "the file is empty; a line with the column names is wanted");
  }
  for (std::size_t i = 0; i < count; ++i) header.emplace_back(trim(fields[i]));
}

bool CsvReader::Impl::next_record() {
  for (;;) {
    const Step step = scan();
    if (step == Step::end) return false;
    if (step == Step::more) {
      if (static_cast<std::size_t>(text.end() - at) > options.max_record_bytes) {
        fail_record_cap();
      }
      text.refill(at, next_line);
      at = text.begin();
      continue;
    }
    const bool blank = count == 1 && fields[0].empty() && !any_quoted;
    if (blank) continue;
    if (columns == 0) columns = count;
    if (count != columns && !options.ragged) check_shape();
    if (!doubled.empty()) unescape();
    return true;
  }
}

void CsvReader::Impl::push(const char* begin, const char* end) {
  const auto length = static_cast<std::size_t>(end - begin);
  if (length > options.max_field_bytes) {
    fail_cap(text.origin() + ": line " + std::to_string(next_line),
             "a field is longer than " + std::to_string(options.max_field_bytes) + " bytes");
  }
  if (count == fields.size()) {
    if (count == options.max_columns) {
      fail_cap(text.origin() + ": line " + std::to_string(next_line),
               "a record has more than " + std::to_string(options.max_columns) + " fields");
    }
    fields.resize(std::min(std::max<std::size_t>(16, count * 2), options.max_columns));
  }
  fields[count++] = {begin, length};
}

// A line feed stands behind the text as a sentinel, so that the inner loops need no bounds check.
CsvReader::Impl::Step CsvReader::Impl::scan() {
  char* p = at;
  char* const end = text.end();
  const bool ended = text.ended();
  if (p == end) return ended ? Step::end : Step::more;
  count = 0;
  doubled.clear();
  any_quoted = false;
  std::uint64_t lines = next_line;
  for (;;) {
    if (*p == '"' && options.quotes) {
      if (!scan_quoted(p, lines)) return Step::more;
    } else {
      const char* const start = p;
      while (!plain_stops[static_cast<unsigned char>(*p)]) ++p;
      if (p == end && !ended) return Step::more;
      push(start, p);
    }
    if (p == end) break;
    if (*p == delimiter) {
      ++p;
      continue;
    }
    if (*p == '\0') {
      fail_corrupt(text.origin() + ": line " + std::to_string(lines), "the line holds a zero byte",
                   "this is no text file, or UTF-16 without a byte order mark");
    }
    if (*p == '\r') {
      if (p + 1 == end && !ended) return Step::more;
      if (p + 1 < end && p[1] == '\n') ++p;
    }
    ++p;
    ++lines;
    break;
  }
  if (static_cast<std::size_t>(p - at) > options.max_record_bytes) {
    fail_record_cap();
  }
  at = p;
  line = next_line;
  next_line = lines;
  return Step::record;
}

bool CsvReader::Impl::scan_quoted(char*& p, std::uint64_t& lines) {
  char* const end = text.end();
  const bool ended = text.ended();
  char* const start = ++p;
  bool has_doubled = false;
  for (;; ++p) {
    while (!quoted_stops[static_cast<unsigned char>(*p)]) ++p;
    if (p == end) {
      if (!ended) return false;
      if (static_cast<std::size_t>(end - at) > options.max_record_bytes) fail_record_cap();
      fail_corrupt(text.origin() + ": line " + std::to_string(next_line),
                   "a quote opens in this record and is never closed");
    }
    // What a quote or CR means depends on the byte behind it.
    if (p + 1 == end && !ended && (*p == '"' || *p == '\r')) return false;
    if (*p == '"') {
      if (p + 1 == end || p[1] != '"') break;
      has_doubled = true;
      ++p;
    } else if (*p == '\0') {
      fail_corrupt(text.origin() + ": line " + std::to_string(lines), "the line holds a zero byte",
                   "this is no text file, or UTF-16 without a byte order mark");
    } else if (*p == '\n' || p + 1 == end || p[1] != '\n') {
      ++lines;
    }
  }
  push(start, p);
  any_quoted = true;
  if (has_doubled) doubled.push_back(count - 1);
  ++p;
  if (p != end && *p != delimiter && *p != '\n' && *p != '\r') {
    fail_corrupt(text.origin() + ": line " + std::to_string(lines),
                 "text follows a closing quote: " + quote(std::string_view(p, 1)),
                 "double a quote that is part of the text, or read the file without quotes");
  }
  return true;
}

/// Turns "" into " in place; nothing but this record's own bytes changes.
void CsvReader::Impl::unescape() {
  for (const std::size_t i : doubled) {
    char* const begin = const_cast<char*>(fields[i].data());
    const char* const end = begin + fields[i].size();
    char* to = begin;
    for (const char* from = begin; from < end; ++from) {
      *to++ = *from;
      if (*from == '"') ++from;
    }
    fields[i] = {begin, static_cast<std::size_t>(to - begin)};
  }
}

void CsvReader::Impl::check_shape() const {
  fail_corrupt(where(),
               "this record has " + std::to_string(count) + " fields, the first one has " +
                   std::to_string(columns),
               std::string("fields are separated by ") + quote(std::string_view(&delimiter, 1)) +
                   "; a field that holds it must stand in quotes");
}

std::string CsvReader::Impl::column_label(std::size_t column) const {
  return column < header.size() ? "column " + quote(header[column])
                                : "column " + std::to_string(column + 1);
}

std::optional<std::size_t> CsvReader::Impl::find(std::string_view name) const {
  const auto only = [&](auto equal) -> std::optional<std::size_t> {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (!equal(header[i])) continue;
      if (found) {
        fail_corrupt(text.origin(), "the header names the column " + quote(name) + " twice",
                     "rename one of them");
      }
      found = i;
    }
    return found;
  };
  if (const auto exact = only([&](std::string_view have) { return have == name; })) return exact;
  const std::string lower = ascii_lower(name);
  return only([&](std::string_view have) { return ascii_lower(have) == lower; });
}

CsvReader::CsvReader(const std::filesystem::path& path, const CsvOptions& options)
    : impl_(std::make_unique<Impl>(options, path)) {
  impl_->open();
}

CsvReader::CsvReader(std::span<const std::byte> bytes, std::string origin,
                     const CsvOptions& options)
    : impl_(std::make_unique<Impl>(options, bytes, std::move(origin))) {
  impl_->open();
}

CsvReader::~CsvReader() = default;
CsvReader::CsvReader(CsvReader&&) noexcept = default;
CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;

bool CsvReader::next() {
  fields_ = {};
  if (!impl_->next_record()) return false;
  fields_ = {impl_->fields.data(), impl_->count};
  return true;
}

double CsvReader::real(std::size_t column) const {
  const std::string_view text = (*this)[column];
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole && !parse_real(trim(text), value)) fail(column, "is not a number");
  if (!std::isfinite(value))
    fail(column, "is not a finite number", "leave out the rows without a value");
  return value;
}

std::int64_t CsvReader::integer(std::size_t column) const {
  const std::string_view text = (*this)[column];
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole && !parse_integer(trim(text), value)) fail(column, "is not a whole number");
  return value;
}

bool CsvReader::boolean(std::size_t column) const {
  const std::string text = ascii_lower(trim((*this)[column]));
  if (text == "1" || text == "true" || text == "yes") return true;
  if (text != "0" && text != "false" && text != "no") {
    fail(column, "is neither 0, 1, true, false, yes nor no");
  }
  return false;
}

const std::vector<std::string>& CsvReader::header() const noexcept {
  return impl_->header;
}

std::optional<std::size_t> CsvReader::find_column(std::string_view name) const {
  return impl_->find(name);
}

std::size_t CsvReader::column(std::string_view name) const {
  return columns(std::span(&name, 1)).front();
}

std::vector<std::size_t> CsvReader::columns(std::span<const std::string_view> names) const {
  std::vector<std::size_t> indices;
  std::vector<std::string> missing;
  for (const std::string_view name : names) {
    if (const auto found = impl_->find(name)) {
      indices.push_back(*found);
    } else {
      missing.push_back(quote(name));
    }
  }
  if (missing.empty()) return indices;
  std::vector<std::string> present;
  for (const std::string& name : impl_->header) present.push_back(quote(name, 40));
  std::string hint = missing.size() == 1 ? did_you_mean(missing.front(), present) : "";
  constexpr std::size_t kShown = 20;
  if (present.size() > kShown) {
    present.resize(kShown);
    present.push_back("more");
  }
  if (hint.empty()) {
    hint = present.empty() ? "the file is read without a header"
                           : "the columns are " + enumerate(present);
  }
  fail_corrupt(
      impl_->text.origin(),
      (missing.size() == 1 ? "there is no column " : "there are no columns ") + enumerate(missing),
      hint);
}

std::optional<std::size_t> CsvReader::find_column_of(
    std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names) {
    if (const auto found = impl_->find(name)) return found;
  }
  return std::nullopt;
}

const std::string& CsvReader::origin() const noexcept {
  return impl_->text.origin();
}
TextEncoding CsvReader::encoding() const noexcept {
  return impl_->text.encoding();
}
char CsvReader::delimiter() const noexcept {
  return impl_->delimiter;
}
std::uint64_t CsvReader::line() const noexcept {
  return impl_->line;
}
std::string CsvReader::where() const {
  return impl_->where();
}

void CsvReader::fail(std::size_t column, std::string_view complaint, std::string hint) const {
  const std::string_view value = (*this)[column];
  fail_corrupt(where(),
               impl_->column_label(column) + " holds " +
                   (value.empty() ? std::string("nothing, which") : quote(value)) +
                   (value.empty() ? " " : ", which ") + std::string(complaint),
               std::move(hint));
}

}  // namespace sosia::formats
