#pragma once
// The gallery on a Milvus server: milvus://host:port/collection[?management=PORT].

#include "sosia/gallery/gallery.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sosia::gallery {

/// Where a collection is, and how long things may take.
struct MilvusAddress {
  std::string host = {};
  int port = 19530;
  int management_port = 9091;
  std::string collection = {};
  /// How long a writer holds the right to write after its last sign of life.
  std::int64_t lease_ms = 60'000;
  std::int64_t timeout_ms = 60'000;  ///< of one request, its repeats included
  int shards = 2;                    ///< of the templates, when the collection is made

  /// "milvus://host:port/collection?management=PORT".
  std::string text() const;
};

/// Whether `place` begins with milvus://.
bool is_milvus_place(std::string_view place);

/// Parses an address. The parameters are management, lease (s), timeout (s) and shards. Throws
/// invalid_argument.
MilvusAddress parse_milvus_address(std::string_view place);

/// As `create_gallery` and `open_gallery`, which call these for addresses of this kind. Throw also
/// unsupported when `options.encrypt` is set: a server must read vectors to compare them.
std::unique_ptr<Gallery> create_milvus(const MilvusAddress& address, const CreateOptions& options,
                                       const OpenOptions& open);
std::unique_ptr<Gallery> open_milvus(const MilvusAddress& address, const OpenOptions& open);

}  // namespace sosia::gallery
