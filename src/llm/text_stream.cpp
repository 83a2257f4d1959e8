#include "llm/text_stream.hpp"

#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia::llm {

void TextStream::hand_out(std::size_t end) {
  // Not within a character.
  std::size_t whole = handed_;
  while (whole < end) {
    char32_t point = 0;
    const std::size_t length = decode_utf8(text_, whole, point);
    if (length == 0) {
      // Broken, or only its beginning: four bytes tell.
      if (text_.size() - whole < 4) break;
      ++whole;
    } else if (whole + length > end) {
      break;
    } else {
      whole += length;
    }
  }
  if (whole == handed_ || !on_text_) return;
  const std::string_view part = std::string_view(text_).substr(handed_, whole - handed_);
  handed_ = whole;
  on_text_(part);
}

bool TextStream::add(std::string_view piece) {
  std::size_t longest = 0;
  for (const std::string& stop : stop_) longest = std::max(longest, stop.size());
  // A stop string may have begun in what came before.
  const std::size_t from = text_.size() - std::min(text_.size(), longest);
  text_ += piece;
  std::size_t found = std::string::npos;
  for (const std::string& stop : stop_) found = std::min(found, text_.find(stop, from));
  if (found != std::string::npos) {
    text_.resize(found);
    return false;
  }
  std::size_t safe = text_.size();
  for (const std::string& stop : stop_) {
    for (std::size_t n = std::min(stop.size() - 1, text_.size()); n > 0; --n) {
      if (std::string_view(text_).ends_with(std::string_view(stop).substr(0, n))) {
        safe = std::min(safe, text_.size() - n);
        break;
      }
    }
  }
  if (safe > handed_) hand_out(safe);
  return true;
}

std::string TextStream::finish() {
  if (on_text_ && handed_ < text_.size()) on_text_(std::string_view(text_).substr(handed_));
  return std::move(text_);
}

}  // namespace sosia::llm
