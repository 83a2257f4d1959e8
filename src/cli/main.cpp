// The program `sosia`: finds the verb, reads its options, runs it, renders its report.

#include "cli/arguments.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "cli/terminal.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/execute.hpp"
#include "sosia/core/text.hpp"
#include "sosia/version.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace sosia;
using namespace sosia::cli;
using Words = std::vector<std::string>;

// The two globals that a signal handler cannot do without. Lock-free by type.
std::shared_ptr<CancelToken>
    interrupt_token;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<std::int64_t>
    interrupted_ms{};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// Cancels the run; a later second signal ends the program at once. Wrappers (timeout, npm) forward
/// what the terminal has sent to the whole group already, so that one Ctrl-C may arrive twice.
extern "C" void on_interrupt(int signal) {
  constexpr std::int64_t kSameMs = 500;
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_ms = std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
  if (!interrupt_token->cancelled()) {
    interrupted_ms = now_ms;
    interrupt_token->cancel();
  } else if (now_ms - interrupted_ms > kSameMs) {
    std::signal(signal, SIG_DFL);
    ::raise(signal);
  }
}

bool contains(const Words& words, std::string_view word) {
  for (const std::string& candidate : words) {
    if (candidate == "--") return false;
    if (candidate == word) return true;
  }
  return false;
}

bool is_noun(const Catalogue& catalogue, const std::string& word) {
  const std::vector<std::string> all = nouns(catalogue);
  return !word.empty() && std::find(all.begin(), all.end(), word) != all.end();
}

[[noreturn]] void unknown_command(const Catalogue& catalogue, const Words& words) {
  std::vector<std::string> paths{"completion", "help"};
  for (const VerbEntry& verb : catalogue.verbs()) paths.push_back(verb.info.path());
  const std::vector<std::string> all_nouns = nouns(catalogue);
  const bool noun = is_noun(catalogue, words[0]);
  std::string typed = words[0];
  if (noun && words.size() > 1) typed += " " + words[1];
  std::vector<std::string> candidates = noun ? Words{} : all_nouns;
  for (const std::string& path : paths) {
    if (!noun || path.starts_with(words[0] + " ")) candidates.push_back(path);
  }
  // Two words may name a verb whose noun is misspelt.
  std::string near = words.size() > 1 ? did_you_mean(words[0] + " " + words[1], candidates) : "";
  if (near.empty()) near = did_you_mean(typed, candidates);
  throw Error(ErrorCode::usage, "there is no verb " + quote(typed),
              near.empty() ? "`sosia --help` lists every verb" : near);
}

/// The verb that `words` begin with and the number of words that name it; nullptr when none.
const VerbEntry* match_verb(const Catalogue& catalogue, const Words& words, std::size_t& used) {
  used = 1;
  if (const VerbEntry* verb = catalogue.find_verb(words[0])) return verb;
  if (words.size() < 2) return nullptr;
  used = 2;
  return catalogue.find_verb(words[0] + " " + words[1]);
}

Value chosen(const Resolved& resolved, const std::string& path, const Value& fallback) {
  const Setting* given = resolved.common.find(path);
  return given ? given->value : fallback;
}

std::string word_of(const Value& value) {
  return value.is_text() ? value.as_text() : "auto";
}

int run_verb(const Catalogue& catalogue, const VerbEntry& verb, const Words& words) {
  const std::size_t width = terminal_width(STDOUT_FILENO);
  if (contains(words, "--help")) {
    write_stdout(long_help(verb, width));
    return 0;
  }
  if (contains(words, "-h")) {
    write_stdout(short_help(verb, width));
    return 0;
  }
  const Resolved resolved =
      resolve_options(catalogue, verb, parse_arguments(verb, words), ConfigSources::of_process());
  // Rendering choices only; `execute` decodes everything and reports all problems at once.
  const bool json = chosen(resolved, "json", Value(false)) == Value(true);
  const bool quiet = chosen(resolved, "quiet", Value(false)) == Value(true);
  const Value progress = chosen(resolved, "progress", "auto");
  const Value colour = chosen(resolved, "colour", "auto");
  const bool live = !json && is_terminal(STDOUT_FILENO);
  auto sink = std::make_shared<TerminalSink>(progress_style(word_of(progress), quiet), quiet, live);
  interrupt_token = std::make_shared<CancelToken>();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const Outcome outcome = execute(catalogue, verb, resolved, interrupt_token, sink);
  const bool shown = sink->end_verdict();
  sink.reset();
  if (outcome.shown_elsewhere) {
    // The first process of the run prints.
  } else if (json) {
    write_stdout(to_json(report_to_value(outcome.report)) + "\n");
  } else {
    write_stdout(render_terminal(
        outcome.report,
        {.width = width, .colour = use_colour(word_of(colour), STDOUT_FILENO), .verdict = !shown}));
  }
  // A verb that was cancelled and has a part of its result reports that part.
  if (interrupt_token->cancelled()) return error_traits(ErrorCode::cancelled).exit_status;
  return outcome.report.gates_passed() ? 0 : kExitGateFailed;
}

