#include "sosia/core/text.hpp"

#include <algorithm>
#include <charconv>

namespace sosia {

namespace {

bool is_zero_width(char32_t c) {
  return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x20d0 && c <= 0x20ff) || c < 0x20 || c == 0x7f;
}

bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0x303e) ||
         (c >= 0x3041 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
         (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) ||
         (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
}

std::string with_underscores(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

}  // namespace

std::size_t decode_utf8(std::string_view text, std::size_t i, char32_t& out) noexcept {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    out = lead;
    return 1;
  }
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return 0;
  char32_t point = lead & (0x7fu >> length);
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xc0) != 0x80) return 0;
    point = (point << 6) | (byte(k) & 0x3fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    return 0;
  }
  out = point;
  return length;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> two_back(b.size() + 1), back(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_back[j - 2] + 1);
      }
    }
    std::swap(two_back, back);
    std::swap(back, row);
  }
  return back[b.size()];
}

std::vector<std::string> nearest_names(std::string_view name,
                                       std::span<const std::string> candidates, std::size_t most) {
  constexpr std::size_t kLongest = 100;  // beyond this nobody mistyped a name of ours
  std::vector<std::pair<std::size_t, std::string>> near;
  if (name.size() > kLongest) return {};
  const std::string wanted = ascii_lower(with_underscores(name));
  for (const std::string& candidate : candidates) {
    const std::string spelled = ascii_lower(with_underscores(candidate));
    const std::size_t longest = std::max(wanted.size(), spelled.size());
    std::size_t distance = edit_distance(wanted, spelled);
    // A beginning of a name ("verif") is as good as one typing error.
    if (wanted.size() >= 3 && spelled.starts_with(wanted))
      distance = std::min<std::size_t>(distance, 1);
    if (distance <= std::max<std::size_t>(1, longest / 3)) near.emplace_back(distance, candidate);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [distance, candidate] : near) {
    if (names.size() < most) names.push_back(candidate);
  }
  return names;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const std::vector<std::string> near = nearest_names(name, candidates);
  return near.empty() ? "" : "did you mean " + enumerate(near, "or") + "?";
}

std::string enumerate(std::span<const std::string> items, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? " " + std::string(last) + " " : ", ";
    text += items[i];
  }
  return text;
}

std::string wrap_text(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  const auto add = [&](std::string_view piece, bool starts_word) {
    const std::size_t columns = display_width(piece);
    const std::size_t space = starts_word && column > 0 ? 1 : 0;
    if (column > 0 && column + space + columns > width) {
      out += '\n' + std::string(indent, ' ');
      column = 0;
    } else if (space > 0) {
      out += ' ';
      ++column;
    }
    out += piece;
    column += columns;
  };
  for (std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const bool breaks = display_width(word) > width;
    bool starts_word = true;
    while (breaks && word.find(',') < word.size() - 1) {
      const std::size_t end = word.find(',') + 1;
      add(word.substr(0, end), starts_word);
      word.remove_prefix(end);
      starts_word = false;
    }
    add(word, starts_word);
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const std::size_t length = decode_utf8(text, i, c);
    if (length == 0) {
      ++columns;
      ++i;
      continue;
    }
    columns += is_zero_width(c) ? 0 : is_wide(c) ? 2 : 1;
    i += length;
  }
  return columns;
}

std::string quote(std::string_view text, std::size_t most) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    if (out.size() > most) {
      out += "...";
      break;
    }
    char32_t c = 0;
    const std::size_t length = decode_utf8(text, i, c);
    if (length == 0 || c < 0x20 || c == 0x7f) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte == '\n') {
        out += "\\n";
      } else if (byte == '\t') {
        out += "\\t";
      } else {
        out += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
      }
      ++i;
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += text.substr(i, length);
    i += length;
  }
  return out + '"';
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = 0;
    const std::size_t length = decode_utf8(text, i, c);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  for (std::size_t end = text.find(separator); end != std::string_view::npos;
       end = text.find(separator, start)) {
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

namespace {

template <class T>
bool parse_whole(std::string_view text, T& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.starts_with('+')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool parse_integer(std::string_view text, long long& out) {
  return parse_whole(text, out);
}
bool parse_real(std::string_view text, double& out) {
  return parse_whole(text, out);
}

}  // namespace sosia
