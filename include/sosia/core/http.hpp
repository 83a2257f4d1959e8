#pragma once
// A small HTTP client for services beside us (a vector store, a model server): JSON in, JSON out,
// everything bounded.

#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/value.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sosia {

/// Bounds of every call of a client. All must be positive, `retries` at least 0.
struct HttpOptions {
  std::int64_t connect_timeout_ms = 5'000;
  std::int64_t read_timeout_ms = 30'000;  ///< the longest silence of the server
  /// One call from beginning to end: all tries and the waits between them.
  std::int64_t overall_timeout_ms = 120'000;
  std::uint64_t max_response_bytes = std::uint64_t{256} << 20;
  int retries = 4;  ///< further tries after the first
  /// The wait before the first further try; doubled each time, and drawn from [half, all] of it, so
  /// that clients which failed together do not come back together.
  std::int64_t backoff_ms = 100;
  std::int64_t max_backoff_ms = 5'000;
};

/// Whether a request may be sent again when it is not known what became of it.
enum class Repeat {
  safe,   ///< it changes nothing, or doing it twice is the same as once
  never,  ///< tried again only when no connection was made at all
};

struct HttpRequest {
  std::string method = "GET";  ///< upper case
  std::string path = "/";      ///< with the query, escaped
  std::string body = {};       ///< may be there with any method
  std::string content_type = "application/json";
  Repeat repeat = Repeat::safe;
};

struct HttpResponse {
  int status = 0;
  std::string body = {};
  int tries = 1;
};

/// HTTP/1.1 to one host, over plain TCP with connections that are kept for the next call.
///
/// There is no TLS: what must cross an open network belongs into a tunnel or behind a proxy on this
/// machine. Redirects are not followed, answers are not decompressed.
///
/// Tried again, with growing waits: connections that could not be made, and for `Repeat::safe` also
/// broken connections, silence, and status 429, 502, 503 and 504.
///
/// Errors carry the method, the address and the path as context: io (no connection, silence, broken
/// connection, the time is over), out_of_memory (an answer larger than the bound), cancelled (felt
/// within 50 ms; while connecting, within `connect_timeout_ms`), missing_feature (the module
/// libsosia_core_http.so cannot be opened).
///
/// Thread-safety: every member may be called from any thread; calls do not wait for each other.
class HttpClient {
 public:
  /// Throws invalid_argument for an empty host, a port outside 1 to 65535, or a bound that is not
  /// positive. Nothing is connected yet.
  HttpClient(std::string host, int port, HttpOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  const std::string& host() const noexcept;
  int port() const noexcept;

  /// The answer, whatever its status.
  HttpResponse send(const HttpRequest& request, RunContext& run);

  /// The body of the answer as JSON (null when it is empty). Throws what `send` throws,
  /// corrupt_data when the body is no JSON, and for a status of 400 and more: not_found for 404,
  /// conflict for 409, otherwise io, with the status and the beginning of the body in the message.
  Value get_json(const std::string& path, RunContext& run);
  Value post_json(const std::string& path, const Value& body, Repeat repeat, RunContext& run);
  /// The same for any method; `body` is JSON text already.
  Value send_json(const HttpRequest& request, RunContext& run);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia
