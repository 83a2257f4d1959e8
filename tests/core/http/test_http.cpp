// The HTTP client against servers on loopback: a well-behaved one (cpp-httplib), and one that
// speaks sockets and does whatever a test wants.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include "errors.hpp"
#include "sosia/core/http.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sosia {
namespace {

using namespace std::chrono_literals;

/// An httplib server on a free port, stopped at the end.
class GoodServer {
 public:
  explicit GoodServer(const std::function<void(httplib::Server&)>& routes) {
    routes(server_);
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(1ms);
  }
  ~GoodServer() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

/// Accepts connections one after the other and hands each to `talk`, which may do anything.
class RawServer {
 public:
  using Talk = std::function<void(int socket, int connection, const std::atomic<bool>& stop)>;
  explicit RawServer(Talk talk) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, talk = std::move(talk)] {
      for (int count = 0;; ++count) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) return;
        talk(socket, count, stop_);
        ::close(socket);
      }
    });
  }
  ~RawServer() {
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }

 private:
  int listener_;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// What the client has sent so far, until the blank line.
std::string read_head(int socket) {
  std::string head;
  char c = 0;
  while (head.find("\r\n\r\n") == std::string::npos && ::recv(socket, &c, 1, 0) == 1) head += c;
  return head;
}

void write_text(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string answer_of(std::string_view body, std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

HttpOptions quick() {
  return {.connect_timeout_ms = 1000,
          .read_timeout_ms = 300,
          .overall_timeout_ms = 5000,
          .max_response_bytes = 1000,
          .retries = 0,
          .backoff_ms = 5,
          .max_backoff_ms = 20};
}

std::int64_t ms_of(const std::function<void()>& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin)
      .count();
}

TEST(Http, JsonGoesThereAndBack) {
  GoodServer server([](httplib::Server& s) {
    s.Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(R"({"type":")" + request.get_header_value("Content-Type") +
                               R"(","body":)" + request.body + "}",
                           "application/json");
    });
    s.Get("/hello", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content("\"" + request.get_param_value("a") + "\"", "application/json");
    });
    s.Get("/nothing", [](const httplib::Request&, httplib::Response& r) { r.status = 204; });
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  const Value body = Value::object({{"k", 3}, {"text", "\xc3\xa4\n"}});
  const Value answer = client.post_json("/echo", body, Repeat::never, run);
  EXPECT_EQ(answer.at("type").as_text(), "application/json");
  EXPECT_EQ(answer.at("body"), body);
  EXPECT_EQ(client.get_json("/hello?a=b%20c", run).as_text(), "b c");
  EXPECT_TRUE(client.get_json("/nothing", run).is_null());
}

