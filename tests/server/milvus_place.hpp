#pragma once
// Where the server of with_milvus.py is.

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <unistd.h>

namespace sosia::gallery {

inline std::string milvus_place(const std::string& collection, const std::string& more = {}) {
  const char* server = std::getenv("SOSIA_TEST_MILVUS");
  const char* management = std::getenv("SOSIA_TEST_MILVUS_MANAGEMENT");
  if (server == nullptr || management == nullptr) {
    throw std::runtime_error("run this by tests/server/with_milvus.py");
  }
  return std::string("milvus://") + server + "/" + collection + "?management=" + management + more;
}

inline std::string fresh_milvus_place(const std::string& more = {}) {
  static std::atomic<int> count{0};
  return milvus_place("t" + std::to_string(::getpid()) + "_" + std::to_string(count++), more);
}

}  // namespace sosia::gallery
