#include "sosia/core/http.hpp"

#include "core/http_abi.h"
#include "sosia/core/c_module.hpp"
#include "sosia/core/text.hpp"
#include "sosia/version.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sodium.h>

namespace sosia {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kModule = "libsosia_core_http.so";
/// How often cancellation and the end of the time are looked at.
constexpr milliseconds kTick{20};

const SosiaHttpApi& module() {
  static CModule<SosiaHttpApi> file(kModule, SOSIA_HTTP_FACTORY, SOSIA_HTTP_ABI);
  std::string reason;
  const SosiaHttpApi* api = file.open(reason);
  if (api == nullptr) {
    throw Error(
        ErrorCode::missing_feature,
        fmt::format("HTTP needs the module {}, which cannot be opened: {}", kModule, reason),
        "install libcpp-httplib0.11 and see that the module stands beside "
        "libsosia_core.so");
  }
  return *api;
}

/// A server that closes while we write raises SIGPIPE, which would end the program: cpp-httplib
/// 0.11 sends without MSG_NOSIGNAL. Held back in this thread, and taken away when it was ours.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoPipeSignal() {
    if (!was_pending_) {
      const timespec at_once{};
      while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

/// Ends a blocking `send` when the run is cancelled or the time is over.
class Watch {
 public:
  Watch(const SosiaHttpApi& api, SosiaHttpConnection* connection, Clock::time_point end,
        const RunContext& run)
      : thread_([this, &api, connection, end, &run] { look(api, connection, end, run); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  static bool over(Clock::time_point end, const RunContext& run) {
    try {
      run.check_cancelled();
    } catch (const Error&) {
      return true;
    }
    return Clock::now() >= end;
  }

  void look(const SosiaHttpApi& api, SosiaHttpConnection* connection, Clock::time_point end,
            const RunContext& run) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kTick, [this] { return done_; })) {
      if (over(end, run)) {
        // Again and again: before the connection stands there is nothing to interrupt.
        lock.unlock();
        api.interrupt(connection);
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

void require_positive(std::int64_t value, std::string_view name) {
  if (value <= 0) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is {}; it must be positive", name, value));
  }
}

/// Nothing in the first line of a request may begin a second one.
void require_clean(const HttpRequest& request) {
  const auto bad = [](std::string_view text) {
    return text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
             return static_cast<unsigned char>(c) <= ' ' || c == 127;
           });
  };
  if (bad(request.method) || bad(request.path) || request.path.front() != '/') {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} {} is no HTTP request line", quote(request.method), quote(request.path)),
        "the path begins with / and has neither blanks nor control characters");
  }
  if (request.content_type.find_first_of("\r\n") != std::string::npos) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is no content type", quote(request.content_type)));
  }
}

bool passing(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

struct HttpClient::Impl {
  std::string host;
  int port = 0;
  HttpOptions options;
  std::mutex mutex;
  std::vector<SosiaHttpConnection*> idle;

  struct Taken {
    SosiaHttpConnection* connection = nullptr;
    bool used_before = false;
  };
  Taken take(const SosiaHttpApi& api, bool fresh) {
    if (!fresh) {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        SosiaHttpConnection* connection = idle.back();
        idle.pop_back();
        return {connection, true};
      }
    }
    SosiaHttpConnection* connection = api.open(host.c_str(), port);
    if (connection == nullptr) {
      throw Error(ErrorCode::out_of_memory, "no memory for an HTTP connection");
    }
    return {connection, false};
  }

  void give(SosiaHttpConnection* connection) {
    const std::lock_guard lock(mutex);
    idle.push_back(connection);
  }

  std::string where(const HttpRequest& request) const {
    return fmt::format("{} http://{}:{}{}", request.method, host, port, request.path);
  }

  struct Outcome {
    int kind = SOSIA_HTTP_OTHER;
    HttpResponse response;
    milliseconds took{0};
    bool used_before = false;  ///< the connection
  };
  /// One try, on a connection of its own when `fresh`.
  Outcome try_once(const HttpRequest& request, bool fresh, Clock::time_point end, RunContext& run);

  Error failure(const Outcome& outcome, Clock::time_point end) const;
  /// Sleeps before try number `tries` + 1; false when that would be beyond the end.
  bool wait(int tries, Clock::time_point end, const RunContext& run) const;
};

