#include "sosia/core/text.hpp"
#include "sosia/formats/csv.hpp"

#include <charconv>

namespace sosia::formats {

struct CsvWriter::Impl {
  Impl(const std::filesystem::path& path, const CsvWriterOptions& wanted)
      : file(path, wanted.overwrite), options(wanted) {}

  AtomicFile file;
  CsvWriterOptions options;
  std::string buffer;
  std::size_t columns = 0;
  std::size_t fields = 0;        // of the record under way
  std::size_t record_start = 0;  // in `buffer`
  std::uint64_t records = 0;

  void flush() {
    file.write(buffer);
    buffer.clear();
    record_start = 0;
  }
  bool needs_quotes(std::string_view text) const {
    if (text.empty()) return false;
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (blank(text.front()) || blank(text.back())) return true;
    const char special[] = {options.delimiter, '"', '\r', '\n'};
    return text.find_first_of(std::string_view(special, sizeof(special))) != std::string_view::npos;
  }
};

CsvWriter::CsvWriter(const std::filesystem::path& path, std::span<const std::string> header,
                     const CsvWriterOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {
  if (header.empty()) throw Error(ErrorCode::invalid_argument, "a CSV file needs a column or more");
  if (std::string_view("\"\r\n\0", 4).find(options.delimiter) != std::string_view::npos) {
    throw Error(ErrorCode::invalid_argument,
                "a quote, line end or zero byte cannot be the delimiter");
  }
  impl_->columns = header.size();
  for (const std::string& name : header) field(name);
  end_record();
}

CsvWriter::~CsvWriter() = default;
CsvWriter::CsvWriter(CsvWriter&&) noexcept = default;
CsvWriter& CsvWriter::operator=(CsvWriter&&) noexcept = default;

CsvWriter& CsvWriter::field(std::string_view text) {
  Impl& self = *impl_;
  if (self.fields++ > 0) self.buffer += self.options.delimiter;
  if (!self.needs_quotes(text)) {
    self.buffer += text;
    return *this;
  }
  self.buffer += '"';
  for (const char c : text) {
    if (c == '"') self.buffer += '"';
    self.buffer += c;
  }
  self.buffer += '"';
  return *this;
}

namespace {

template <class Number>
std::string_view number_text(Number value, std::span<char> space) {
  const auto [end, error] = std::to_chars(space.data(), space.data() + space.size(), value);
  static_cast<void>(error);  // 32 characters hold every number
  return {space.data(), static_cast<std::size_t>(end - space.data())};
}

}  // namespace

CsvWriter& CsvWriter::field(double value) {
  char space[32];
  return field(number_text(value, space));
}

CsvWriter& CsvWriter::field(std::int64_t value) {
  char space[32];
  return field(number_text(value, space));
}

CsvWriter& CsvWriter::field(std::uint64_t value) {
  char space[32];
  return field(number_text(value, space));
}

void CsvWriter::end_record() {
  constexpr std::size_t kFlushBytes = std::size_t{1} << 16;
  Impl& self = *impl_;
  if (self.fields != self.columns) {
    throw Error(ErrorCode::invalid_argument,
                "record " + std::to_string(self.records) + " has " + std::to_string(self.fields) +
                    " fields, the header has " + std::to_string(self.columns));
  }
  // A lone empty field would be a blank line, which readers skip.
  if (self.buffer.size() == self.record_start) self.buffer += "\"\"";
  self.buffer += self.options.crlf ? "\r\n" : "\n";
  self.fields = 0;
  ++self.records;
  if (self.buffer.size() >= kFlushBytes) self.flush();
  self.record_start = self.buffer.size();
}

void CsvWriter::commit() {
  if (impl_->fields > 0) {
    throw Error(ErrorCode::invalid_argument, "the last record has not been ended");
  }
  impl_->flush();
  impl_->file.commit();
}

}  // namespace sosia::formats
