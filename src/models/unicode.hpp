#pragma once
// The properties of code points that BERT's tokenizer asks for. Tables: unicode_tables.inc.

#include <cstdint>
#include <string_view>
#include <vector>

namespace sosia::models {

/// UTF-8 to code points; each byte of an invalid sequence becomes U+FFFD.
std::vector<char32_t> code_points(std::string_view text);

bool is_white_space(char32_t code);
/// Categories Cc, Cf, Co, but for tab and ends of lines.
bool is_control(char32_t code);
/// ASCII that is no letter, digit, space or control, and category P.
bool is_punctuation(char32_t code);
/// The blocks of CJK ideographs that BERT puts between spaces.
bool is_cjk(char32_t code);

/// Appends what remains of `code` after canonical decomposition, removal of non-spacing marks and
/// lower case: nothing, one or several code points. Marks that are not removed keep their order.
void fold(char32_t code, std::vector<char32_t>& out);

}  // namespace sosia::models
