#include "models/unicode.hpp"

#include "sosia/core/text.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace sosia::models {
namespace {

struct Range {
  std::uint32_t first, last;  ///< of kFolded: from, to
};

struct Folded {
  std::uint32_t code;
  std::uint32_t to[3];  ///< ends at the first 0
};

#include "models/unicode_tables.inc"

constexpr char32_t kReplacement = 0xFFFD;

bool within(std::span<const Range> ranges, char32_t code) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code,
                                      [](char32_t c, const Range& r) { return c < r.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

/// Hangul syllables fall apart by arithmetic. Reference: The Unicode Standard, section 3.12.
void decompose_hangul(char32_t code, std::vector<char32_t>& out) {
  constexpr char32_t kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11A7;
  constexpr char32_t kVowelCount = 21, kTailCount = 28;
  const char32_t index = code - 0xAC00;
  out.push_back(kLeads + index / (kVowelCount * kTailCount));
  out.push_back(kVowels + index % (kVowelCount * kTailCount) / kTailCount);
  if (index % kTailCount != 0) out.push_back(kTails + index % kTailCount);
}

}  // namespace

std::vector<char32_t> code_points(std::string_view text) {
  std::vector<char32_t> codes;
  codes.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    char32_t code = kReplacement;
    const std::size_t length = decode_utf8(text, i, code);
    codes.push_back(code);
    i += length == 0 ? 1 : length;
  }
  return codes;
}

bool is_white_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_control(char32_t code) {
  return code != '\t' && code != '\n' && code != '\r' && within(kControl, code);
}

bool is_punctuation(char32_t code) {
  if (code < 0x80) {
    return (code > 0x20 && code < '0') || (code > '9' && code < 'A') ||
           (code > 'Z' && code < 'a') || (code > 'z' && code < 0x7F);
  }
  return within(kPunctuation, code);
}

bool is_cjk(char32_t code) {
  // The gap at 2B820 is the reference's.
  static constexpr Range kBlocks[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                                      {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F},
                                      {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return within(kBlocks, code);
}

void fold(char32_t code, std::vector<char32_t>& out) {
  if (code >= 'A' && code <= 'Z') {
    out.push_back(code + ('a' - 'A'));
    return;
  }
  if (code < 0x80) {
    out.push_back(code);
    return;
  }
  if (code >= 0xAC00 && code < 0xD7A4) {
    decompose_hangul(code, out);
    return;
  }
  if (within(kMarks, code)) return;
  const auto one = std::lower_bound(std::begin(kFolded), std::end(kFolded), code,
                                    [](const Range& r, char32_t c) { return r.first < c; });
  if (one != std::end(kFolded) && one->first == code) {
    out.push_back(one->last);
    return;
  }
  const auto many = std::lower_bound(std::begin(kFoldedLong), std::end(kFoldedLong), code,
                                     [](const Folded& f, char32_t c) { return f.code < c; });
  if (many != std::end(kFoldedLong) && many->code == code) {
    for (const std::uint32_t part : many->to) {
      if (part != 0) out.push_back(part);
    }
    return;
  }
  out.push_back(code);
}

}  // namespace sosia::models
