#pragma once
// What the program knows about its terminal, and progress on it.

#include "sosia/core/run.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace sosia::cli {

/// Columns of the terminal behind `fd`: $COLUMNS, else the system's answer, else 80; at least 20.
std::size_t terminal_width(int fd);

bool is_terminal(int fd);

/// Whether to colour output to `fd`: "always", "never", or "auto" (a terminal that is not dumb, and
/// NO_COLOR unset).
bool use_colour(const std::string& choice, int fd);

/// Writes everything to standard output; throws io when it cannot (disk full).
void write_stdout(std::string_view text);
void write_stderr(std::string_view text);

enum class ProgressStyle { none, plain, bar };

/// From `--progress`: "auto" is a bar on a terminal and plain lines elsewhere.
ProgressStyle progress_style(const std::string& choice, bool quiet);

/// Progress and log lines on standard error, with `live` the verdict on standard output as it comes
/// (progress ends then); otherwise its characters are progress. The bar appears after one second
/// and is redrawn at most ten times a second, with rate and time left; the plain style prints a
/// line every 30 seconds.
class TerminalSink final : public RunSink {
 public:
  TerminalSink(ProgressStyle style, bool quiet, bool live);
  ~TerminalSink() override;
  void progress(std::string_view phase, std::uint64_t done, std::uint64_t total) override;
  void log(LogLevel level, std::string_view line) override;
  void verdict_part(std::string_view part) override;
  /// Ends the line of a verdict that was shown. False when none was.
  bool end_verdict();

 private:
  using Clock = std::chrono::steady_clock;
  void clear_bar();
  std::string status(std::uint64_t done, std::uint64_t total, Clock::time_point now) const;

  ProgressStyle style_;
  bool quiet_;
  bool live_;
  bool bar_shown_ = false;
  std::uint64_t verdict_bytes_ = 0;
  std::string phase_;
  Clock::time_point run_start_ = Clock::now();
  Clock::time_point phase_start_ = run_start_;
  Clock::time_point last_shown_ = run_start_;
};

}  // namespace sosia::cli