HttpClient::Impl::Outcome HttpClient::Impl::try_once(const HttpRequest& request, bool fresh,
                                                     Clock::time_point end, RunContext& run) {
  const SosiaHttpApi& api = module();
  const Clock::time_point begin = Clock::now();
  const auto left = std::chrono::ceil<milliseconds>(end - begin).count();
  static const std::string agent = fmt::format("sosia/{}", version());
  const SosiaHttpRequest raw{request.method.c_str(),
                             request.path.c_str(),
                             request.content_type.c_str(),
                             agent.c_str(),
                             request.body.data(),
                             request.body.size(),
                             std::max<std::int64_t>(1, std::min(options.connect_timeout_ms, left)),
                             std::max<std::int64_t>(1, std::min(options.read_timeout_ms, left)),
                             options.max_response_bytes};
  const auto [connection, used_before] = take(api, fresh);
  SosiaHttpAnswer answer{};
  {
    const NoPipeSignal guard;
    const Watch watch(api, connection, end, run);
    api.send(connection, &raw, &answer);
  }
  Outcome outcome{
      answer.outcome, {}, std::chrono::floor<milliseconds>(Clock::now() - begin), used_before};
  if (answer.outcome == SOSIA_HTTP_OK) {
    outcome.response.status = answer.status;
    outcome.response.body.assign(answer.body, answer.body_bytes);
    give(connection);
  } else {
    api.close(connection);
  }
  return outcome;
}

Error HttpClient::Impl::failure(const Outcome& outcome, Clock::time_point end) const {
  constexpr auto kRunning = "see that the server runs, and that address and port are right";
  switch (outcome.kind) {
    case SOSIA_HTTP_TOO_LARGE:
      return Error(ErrorCode::out_of_memory,
                   fmt::format("the answer is larger than the bound of {} bytes",
                               options.max_response_bytes));
    case SOSIA_HTTP_MEMORY:
      return Error(ErrorCode::out_of_memory, "no memory for the answer");
    case SOSIA_HTTP_NO_CONNECTION:
      return Error(ErrorCode::io, fmt::format("cannot connect to {}:{}", quote(host), port),
                   kRunning);
    case SOSIA_HTTP_CONNECT_TIMEOUT:
      return Error(ErrorCode::io,
                   fmt::format("no connection to {}:{} after {} ms", quote(host), port,
                               outcome.took.count()),
                   kRunning);
    default:
      break;
  }
  if (Clock::now() >= end) {
    return Error(ErrorCode::io, fmt::format("no answer within {} ms", options.overall_timeout_ms));
  }
  if (outcome.took.count() >= options.read_timeout_ms) {
    return Error(ErrorCode::io,
                 fmt::format("the server was silent for {} ms", options.read_timeout_ms));
  }
  return Error(ErrorCode::io, "the connection broke before the answer was complete");
}

bool HttpClient::Impl::wait(int tries, Clock::time_point end, const RunContext& run) const {
  std::int64_t pause_ms = options.backoff_ms;
  for (int i = 1; i < tries && pause_ms < options.max_backoff_ms; ++i) {
    pause_ms *= 2;
  }
  pause_ms = std::clamp<std::int64_t>(pause_ms, 1, options.max_backoff_ms);
  // Not the run's random numbers: two processes with one seed must not wait alike, and no result
  // depends on it.
  const auto spread = static_cast<std::uint32_t>(std::min<std::int64_t>(pause_ms / 2, 1 << 30));
  const milliseconds pause(pause_ms - (spread == 0 ? 0 : randombytes_uniform(spread + 1)));
  const Clock::time_point until = Clock::now() + pause;
  if (until >= end) {
    return false;
  }
  while (Clock::now() < until) {
    run.check_cancelled();
    std::this_thread::sleep_for(std::min<Clock::duration>(kTick, until - Clock::now()));
  }
  return true;
}

