#include "lookup_process.hpp"

#include "sosia/core/error.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sosia::llm::bench {

namespace {

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorCode::io, std::string("the process for prompt lookup: ") + what, "",
              std::strerror(errno));
}

void write_all(int file, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(file, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("it takes no more");
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

void read_all(int file, void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = ::read(file, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("it is gone");
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

}  // namespace

LookupProcess::LookupProcess(const std::vector<std::string>& command) {
  int to[2], from[2];
  // Closed in the processes that are started later: an end that they kept would never close.
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) fail("no pipe");
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) fail("no process");
  if (pid_ == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  in_ = to[1];
  out_ = from[0];
}

LookupProcess::~LookupProcess() {
  ::close(in_);
  ::close(out_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void LookupProcess::draft(std::size_t kept, std::span<const Token> added, std::vector<Token>& out) {
  std::vector<std::int32_t> message{static_cast<std::int32_t>(kept),
                                    static_cast<std::int32_t>(added.size())};
  message.insert(message.end(), added.begin(), added.end());
  write_all(in_, message.data(), message.size() * sizeof(std::int32_t));
  std::int32_t count = 0;
  read_all(out_, &count, sizeof count);
  if (count < 0 || count > 4096) fail("it gave no draft");
  out.resize(static_cast<std::size_t>(count));
  read_all(out_, out.data(), out.size() * sizeof(Token));
}

double LookupProcess::cpu_ms() const {
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &t) != 0) return 0;
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

}  // namespace sosia::llm::bench