TEST(Http, BodiesTravelWithAnyMethod) {
  RawServer server([](int socket, int, const auto&) {
    const std::string head = read_head(socket);
    char body[4] = {};
    ASSERT_EQ(::recv(socket, body, 4, MSG_WAITALL), 4);
    write_text(socket,
               answer_of('"' + head.substr(0, head.find('\r')) + '|' + std::string(body, 4) + '"'));
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  EXPECT_EQ(client.send_json({.method = "GET", .path = "/a", .body = "1234"}, run).as_text(),
            "GET /a HTTP/1.1|1234");
  EXPECT_EQ(client.send_json({.method = "DELETE", .path = "/b", .body = "5678"}, run).as_text(),
            "DELETE /b HTTP/1.1|5678");
}

TEST(Http, StatusesBecomeErrorsWithPlaceAndBody) {
  GoodServer server([](httplib::Server& s) {
    s.Get(R"(/status/(\d+))", [](const httplib::Request& request, httplib::Response& response) {
      response.status = std::stoi(request.matches[1]);
      response.set_content("the \x01 reason", "text/plain");
    });
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  const std::vector<std::pair<int, ErrorCode>> cases = {{400, ErrorCode::io},
                                                        {404, ErrorCode::not_found},
                                                        {409, ErrorCode::conflict},
                                                        {500, ErrorCode::io}};
  for (const auto& [status, code] : cases) {
    const std::string path = "/status/" + std::to_string(status);
    const Error error = error_of([&] { client.get_json(path, run); });
    EXPECT_EQ(error.code(), code) << status;
    EXPECT_NE(error.message().find(std::to_string(status)), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("the \\x01 reason"), std::string::npos) << error.message();
    EXPECT_EQ(error.context(), "GET http://127.0.0.1:" + std::to_string(server.port()) + path);
    EXPECT_EQ(client.send({.path = path}, run).status, status);
  }
}

TEST(Http, BusyServersAreAskedAgainWhereThatIsSafe) {
  std::atomic<int> calls{0};
  GoodServer server([&](httplib::Server& s) {
    s.Post("/busy", [&](const httplib::Request&, httplib::Response& response) {
      response.status = ++calls < 4 ? 503 : 200;
      response.set_content("7", "application/json");
    });
  });
  HttpOptions options = quick();
  options.retries = 3;
  HttpClient client("127.0.0.1", server.port(), options);
  RunContext run;
  EXPECT_EQ(error_of([&] { client.post_json("/busy", 1, Repeat::never, run); }).code(),
            ErrorCode::io);
  EXPECT_EQ(calls, 1);
  const HttpResponse response = client.send({.method = "POST", .path = "/busy", .body = "1"}, run);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.tries, 3);
  calls = -100;
  EXPECT_EQ(error_of([&] { client.post_json("/busy", 1, Repeat::safe, run); }).code(),
            ErrorCode::io);
  EXPECT_EQ(calls, -96);  // the first and three more
}

TEST(Http, BrokenConnectionsAreTriedAgainWhereThatIsSafe) {
  std::atomic<int> calls{0};
  RawServer server([&](int socket, int, const auto&) {
    read_head(socket);
    ++calls;
    write_text(socket, calls % 2 == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12"
                                      : answer_of("12"));
  });
  HttpOptions options = quick();
  options.retries = 1;
  HttpClient client("127.0.0.1", server.port(), options);
  RunContext run;
  EXPECT_EQ(client.get_json("/", run).as_integer(), 12);
  EXPECT_EQ(calls, 2);
  const Error error = error_of([&] { client.send({.repeat = Repeat::never}, run); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_NE(error.message().find("broke"), std::string::npos) << error.message();
  EXPECT_EQ(calls, 3);
}

TEST(Http, AKeptConnectionThatTheServerClosedIsNoFailure) {
  std::atomic<int> connections{0};
  RawServer server([&](int socket, int connection, const auto&) {
    connections = connection + 1;
    read_head(socket);
    write_text(socket, answer_of("1"));
    if (connection % 2 == 0) {
      read_head(socket);  // takes the second request and hangs up
    }
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  EXPECT_EQ(client.send({}, run).tries, 1);
  EXPECT_EQ(client.send({}, run).tries, 1);
  EXPECT_EQ(connections, 2);
}

TEST(Http, GarbageInsteadOfJsonIsCorruptData) {
  RawServer server([](int socket, int connection, const auto&) {
    read_head(socket);
    write_text(socket, connection == 0 ? answer_of("<html>no</html>") : answer_of("{\"a\": 1"));
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  for (int i = 0; i < 2; ++i) {
    const Error error = error_of([&] { client.get_json("/x", run); });
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
    EXPECT_NE(error.context().find("/x"), std::string::npos) << error.context();
  }
}

TEST(Http, GarbageInsteadOfHttpIsAnError) {
  RawServer server([](int socket, int, const auto&) {
    read_head(socket);
    write_text(socket, "SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n");
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  EXPECT_EQ(error_of([&] { client.get_json("/", run); }).code(), ErrorCode::io);
}

TEST(Http, LargeAnswersStopAtTheBound) {
  RawServer server([](int socket, int connection, const auto&) {
    read_head(socket);
    switch (connection) {
      case 0:  // announced
        write_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
        break;
      case 1:  // in chunks, without end
        write_text(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 100; ++i) {
          write_text(socket, "40\r\n" + std::string(64, ' ') + "\r\n");
        }
        break;
      case 2:  // until the connection is closed
        write_text(socket, "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, ' '));
        break;
      default:
        write_text(socket, answer_of(std::string(999, ' ') + "1"));
    }
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  for (int i = 0; i < 3; ++i) {
    const Error error = error_of([&] { client.get_json("/", run); });
    EXPECT_EQ(error.code(), ErrorCode::out_of_memory) << i;
    EXPECT_NE(error.message().find("1000"), std::string::npos) << error.message();
  }
  EXPECT_EQ(client.get_json("/", run).as_integer(), 1);  // exactly the bound
}

TEST(Http, RefusedConnectionsNameTheAddress) {
  int port = 0;
  {
    port = GoodServer([](httplib::Server&) {}).port();
  }  // free again
  HttpOptions options = quick();
  options.retries = 2;
  HttpClient client("127.0.0.1", port, options);
  RunContext run;
  const Error error = error_of([&] { client.send({.repeat = Repeat::never}, run); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_NE(error.message().find(std::to_string(port)), std::string::npos);
  EXPECT_FALSE(error.hint().empty());
}

TEST(Http, SilenceEndsTheCall) {
  RawServer server([](int socket, int, const std::atomic<bool>& stop) {
    read_head(socket);
    while (!stop) std::this_thread::sleep_for(5ms);
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  Error error(ErrorCode::internal, "none");
  const auto took = ms_of([&] { error = error_of([&] { client.get_json("/", run); }); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_NE(error.message().find("silent for 300 ms"), std::string::npos) << error.message();
  EXPECT_GE(took, 290);
}

/// One byte every 20 ms: never silent, never done.
void drip(int socket, std::string_view text, const std::atomic<bool>& stop) {
  for (std::size_t i = 0; !stop; ++i) {
    const char c = i < text.size() ? text[i] : 'x';
    if (::send(socket, &c, 1, MSG_NOSIGNAL) != 1) return;
    std::this_thread::sleep_for(20ms);
  }
}

TEST(Http, SlowDripEndsWithTheOverallTime) {
  for (const std::string_view start :
       {"HTTP/1.1 200 OK\r\nX-Endless: ", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"}) {
    RawServer server([&](int socket, int, const std::atomic<bool>& stop) {
      read_head(socket);
      write_text(socket, start);
      drip(socket, "", stop);
    });
    HttpOptions options = quick();
    options.overall_timeout_ms = 500;
    options.retries = 5;
    HttpClient client("127.0.0.1", server.port(), options);
    RunContext run;
    const Error error = error_of([&] { client.get_json("/", run); });
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_NE(error.message().find("within 500 ms"), std::string::npos) << error.message();
  }
}

TEST(Http, CancelEndsWaitingAndBackOff) {
  std::atomic<bool> asked{false};
  RawServer server([&](int socket, int connection, const std::atomic<bool>& stop) {
    read_head(socket);
    if (connection == 0) {
      asked = true;
      while (!stop) std::this_thread::sleep_for(5ms);
    }
  });
  auto token = std::make_shared<CancelToken>();
  RunContext run({.cancel = token});
  HttpOptions options = quick();
  options.read_timeout_ms = options.overall_timeout_ms = 600'000;  // the test would not end
  HttpClient client("127.0.0.1", server.port(), options);
  std::thread other([&] {
    while (!asked) std::this_thread::sleep_for(1ms);
    token->cancel();
  });
  EXPECT_EQ(error_of([&] { client.get_json("/", run); }).code(), ErrorCode::cancelled);
  other.join();

  // Nobody listens: the client is in its back-off of ten minutes.
  int port = 0;
  {
    port = GoodServer([](httplib::Server&) {}).port();
  }
  options.retries = 1;
  options.backoff_ms = options.max_backoff_ms = 500'000;
  HttpClient waiting("127.0.0.1", port, options);
  auto second = std::make_shared<CancelToken>();
  RunContext later({.cancel = second});
  std::thread canceller([&] {
    std::this_thread::sleep_for(100ms);
    second->cancel();
  });
  EXPECT_EQ(error_of([&] { waiting.get_json("/", later); }).code(), ErrorCode::cancelled);
  canceller.join();
}

TEST(Http, AServerThatHangsUpWhileWeWriteIsAnErrorNotASignal) {
  RawServer server([](int socket, int, const auto&) {
    char byte = 0;
    ::recv(socket, &byte, 1, 0);
    const linger hard{1, 0};  // reset instead of an orderly end
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  const std::string body(64 << 20, ' ');
  EXPECT_EQ(error_of([&] {
              client.send({.method = "POST", .body = body, .repeat = Repeat::never}, run);
            }).code(),
            ErrorCode::io);
}

TEST(Http, ManyThreadsShareAClient) {
  std::atomic<int> at_once{0}, most{0};
  GoodServer server([&](httplib::Server& s) {
    s.Get(R"(/(\d+))", [&](const httplib::Request& request, httplib::Response& response) {
      const int now = ++at_once;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(20ms);
      --at_once;
      response.set_content(request.matches[1].str(), "application/json");
    });
  });
  HttpClient client("127.0.0.1", server.port(), quick());
  RunContext run;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const int number = 100 * t + i;
        right += client.get_json("/" + std::to_string(number), run).as_integer() == number;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
  EXPECT_GT(most, 1);
}

TEST(Http, BadArgumentsAreRefused) {
  EXPECT_THROW(HttpClient("", 80), Error);
  EXPECT_THROW(HttpClient("a b", 80), Error);
  EXPECT_THROW(HttpClient("host", 0), Error);
  EXPECT_THROW(HttpClient("host", 65536), Error);
  EXPECT_THROW(HttpClient("host", 80, {.read_timeout_ms = 0}), Error);
  HttpClient client("127.0.0.1", 9, quick());
  RunContext run;
  for (const char* path : {"", "x", "/a b", "/a\r\nX: y"}) {
    EXPECT_EQ(error_of([&] { client.get_json(path, run); }).code(), ErrorCode::invalid_argument)
        << path;
  }
}

}  // namespace
}  // namespace sosia
