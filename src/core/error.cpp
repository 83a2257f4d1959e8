#include "sosia/core/error.hpp"

#include <filesystem>
#include <new>
#include <system_error>

namespace sosia {

namespace {

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < kErrorTable.size(); ++i) {
    if (static_cast<std::size_t>(kErrorTable[i].code) != i) return false;
  }
  return static_cast<std::size_t>(ErrorCode::internal) + 1 == kErrorTable.size();
}
static_assert(table_is_in_order(), "kErrorTable needs one row per code, in order");

std::string rendering(const std::string& message, const std::string& context,
                      const std::string& hint) {
  std::string text = "error: " + message;
  if (!context.empty()) text += "\n  in " + context;
  if (!hint.empty()) text += "\nhelp: " + hint;
  return text;
}

}  // namespace

Error::Error(ErrorCode code, std::string message, std::string hint, std::string context)
    : code_(code),
      message_(std::move(message)),
      hint_(std::move(hint)),
      context_(std::move(context)),
      rendered_(rendering(message_, context_, hint_)) {}

Error::~Error() = default;
Error::Error(const Error&) = default;
Error& Error::operator=(const Error&) = default;

Error& Error::add_context(std::string_view where) {
  context_ = context_.empty() ? std::string(where) : std::string(where) + ": " + context_;
  rendered_ = rendering(message_, context_, hint_);
  return *this;
}

std::string Error::render() const {
  return rendered_;
}

const char* Error::what() const noexcept {
  return rendered_.c_str();
}

Error current_exception_as_error(std::string_view doing) {
  const std::string activity(doing);
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::out_of_memory, "not enough memory while " + activity,
                 "use smaller inputs, a smaller batch, or a machine with more memory");
  } catch (const std::filesystem::filesystem_error& error) {
    const bool absent = error.code() == std::errc::no_such_file_or_directory;
    return Error(absent ? ErrorCode::not_found : ErrorCode::io,
                 error.code().message() + " while " + activity, "", error.path1().string());
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, std::string(error.what()) + " while " + activity,
                 "this is a bug in sosia; please report it with the command that led here");
  } catch (...) {
    return Error(ErrorCode::internal, "an unknown exception while " + activity,
                 "this is a bug in sosia; please report it with the command that led here");
  }
}

}  // namespace sosia
