#include "formats/lines.hpp"

#include "formats/bytes.hpp"

namespace sosia::formats {

LineReader::LineReader(std::string_view text, std::string_view origin)
    : rest_(text), origin_(origin) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail_unsupported(origin, "the list is UTF-16", "save it as UTF-8");
  }
  if (text.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
}

bool LineReader::next() {
  if (rest_.empty()) return false;
  const std::size_t end = rest_.find('\n');
  line_ = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  ++number_;
  return true;
}

void LineReader::fail(std::string message, std::string hint) const {
  fail_corrupt(std::string(origin_) + ": line " + std::to_string(number_), std::move(message),
               std::move(hint));
}

}  // namespace sosia::formats