HttpClient::HttpClient(std::string host, int port, HttpOptions options)
    : impl_(std::make_unique<Impl>()) {
  if (host.empty() || host.find_first_of(std::string_view(" /\r\n\t\0", 6)) != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} is no host name", quote(host)));
  }
  if (port < 1 || port > 65535) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the port is {}; it must be 1 to 65535", port));
  }
  require_positive(options.connect_timeout_ms, "connect_timeout_ms");
  require_positive(options.read_timeout_ms, "read_timeout_ms");
  require_positive(options.overall_timeout_ms, "overall_timeout_ms");
  require_positive(options.backoff_ms, "backoff_ms");
  require_positive(options.max_backoff_ms, "max_backoff_ms");
  if (options.retries < 0 || options.max_response_bytes == 0) {
    throw Error(ErrorCode::invalid_argument,
                "retries must not be negative, max_response_bytes not 0");
  }
  if (sodium_init() < 0) {
    throw Error(ErrorCode::internal, "libsodium cannot be started");
  }
  impl_->host = std::move(host);
  impl_->port = port;
  impl_->options = options;
}

HttpClient::~HttpClient() {
  for (SosiaHttpConnection* connection : impl_->idle) {
    module().close(connection);
  }
}

const std::string& HttpClient::host() const noexcept {
  return impl_->host;
}

int HttpClient::port() const noexcept {
  return impl_->port;
}

HttpResponse HttpClient::send(const HttpRequest& request, RunContext& run) {
  require_clean(request);
  const Clock::time_point end = Clock::now() + milliseconds(impl_->options.overall_timeout_ms);
  // A kept connection may be closed by the server just as it is used again, and nobody knows how
  // far the request came. So what must not be repeated gets a new one, and other requests a second
  // try that is not counted.
  bool fresh = request.repeat == Repeat::never;
  for (int tries = 1;; ++tries) {
    run.check_cancelled();
    Impl::Outcome outcome = impl_->try_once(request, fresh, end, run);
    run.check_cancelled();
    if (outcome.kind == SOSIA_HTTP_BROKEN && outcome.used_before && Clock::now() < end &&
        outcome.took.count() < impl_->options.read_timeout_ms) {
      fresh = true;
      --tries;
      continue;
    }
    const bool unsent =
        outcome.kind == SOSIA_HTTP_NO_CONNECTION || outcome.kind == SOSIA_HTTP_CONNECT_TIMEOUT;
    const bool answered = outcome.kind == SOSIA_HTTP_OK;
    const bool broken = outcome.kind == SOSIA_HTTP_BROKEN || outcome.kind == SOSIA_HTTP_OTHER ||
                        (answered && passing(outcome.response.status));
    const bool again = unsent || (broken && request.repeat == Repeat::safe);
    if (again && tries <= impl_->options.retries && impl_->wait(tries, end, run)) {
      continue;
    }
    if (!answered) {
      Error error = impl_->failure(outcome, end);
      throw error.add_context(impl_->where(request));
    }
    outcome.response.tries = tries;
    return std::move(outcome.response);
  }
}

Value HttpClient::get_json(const std::string& path, RunContext& run) {
  return send_json({.method = "GET", .path = path}, run);
}

Value HttpClient::post_json(const std::string& path, const Value& body, Repeat repeat,
                            RunContext& run) {
  return send_json({.method = "POST", .path = path, .body = to_json(body, -1), .repeat = repeat},
                   run);
}

Value HttpClient::send_json(const HttpRequest& request, RunContext& run) {
  const HttpResponse response = send(request, run);
  const std::string where = impl_->where(request);
  if (response.status >= 400) {
    const ErrorCode code = response.status == 404   ? ErrorCode::not_found
                           : response.status == 409 ? ErrorCode::conflict
                                                    : ErrorCode::io;
    throw Error(code,
                fmt::format("the server answered with status {}: {}", response.status,
                            quote(trim(response.body), 200)),
                {}, where);
  }
  if (trim(response.body).empty()) {
    return {};
  }
  return parse_json(response.body, where);
}

}  // namespace sosia
