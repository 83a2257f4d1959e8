#pragma once
// The search matrix: rows of unit vectors in memory (mapped or owned), and the ways to find the
// nearest. Nothing here knows of files' meaning, subjects or SQLite.

#include "sosia/core/run.hpp"
#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sosia::gallery {

/// Bytes between rows: a multiple of 64, so that kernels load whole aligned registers. The padding
/// is zero.
std::size_t row_stride_bytes(std::size_t dimension, StoredType type);

/// A view of rows; `data` is aligned to 64 bytes and outlives the view.
struct Rows {
  const std::byte* data = nullptr;
  std::size_t count = 0;
  std::size_t dimension = 0;
  StoredType type = StoredType::f16;
  std::size_t stride_bytes = 0;
  const std::byte* row(std::size_t index) const { return data + index * stride_bytes; }
};

/// One bit per row: set rows take part. Empty means all.
struct RowMask {
  std::vector<std::uint64_t> words = {};
  bool all() const noexcept { return words.empty(); }
  bool test(std::size_t row) const { return ((words[row / 64] >> (row % 64)) & 1) != 0; }
};

/// A row and its cosine with a probe.
struct Hit {
  std::uint32_t row = 0;
  float score = 0;
  friend bool operator==(const Hit&, const Hit&) = default;
};
/// The order of results: score falling, then row rising.
inline bool better(const Hit& a, const Hit& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

/// Stores a unit vector as one row (padding included); `out` has stride bytes.
void store_row(std::span<const float> unit, StoredType type, std::byte* out);
/// The row as floats.
void load_row(const Rows& rows, std::size_t index, std::span<float> out);

/// The cosine of one probe (unit length, f32) with one row: the same value that `scan` gives.
float row_score(const Rows& rows, std::size_t index, std::span<const float> probe);

/// The k best rows of each probe (n x dimension, unit length), exact, on the run's threads. `masks`
/// is empty, or one for all, or one per probe. The result does not depend on threads, batch size
/// or position. Throws cancelled.
std::vector<std::vector<Hit>> scan(const Rows& rows, std::span<const float> probes, std::size_t k,
                                   std::span<const RowMask* const> masks, RunContext& run);

/// int8 codes of rows with the bound that makes skipping safe.
class Prefilter {
 public:
  /// Codes of `rows`, made on the run's threads.
  static Prefilter build(const Rows& rows, RunContext& run);
  Prefilter(Prefilter&&) noexcept;
  Prefilter& operator=(Prefilter&&) noexcept;
  ~Prefilter();
  /// As `scan`, and with the same result: a row is passed over only when its code's upper bound is
  /// below the k-th exact score.
  std::vector<std::vector<Hit>> scan(const Rows& rows, std::span<const float> probes, std::size_t k,
                                     std::span<const RowMask* const> masks, RunContext& run) const;
  std::size_t bytes() const noexcept;

 private:
  struct Impl;
  explicit Prefilter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// An approximate index (HNSW) over rows. In a build without hnswlib `build` and `load` throw
/// missing_feature.
///
/// On one thread the same rows, options and seed give the same graph; on several, the graph depends
/// on the order in which the threads insert.
class GraphIndex {
 public:
  /// Whether this build has it.
  static bool available() noexcept;
  struct Options {
    std::size_t links = 16;         ///< M
    std::size_t build_width = 200;  ///< efConstruction
    std::uint64_t seed = 0;
  };
  static GraphIndex build(const Rows& rows, const Options& options, RunContext& run);
  /// From a file that `save` wrote. The caller has checked its hash. Throws corrupt_data.
  static GraphIndex load(const std::string& path, const Rows& rows);
  void save(const std::string& path) const;
  GraphIndex(GraphIndex&&) noexcept;
  GraphIndex& operator=(GraphIndex&&) noexcept;
  ~GraphIndex();

  std::size_t size() const noexcept;  ///< rows it knows: 0 .. size - 1
  /// Search width at which recall@k reaches `recall` on held-out probes, measured by `measure`.
  struct Measured {
    std::size_t k = 0;
    std::size_t width = 0;
    double recall = 0;
    std::size_t probes = 0;
  };
  /// Measures recall@k against `scan` for growing widths (each at least k) on up to 200 perturbed
  /// rows, and keeps the table; `save` stores it.
  void measure(const Rows& rows, std::size_t k, RunContext& run);
  const std::vector<Measured>& measured() const noexcept;
  /// The smallest measured width for the recall; 0 when none reaches it.
  std::size_t width_for(std::size_t k, double recall) const noexcept;

  /// The k best rows among those the graph reaches with search width `width`, re-ranked exactly.
  std::vector<std::vector<Hit>> search(const Rows& rows, std::span<const float> probes,
                                       std::size_t k, std::size_t width,
                                       std::span<const RowMask* const> masks,
                                       RunContext& run) const;
  /// Overwrites what the index holds of a row and never returns it again.
  void erase(std::span<const std::uint32_t> rows);

  struct Impl;  ///< for the files of the index alone

 private:
  explicit GraphIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The kernels' target for this processor ("AVX3", "AVX2", "SSE2"), for reports and benches.
std::string kernel_target();

}  // namespace sosia::gallery
