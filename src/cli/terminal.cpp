#include "cli/terminal.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sosia::cli {

namespace {

constexpr std::size_t kNarrowest = 20;
constexpr std::size_t kDefaultWidth = 80;

std::string environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string duration(double s) {
  if (s < 60) return fmt::format("{:.0f} s", s);
  if (s < 3600) return fmt::format("{:.0f} min {:02.0f} s", std::floor(s / 60), std::fmod(s, 60));
  return fmt::format("{:.0f} h {:02.0f} min", std::floor(s / 3600), std::fmod(s, 3600) / 60);
}

}  // namespace

std::size_t terminal_width(int fd) {
  long long columns = 0;
  if (parse_integer(environment("COLUMNS"), columns) && columns > 0 && columns < 10000) {
    return std::max(kNarrowest, static_cast<std::size_t>(columns));
  }
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return std::max<std::size_t>(kNarrowest, size.ws_col);
  }
  return kDefaultWidth;
}

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

bool use_colour(const std::string& choice, int fd) {
  if (choice != "auto") return choice == "always";
  return is_terminal(fd) && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

void write_stdout(std::string_view text) {
  if (!write_all(STDOUT_FILENO, text)) {
    if (errno == EPIPE) {  // the reader has gone and our caller ignores SIGPIPE: end as quietly
      std::signal(SIGPIPE, SIG_DFL);
      std::raise(SIGPIPE);
    }
    throw Error(ErrorCode::io,
                std::string("cannot write to standard output: ") + std::strerror(errno));
  }
}

void write_stderr(std::string_view text) {
  (void)write_all(STDERR_FILENO, text);
}

ProgressStyle progress_style(const std::string& choice, bool quiet) {
  if (quiet || choice == "none") return ProgressStyle::none;
  if (choice == "bar") return ProgressStyle::bar;
  if (choice == "plain") return ProgressStyle::plain;
  const bool bar = is_terminal(STDERR_FILENO) && environment("TERM") != "dumb";
  return bar ? ProgressStyle::bar : ProgressStyle::plain;
}

TerminalSink::TerminalSink(ProgressStyle style, bool quiet, bool live)
    : style_(style), quiet_(quiet), live_(live) {}

TerminalSink::~TerminalSink() {
  clear_bar();
}

void TerminalSink::clear_bar() {
  if (bar_shown_) write_stderr("\r\033[K");
  bar_shown_ = false;
}

std::string TerminalSink::status(std::uint64_t done, std::uint64_t total,
                                 Clock::time_point now) const {
  const double elapsed_s = std::chrono::duration<double>(now - phase_start_).count();
  const double rate = elapsed_s > 0 ? static_cast<double>(done) / elapsed_s : 0;
  std::string text = phase_ + " " + std::to_string(done);
  if (total > 0) {
    text += fmt::format("/{} {:.0f}%", total,
                        100.0 * static_cast<double>(done) / static_cast<double>(total));
  }
  if (rate > 0) {
    text += rate < 100 ? fmt::format("  {:.3g}/s", rate) : fmt::format("  {:.0f}/s", rate);
  }
  if (rate > 0 && total > done) {
    text += "  " + duration(static_cast<double>(total - done) / rate) + " left";
  }
  return text;
}

void TerminalSink::progress(std::string_view phase, std::uint64_t done, std::uint64_t total) {
  if (style_ == ProgressStyle::none || (live_ && verdict_bytes_ > 0)) return;
  const Clock::time_point now = Clock::now();
  if (phase != phase_) {
    phase_ = phase;
    phase_start_ = now;
  }
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  if (style_ == ProgressStyle::plain) {
    if (now - last_shown_ < seconds(30)) return;
    write_stderr(status(done, total, now) + "\n");
  } else {
    const bool finished = total > 0 && done >= total;
    if (now - run_start_ < seconds(1)) return;
    if (now - last_shown_ < milliseconds(100) && !finished) return;
    std::string line = status(done, total, now);
    const std::size_t width = terminal_width(STDERR_FILENO) - 1;
    if (line.size() > width) line.resize(width);
    write_stderr("\r\033[K" + line);
    bar_shown_ = true;
  }
  last_shown_ = now;
}

void TerminalSink::verdict_part(std::string_view part) {
  if (!live_) {
    progress("characters", verdict_bytes_ += part.size(), 0);
    return;
  }
  clear_bar();
  verdict_bytes_ += part.size();
  write_stdout(terminal_text(part));
}

bool TerminalSink::end_verdict() {
  if (!live_ || verdict_bytes_ == 0) return false;
  write_stdout("\n\n");
  return true;
}

void TerminalSink::log(LogLevel level, std::string_view line) {
  if (quiet_ || level == LogLevel::debug) return;
  clear_bar();
  write_stderr((level == LogLevel::warning ? "warning: " : "note: ") + std::string(line) + "\n");
}

}  // namespace sosia::cli
