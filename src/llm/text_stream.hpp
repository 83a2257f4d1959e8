#pragma once
// The text of an answer as it comes: stop strings are found across tokens, callers get whole
// characters that can no longer belong to one.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::llm {

class TextStream {
 public:
  TextStream(std::vector<std::string> stop, std::function<void(std::string_view)> on_text)
      : stop_(std::move(stop)), on_text_(std::move(on_text)) {
    std::erase(stop_, std::string());
  }

  /// The bytes of the next token. False when a stop string is complete.
  bool add(std::string_view piece);
  /// The whole text, without the stop string; what was held back is handed out.
  std::string finish();

 private:
  void hand_out(std::size_t end);
  std::vector<std::string> stop_;
  std::function<void(std::string_view)> on_text_;
  std::string text_;
  std::size_t handed_ = 0;
};

}  // namespace sosia::llm