int print_version(const Catalogue& catalogue, bool json) {
  if (json) {
    Value body = Value::object({{"version", version()}, {"commit", version_commit()}});
    for (const auto& [key, member] : catalogue.build().as_object()) body.set(key, member);
    write_stdout(to_json(body) + "\n");
  } else {
    write_stdout("sosia " + std::string(kVersion) + "\n");
  }
  return 0;
}

int print_help(const Catalogue& catalogue, Words words) {
  const bool markdown = std::erase(words, "--markdown") > 0;
  const std::size_t width = terminal_width(STDOUT_FILENO);
  if (markdown) {
    const bool general = words.empty() || words[0] == "general";
    if (!general && !is_noun(catalogue, words[0])) unknown_command(catalogue, words);
    write_stdout(markdown_page(catalogue, general ? "" : words[0]));
    return 0;
  }
  if (words.empty()) {
    write_stdout(full_overview(catalogue, width));
    return 0;
  }
  std::size_t used = 0;
  if (const VerbEntry* verb = match_verb(catalogue, words, used)) {
    write_stdout(long_help(*verb, width));
    return 0;
  }
  if (!is_noun(catalogue, words[0])) unknown_command(catalogue, words);
  write_stdout(noun_help(catalogue, words[0], width));
  return 0;
}

int dispatch(const Words& words) {
  Catalogue catalogue;
  add_builtin_verbs(catalogue);
  if (words.empty()) {
    write_stdout(overview(catalogue, terminal_width(STDOUT_FILENO)));
    return 0;
  }
  if (words[0] == "--version") return print_version(catalogue, contains(words, "--json"));
  const Words rest(words.begin() + 1, words.end());
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    return print_help(catalogue, rest);
  }
  if (words[0] == "completion") {
    if (rest.size() != 1) {
      throw Error(ErrorCode::usage, "completion takes one shell", "use bash, zsh or fish");
    }
    write_stdout(completion_script(catalogue, rest[0]));
    return 0;
  }
  std::size_t used = 0;
  if (const VerbEntry* verb = match_verb(catalogue, words, used)) {
    return run_verb(catalogue, *verb, Words(words.begin() + static_cast<long>(used), words.end()));
  }
  const bool asks_help = rest.empty() || rest[0] == "-h" || rest[0] == "--help";
  if (asks_help && is_noun(catalogue, words[0])) {
    write_stdout(noun_help(catalogue, words[0], terminal_width(STDOUT_FILENO)));
    return 0;
  }
  unknown_command(catalogue, words);
}

int report_error(const Error& error, bool json) {
  if (json) {
    Value body = Value::object({{"code", error_traits(error.code()).name},
                                {"message", error.message()},
                                {"context", error.context()},
                                {"hint", error.hint()}});
    const Value envelope = Value::object({{"schema", "sosia.error/1"}, {"error", std::move(body)}});
    try {
      write_stdout(to_json(envelope) + "\n");
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch)
      // Standard output is gone; standard error below still says why.
    }
  }
  write_stderr(error.render() + "\n");
  return error_traits(error.code()).exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  // Threads of OpenMP libraries in the modules must not spin while another process has the core.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is an error like a full disk
  const Words words(argv + 1, argv + argc);
  try {
    return dispatch(words);
  } catch (...) {
    return report_error(current_exception_as_error("running sosia"), contains(words, "--json"));
  }
}
