// libsosia_core_http.so: cpp-httplib behind the C border of http_abi.h. The only file that sees its
// header. Debian builds the library with these three parts, which change the layout of its classes.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include "core/http_abi.h"

#include <chrono>
#include <new>
#include <string>

#include <httplib.h>

struct SosiaHttpConnection {
  SosiaHttpConnection(const char* host, int port) : client(host, port) {
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_decompress(false);
    client.set_follow_location(false);
    client.set_url_encode(false);
  }
  httplib::ClientImpl client;
  std::string body;
};

namespace {

int32_t outcome_of(httplib::Error error) {
  switch (error) {
    case httplib::Error::Success:
      return SOSIA_HTTP_OK;
    case httplib::Error::Connection:
    case httplib::Error::BindIPAddress:
      return SOSIA_HTTP_NO_CONNECTION;
    case httplib::Error::ConnectionTimeout:
      return SOSIA_HTTP_CONNECT_TIMEOUT;
    case httplib::Error::Read:
    case httplib::Error::Write:
      return SOSIA_HTTP_BROKEN;
    default:
      return SOSIA_HTTP_OTHER;
  }
}

httplib::Request make_request(const SosiaHttpRequest& from) {
  httplib::Request request;
  request.method = from.method;
  request.path = from.path;
  request.set_header("Accept", "application/json");
  request.set_header("Accept-Encoding", "identity");
  request.set_header("User-Agent", from.user_agent);
  if (from.body_bytes > 0) {
    request.set_header("Content-Type", from.content_type);
    request.body.assign(from.body, from.body_bytes);
  }
  return request;
}

void send(SosiaHttpConnection& connection, const SosiaHttpRequest& from, SosiaHttpAnswer& answer) {
  const std::chrono::milliseconds silence(from.read_timeout_ms);
  connection.client.set_connection_timeout(std::chrono::milliseconds(from.connect_timeout_ms));
  connection.client.set_read_timeout(silence);
  connection.client.set_write_timeout(silence);
  connection.body.clear();
  bool too_large = false;
  httplib::Request request = make_request(from);
  request.response_handler = [&](const httplib::Response& head) {
    const auto announced = head.get_header_value<uint64_t>("Content-Length");
    too_large = announced > from.max_response_bytes;
    return !too_large;
  };
  request.content_receiver = [&](const char* bytes, size_t count, uint64_t, uint64_t) {
    too_large = count > from.max_response_bytes - connection.body.size();
    if (!too_large) {
      connection.body.append(bytes, count);
    }
    return !too_large;
  };
  httplib::Response response;
  auto error = httplib::Error::Success;
  const bool done = connection.client.send(request, response, error);
  answer.status = response.status;
  answer.body = connection.body.data();
  answer.body_bytes = connection.body.size();
  if (too_large) {
    answer.outcome = SOSIA_HTTP_TOO_LARGE;
  } else if (done) {
    answer.outcome = SOSIA_HTTP_OK;
  } else {
    answer.outcome =
        error == httplib::Error::Success ? int32_t{SOSIA_HTTP_OTHER} : outcome_of(error);
  }
}

SosiaHttpConnection* api_open(const char* host, int32_t port) {
  try {
    return new SosiaHttpConnection(host, port);
  } catch (...) {
    return nullptr;
  }
}

void api_send(SosiaHttpConnection* connection, const SosiaHttpRequest* request,
              SosiaHttpAnswer* answer) {
  *answer = {SOSIA_HTTP_OTHER, 0, "", 0};
  try {
    send(*connection, *request, *answer);
  } catch (const std::bad_alloc&) {
    answer->outcome = SOSIA_HTTP_MEMORY;
  } catch (...) {
    answer->outcome = SOSIA_HTTP_OTHER;
  }
}

void api_interrupt(SosiaHttpConnection* connection) {
  try {
    connection->client.stop();
  } catch (...) {  // a mutex that cannot be locked: the timeouts end the call
  }
}

void api_close(SosiaHttpConnection* connection) {
  delete connection;
}

}  // namespace

extern "C" const void* sosia_core_http(void) {
  static const SosiaHttpApi api{SOSIA_HTTP_ABI, api_open, api_send, api_interrupt, api_close};
  return &api;
}
