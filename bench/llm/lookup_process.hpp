#pragma once
// A Python process that drafts by prompt lookup; see lookup_drafter.py.

#include "sosia/llm/draft.hpp"

#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sosia::llm::bench {

class LookupProcess {
 public:
  /// Starts `command`. Throws io.
  explicit LookupProcess(const std::vector<std::string>& command);
  ~LookupProcess();
  LookupProcess(const LookupProcess&) = delete;
  LookupProcess& operator=(const LookupProcess&) = delete;

  /// The text is its first `kept` tokens and then `added`. Throws io when the process is gone.
  void draft(std::size_t kept, std::span<const Token> added, std::vector<Token>& out);
  double cpu_ms() const;

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
};

}  // namespace sosia::llm::bench
