#pragma once
// Lines of a text that is in memory, with their numbers.

#include <cstdint>
#include <string>
#include <string_view>

namespace sosia::formats {

/// Walks over the lines of a text; LF and CRLF end them, a UTF-8 byte order mark is skipped.
class LineReader {
 public:
  /// Throws unsupported for UTF-16.
  LineReader(std::string_view text, std::string_view origin);

  bool next();
  std::string_view line() const { return line_; }
  std::uint64_t number() const { return number_; }
  /// corrupt_data with file and line.
  [[noreturn]] void fail(std::string message, std::string hint = {}) const;

 private:
  std::string_view rest_;
  std::string_view origin_;
  std::string_view line_;
  std::uint64_t number_ = 0;
};

}  // namespace sosia::formats
