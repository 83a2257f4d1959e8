// The escaped strings of protocol 0.

#include "formats/pickle_graph.hpp"
#include "sosia/core/text.hpp"

namespace sosia::formats {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `digits` hexadecimal digits at `at`; negative when they are not there.
std::int64_t hex_number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_point(std::string& out, char32_t point) {
  char utf8[4];
  out.append(utf8, encode_utf8(point, utf8));
}

}  // namespace

/// The repr of a Python 2 str: 'it\'s\x00\n'.
std::string PickleVm::unescape_string(std::string_view repr) const {
  if (repr.size() < 2 || repr.front() != repr.back() ||
      (repr.front() != '\'' && repr.front() != '"')) {
    corrupt("a string without quotes");
  }
  repr = repr.substr(1, repr.size() - 2);
  constexpr std::string_view kMarks = "\\'\"abfnrtv";
  constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  for (std::size_t i = 0; i < repr.size(); ++i) {
    if (repr[i] != '\\') {
      out += repr[i];
      continue;
    }
    if (++i == repr.size()) corrupt("a string ends within an escape");
    if (const std::size_t mark = kMarks.find(repr[i]); mark != std::string_view::npos) {
      out += kValues[mark];
    } else if (repr[i] == 'x') {
      const std::int64_t value = hex_number(repr, i + 1, 2);
      if (value < 0) corrupt("an unreadable escape in a string");
      out += static_cast<char>(value);
      i += 2;
    } else if (repr[i] >= '0' && repr[i] <= '7') {
      unsigned value = 0;
      std::size_t end = i;
      while (end < repr.size() && end < i + 3 && repr[end] >= '0' && repr[end] <= '7') {
        value = value * 8 + static_cast<unsigned>(repr[end++] - '0');
      }
      out += static_cast<char>(value & 0xff);
      i = end - 1;
    } else {
      out += '\\';  // unknown escapes stand for themselves
      out += repr[i];
    }
  }
  return out;
}

/// Python's raw-unicode-escape: Latin-1 with \uXXXX and \UXXXXXXXX.
std::string PickleVm::unescape_unicode(std::string_view text) const {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char kind = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (kind != 'u' && kind != 'U') {
      append_point(out, static_cast<unsigned char>(text[i]));
      continue;
    }
    const std::size_t digits = kind == 'u' ? 4 : 8;
    std::int64_t point = hex_number(text, i + 2, digits);
    i += 1 + digits;
    // Narrow builds of Python 2 wrote a pair of surrogates for one character.
    if (point >= 0xd800 && point < 0xdc00 && text.substr(i + 1).starts_with("\\u")) {
      const std::int64_t low = hex_number(text, i + 3, 4);
      if (low >= 0xdc00 && low <= 0xdfff) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        i += 6;
      }
    }
    if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      corrupt("an unreadable escape in a text");
    }
    append_point(out, static_cast<char32_t>(point));
  }
  return out;
}

}  // namespace sosia::formats
