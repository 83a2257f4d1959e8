#pragma once
// Errors that fingers, ears and scanners make, on UTF-8 text.

#include "world/draw.hpp"

#include <string>
#include <string_view>

namespace sosia::world::typing {

/// One typing error in ASCII letters or digits: a neighbouring key, a letter left out, doubled or
/// swapped with the next. Text without two ASCII letters comes back as it is.
std::string slip(Draw& draw, const std::string& text);
/// A spelling that sounds the same ("ph" for "f"), or the text as it is where none applies.
std::string sound_alike(Draw& draw, const std::string& text);
/// What a scanner reads ("rn" for "m", "0" for "O"), or the text as it is.
std::string misread(Draw& draw, const std::string& text);
/// Letters with marks written in ASCII ("ue" for u with dots, "s" for s with cedilla).
std::string to_ascii(std::string_view text);
/// Every character beyond ASCII gone and letters small: for addresses and user names.
std::string slug(std::string_view text);

std::string upper_ascii(std::string text);
std::string lower_ascii(std::string text);

}  // namespace sosia::world::typing
