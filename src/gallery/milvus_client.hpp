#pragma once
// What sosia says to a Milvus 2.3 server, over its two HTTP interfaces: the management port carries
// everything with an explicit schema and a stated consistency, the public port upserts and deletes.

#include "gallery/milvus.hpp"
#include "sosia/core/http.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery::milvus {

/// The largest number of results that Milvus gives to one probe.
inline constexpr std::size_t kMostResults = 16384;

/// One field of a collection.
struct FieldSpec {
  enum class Type : std::uint8_t { boolean = 1, int64 = 5, real = 11, text = 21, vector = 101 };
  std::string name = {};
  Type type = Type::int64;
  std::size_t size = 0;  ///< longest text in bytes, or dimension
  bool primary = false;
};

/// An index over the field "vector"; inner products.
struct IndexSpec {
  std::string type = "FLAT";      ///< or "HNSW"
  std::size_t links = 16;         ///< M
  std::size_t build_width = 200;  ///< efConstruction
};

/// Columns of an answer, by the names of the fields. Throw corrupt_data when one is absent, of
/// another kind, or of another length than the answer.
class Columns {
 public:
  Columns() = default;
  explicit Columns(const Value& fields_data);
  std::size_t size() const noexcept { return size_; }
  const std::vector<std::int64_t>& integers(const std::string& name) const;
  const std::vector<double>& reals(const std::string& name) const;
  const std::vector<std::string>& texts(const std::string& name) const;
  bool boolean(const std::string& name, std::size_t row) const;
  std::span<const float> vector(const std::string& name, std::size_t row) const;

 private:
  struct Column {
    std::vector<std::int64_t> integers = {};
    std::vector<double> reals = {};
    std::vector<std::string> texts = {};
    std::vector<float> floats = {};
    std::size_t dimension = 0;
  };
  const Column& find(const std::string& name) const;
  std::map<std::string, Column> columns_;
  std::size_t size_ = 0;
};

/// What a search found for each probe, best first.
struct Found {
  std::vector<std::size_t> counts = {};  ///< per probe
  std::vector<float> scores = {};        ///< all probes one after the other
  Columns columns = {};                  ///< the same rows
};

enum class Consistency : std::uint8_t {
  strong,    ///< everything acknowledged before the call is seen
  eventual,  ///< whatever is there already
};

/// One server. Thread-safety: as `HttpClient`.
///
/// Errors are those of `HttpClient`, and for an answer with an error code: not_found (no such
/// collection), io with the server's reason otherwise. What passes by itself (the server is not
/// ready, a collection is being loaded, too many requests) is tried again until the time is over.
class Client {
 public:
  explicit Client(const MilvusAddress& address);

  bool has_collection(const std::string& name, RunContext& run);
  void create_collection(const std::string& name, std::span<const FieldSpec> fields, int shards,
                         const std::string& description, RunContext& run);
  void drop_collection(const std::string& name, RunContext& run);
  /// "" when there is none.
  std::string description(const std::string& name, RunContext& run);

  void create_index(const std::string& name, const IndexSpec& index, RunContext& run);
  void drop_index(const std::string& name, RunContext& run);
  /// The type of the index, "" without one.
  std::string index_type(const std::string& name, RunContext& run);
  /// Waits until all rows that are flushed are indexed.
  void wait_for_index(const std::string& name, RunContext& run);
  /// Returns at once; `wait_loaded` when the collection can be searched.
  void load(const std::string& name, RunContext& run);
  void wait_loaded(const std::string& name, RunContext& run);
  void release(const std::string& name, RunContext& run);
  void flush(const std::string& name, RunContext& run);
  /// Asks for a compaction; it runs on the server by itself.
  void compact(const std::string& name, RunContext& run);

  /// `rows` is a JSON array of objects. Rows with a known id are replaced, so the call may be
  /// repeated; but a reader may for a moment see the row that was replaced: never change a row.
  void upsert(const std::string& name, const std::string& rows, RunContext& run);
  void erase(const std::string& name, std::span<const std::int64_t> ids, RunContext& run);

  Columns query(const std::string& name, const std::string& expression,
                std::span<const std::string_view> fields, Consistency consistency, RunContext& run);
  std::uint64_t count(const std::string& name, const std::string& expression, RunContext& run);
  /// `probes` is n x dimension. `width` is the search width of a graph index, 0 without one.
  Found search(const std::string& name, std::span<const float> probes, std::size_t dimension,
               std::size_t most, const std::string& expression,
               std::span<const std::string_view> fields, std::size_t width, Consistency consistency,
               RunContext& run);

 private:
  Value manage(const char* method, const std::string& path, const std::string& body,
               RunContext& run);
  Value vectors(const std::string& path, const std::string& body, RunContext& run);

  HttpClient management_;
  HttpClient public_;
  std::int64_t timeout_ms_;
};

/// A text as a literal of Milvus' expressions, quoted.
std::string literal(std::string_view text);
/// [1,2,3]
std::string literal(std::span<const std::int64_t> numbers);
/// ["a","b"]
std::string literal(std::span<const std::string> texts);
/// Appends [0.5,...], in the fewest digits that read back the same.
void append_vector(std::string& out, std::span<const float> vector);

}  // namespace sosia::gallery::milvus
