#pragma once
// Errors: one closed list of codes, one exception type, one table that maps a code to what the
// outside world sees (process exit status, HTTP status, Python base class).
//
// Expected negatives (no face found, unknown subject, no match) are values, not errors. Library
// code throws `Error`; it never prints, exits or aborts on input.

#include <array>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace sosia {

/// What kind of failure. The list is closed: add a row to `kErrorTable` with every new code.
enum class ErrorCode {
  usage,  ///< the request itself is wrong: unknown option, bad value, conflicting options
  invalid_argument,  ///< a library precondition was violated by the caller (shape, range, NaN)
  not_found,         ///< a named input does not exist
  io,                ///< the operating system refused or failed (permission, disk full, read error)
  corrupt_data,      ///< an input exists but is not what its format promises
  unsupported,       ///< valid input of a kind that sosia does not handle
  missing_feature,   ///< this build or machine lacks a part that can be added
  device,            ///< a compute device failed or is absent
  out_of_memory,     ///< an allocation failed or would exceed a stated cap
  cancelled,         ///< the user or a caller asked to stop
  conflict,          ///< somebody else holds it, or it exists already
  internal,          ///< a bug in sosia
};

/// What the world outside the library sees for one code.
struct ErrorTraits {
  ErrorCode code;
  std::string_view name;         ///< stable identifier in JSON, e.g. "not_found"
  int exit_status;               ///< of the process: 1 failed, 2 usage, 3 input, 4 feature, 70, 130
  int http_status;               ///< of a response
  std::string_view python_base;  ///< built-in class that the Python exception also derives from
};

inline constexpr std::array<ErrorTraits, 12> kErrorTable{{
    {ErrorCode::usage, "usage", 2, 400, "ValueError"},
    {ErrorCode::invalid_argument, "invalid_argument", 2, 400, "ValueError"},
    {ErrorCode::not_found, "not_found", 3, 404, "FileNotFoundError"},
    {ErrorCode::io, "io", 1, 500, "OSError"},
    {ErrorCode::corrupt_data, "corrupt_data", 3, 422, "ValueError"},
    {ErrorCode::unsupported, "unsupported", 4, 501, "NotImplementedError"},
    {ErrorCode::missing_feature, "missing_feature", 4, 501, "ImportError"},
    {ErrorCode::device, "device", 4, 503, "RuntimeError"},
    {ErrorCode::out_of_memory, "out_of_memory", 1, 507, "MemoryError"},
    {ErrorCode::cancelled, "cancelled", 130, 499, "InterruptedError"},
    {ErrorCode::conflict, "conflict", 1, 409, "RuntimeError"},
    {ErrorCode::internal, "internal", 70, 500, "RuntimeError"},
}};

/// Exit status of a run that finished but whose requested gate failed (for example a minimum TAR).
inline constexpr int kExitGateFailed = 5;

/// The table row of `code`. Total: every enumerator has a row, in order.
constexpr const ErrorTraits& error_traits(ErrorCode code) {
  return kErrorTable[static_cast<std::size_t>(code)];
}

/// The one exception type of sosia.
///
/// `message` says what failed, with the offending value; `hint` what to do about it (may be
/// empty); `context` where (a file and line, an option, a row; may be empty). All three are single
/// sentences or short lists without a trailing newline, in UTF-8.
///
/// Thread-safety: immutable after construction apart from `add_context`.
class Error : public std::exception {
 public:
  explicit Error(ErrorCode code, std::string message, std::string hint = {},
                 std::string context = {});
  ~Error() override;
  Error(const Error&);
  Error& operator=(const Error&);

  ErrorCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& hint() const noexcept { return hint_; }
  const std::string& context() const noexcept { return context_; }

  /// Puts `where` in front of the present context ("gallery.sosia: page 3"). Returns *this so that
  /// a catch block can write `throw e.add_context(path)`.
  Error& add_context(std::string_view where);

  /// The three lines a person sees: `error: <message>`, `  in <context>`, `help: <hint>`; absent
  /// parts are left out.
  std::string render() const;

  /// The same as `render()`.
  const char* what() const noexcept override;

 private:
  ErrorCode code_;
  std::string message_;
  std::string hint_;
  std::string context_;
  std::string rendered_;
};

/// Runs inside a catch block: turns the exception in flight into an `Error` (bad_alloc into
/// out_of_memory, filesystem_error into io or not_found, anything else into internal). `doing`
/// names the activity for the message of internal errors.
Error current_exception_as_error(std::string_view doing);

}  // namespace sosia
