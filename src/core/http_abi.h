#pragma once
/* The border between libsosia_core.so and libsosia_core_http.so, the module that is linked with
 * cpp-httplib (and so with OpenSSL and Brotli, which take longer to load than all of sosia) and
 * opened by the first HTTP call. Plain C: no exception and no C++ type crosses it. */

#include <stdint.h>

#define SOSIA_HTTP_ABI 1u
#define SOSIA_HTTP_FACTORY "sosia_core_http"

#ifdef __cplusplus
extern "C" {
#endif

enum SosiaHttpOutcome {
  SOSIA_HTTP_OK = 0,
  SOSIA_HTTP_NO_CONNECTION = 1,   /* nothing was sent */
  SOSIA_HTTP_CONNECT_TIMEOUT = 2, /* nothing was sent */
  SOSIA_HTTP_BROKEN = 3,          /* while sending or receiving; also silence and `interrupt` */
  SOSIA_HTTP_TOO_LARGE = 4,
  SOSIA_HTTP_MEMORY = 5,
  SOSIA_HTTP_OTHER = 6
};

struct SosiaHttpRequest {
  const char* method;
  const char* path;
  const char* content_type;
  const char* user_agent;
  const char* body;
  uint64_t body_bytes;
  int64_t connect_timeout_ms;
  int64_t read_timeout_ms;
  uint64_t max_response_bytes;
};

/* `body` is valid until the next call with the connection. */
struct SosiaHttpAnswer {
  int32_t outcome; /* SosiaHttpOutcome */
  int32_t status;
  const char* body;
  uint64_t body_bytes;
};

struct SosiaHttpConnection; /* opaque */

struct SosiaHttpApi {
  uint32_t abi; /* SOSIA_HTTP_ABI */
  /* NULL when there is no memory. Nothing is connected yet. */
  struct SosiaHttpConnection* (*open)(const char* host, int32_t port);
  /* One request, one try; blocks. One caller at a time. */
  void (*send)(struct SosiaHttpConnection* connection, const struct SosiaHttpRequest* request,
               struct SosiaHttpAnswer* answer);
  /* Makes a `send` in another thread return. */
  void (*interrupt)(struct SosiaHttpConnection* connection);
  void (*close)(struct SosiaHttpConnection* connection);
};

/* The one symbol of the module; gives its SosiaHttpApi, as any module gives its table. */
const void* sosia_core_http(void);

#ifdef __cplusplus
}
#endif
