#include "world/record_typing.hpp"

#include "world/organisation_words.hpp"

#include <array>
#include <span>
#include <utility>
#include <vector>

namespace sosia::world::typing {
namespace {

constexpr std::array<std::string_view, 4> kKeyboard{"1234567890", "qwertyuiop", "asdfghjkl",
                                                    "zxcvbnm"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// A key beside `c` in its row.
char neighbour(Draw& draw, char c) {
  const bool capital = c >= 'A' && c <= 'Z';
  const bool right = draw.chance(0.5);
  for (const std::string_view row : kKeyboard) {
    const std::size_t at = row.find(small(c));
    if (at == std::string_view::npos) continue;
    const bool last = at + 1 == row.size();
    const char found = row[at == 0 ? 1 : (right && !last ? at + 1 : at - 1)];
    return capital && is_letter(found) ? static_cast<char>(found - 'a' + 'A') : found;
  }
  return c;
}

using Rule = std::pair<std::string_view, std::string_view>;

/// Applies one of the rules that fit, at one of the places where they do.
std::string apply_one(Draw& draw, const std::string& text, std::span<const Rule> rules) {
  std::vector<std::pair<std::size_t, std::size_t>> fits;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    for (std::size_t at = text.find(rules[r].first); at != std::string::npos;
         at = text.find(rules[r].first, at + 1)) {
      fits.emplace_back(at, r);
    }
  }
  const double which = draw.unit();
  if (fits.empty()) return text;
  const auto [at, r] = fits[static_cast<std::size_t>(which * static_cast<double>(fits.size()))];
  std::string out = text;
  out.replace(at, rules[r].first.size(), rules[r].second);
  return out;
}

}  // namespace

std::string slip(Draw& draw, const std::string& text) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_letter(text[i]) || is_digit(text[i])) places.push_back(i);
  }
  const double where = draw.unit();
  const std::size_t kind = draw.pick({0.35, 0.25, 0.15, 0.25});
  if (places.size() < 2) return text;
  // The first letter is seldom wrong.
  const auto index = static_cast<std::size_t>(where * static_cast<double>(places.size() - 1)) + 1;
  const std::size_t at = places[index], before = places[index - 1];
  std::string out = text;
  switch (kind) {
    case 0:
      out[at] = neighbour(draw, text[at]);
      break;
    case 1:
      out.erase(at, 1);
      break;
    case 2:
      out.insert(at, 1, text[at]);
      break;
    default:
      // Swapping equal letters changes nothing; then one is left out.
      if (before + 1 == at && small(text[before]) != small(text[at])) {
        std::swap(out[before], out[at]);
      } else {
        out.erase(at, 1);
      }
      break;
  }
  return out;
}

std::string sound_alike(Draw& draw, const std::string& text) {
  static constexpr std::array<Rule, 18> kRules{{{"ph", "f"},
                                                {"f", "ph"},
                                                {"ck", "k"},
                                                {"k", "ck"},
                                                {"c", "k"},
                                                {"th", "t"},
                                                {"ei", "ie"},
                                                {"ie", "y"},
                                                {"y", "i"},
                                                {"i", "y"},
                                                {"ss", "s"},
                                                {"ll", "l"},
                                                {"nn", "n"},
                                                {"tt", "t"},
                                                {"z", "s"},
                                                {"sch", "sh"},
                                                {"w", "v"},
                                                {"dt", "t"}}};
  return apply_one(draw, text, kRules);
}

std::string misread(Draw& draw, const std::string& text) {
  static constexpr std::array<Rule, 12> kRules{{{"m", "rn"},
                                                {"rn", "m"},
                                                {"O", "0"},
                                                {"0", "O"},
                                                {"l", "1"},
                                                {"1", "l"},
                                                {"S", "5"},
                                                {"5", "S"},
                                                {"cl", "d"},
                                                {"B", "8"},
                                                {"h", "b"},
                                                {"e", "c"}}};
  return apply_one(draw, text, kRules);
}

std::string to_ascii(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    bool replaced = false;
    if ((static_cast<unsigned char>(text[i]) & 0x80) != 0) {
      for (const auto& [from, to] : words::ascii_letters()) {
        if (text.substr(i).starts_with(from)) {
          out += to;
          i += from.size();
          replaced = true;
          break;
        }
      }
    }
    if (!replaced) out += text[i++];
  }
  return out;
}

std::string slug(std::string_view text) {
  std::string out;
  for (const char c : to_ascii(text)) {
    if (is_letter(c) || is_digit(c)) out += small(c);
  }
  return out;
}

std::string upper_ascii(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string lower_ascii(std::string text) {
  for (char& c : text) c = small(c);
  return text;
}

}  // namespace sosia::world::typing
