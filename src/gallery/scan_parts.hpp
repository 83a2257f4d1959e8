#pragma once
// What the exact scan and the prefilter share: aligned buffers, probes laid out for the kernels,
// the best k so far, rows picked by a mask, and how a batch is cut into passes.

#include "gallery/kernels.hpp"
#include "gallery/matrix.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <vector>

namespace sosia::gallery {

/// Asks for large pages: fewer look-ups of addresses, and prefetchers that need not stop every
/// 4 kB. A refusal does no harm.
void prefer_large_pages(void* start, std::size_t bytes) noexcept;

/// Zeroed memory whose start is aligned to 64 bytes.
template <class T>
class AlignedArray {
 public:
  AlignedArray() = default;
  explicit AlignedArray(std::size_t count) : size_(count) {
    if (count == 0) return;
    const std::size_t align = count * sizeof(T) < kLarge ? 64 : kLargePage;
    const std::size_t bytes = (count * sizeof(T) + align - 1) / align * align;
    data_.reset(static_cast<T*>(std::aligned_alloc(align, bytes)));
    if (!data_) throw std::bad_alloc();
    if (align == kLargePage) prefer_large_pages(data_.get(), bytes);
    std::memset(static_cast<void*>(data_.get()), 0, bytes);
  }
  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t kLargePage = std::size_t{2} << 20, kLarge = 2 * kLargePage;
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
};

inline std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

/// Elements of a row with its padding.
inline std::size_t padded_dimension(std::size_t dimension, StoredType type) {
  return row_stride_bytes(dimension, type) / (type == StoredType::f16 ? 2 : 4);
}

/// Probes laid out for the kernels: rows of `padded` floats, their number a multiple of
/// kProbeGroup; zero where there is nothing.
AlignedArray<float> pad_probes(std::span<const float> probes, std::size_t dimension,
                               std::size_t padded);

/// The k best hits so far, of one thread and one probe.
class TopK {
 public:
  explicit TopK(std::size_t k) : k_(k) { hits_.reserve(std::min<std::size_t>(k, 1024)); }
  /// A hit below it cannot enter; an equal one may, by its row.
  float threshold() const noexcept { return threshold_; }
  void offer(Hit hit) {
    if (hits_.size() < k_) {
      hits_.push_back(hit);
      std::push_heap(hits_.begin(), hits_.end(), better);
    } else if (better(hit, hits_.front())) {
      std::pop_heap(hits_.begin(), hits_.end(), better);
      hits_.back() = hit;
      std::push_heap(hits_.begin(), hits_.end(), better);
    } else {
      return;
    }
    if (hits_.size() == k_) threshold_ = hits_.front().score;
  }
  std::span<const Hit> hits() const noexcept { return hits_; }

 private:
  std::size_t k_;
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Hit> hits_;  // heap with the worst in front
};

/// A lower bound of the k-th best score that all threads raise and look at. It only spares work: a
/// row below it is not among the best, whatever the order of the threads.
class SharedThreshold {
 public:
  float get() const noexcept { return value_.load(std::memory_order_relaxed); }
  void raise(float value) noexcept {
    float old = get();
    while (value > old && !value_.compare_exchange_weak(old, value, std::memory_order_relaxed)) {
    }
  }

 private:
  std::atomic<float> value_{-std::numeric_limits<float>::infinity()};
};

/// Walks through the rows of [first, last) that a mask lets pass.
class RowPicker {
 public:
  RowPicker(const RowMask* mask, std::size_t first, std::size_t last)
      : mask_(mask != nullptr && !mask->all() ? mask : nullptr), next_(first), last_(last) {}
  /// Fills `rows` with the next ones; the number found, 0 at the end.
  std::size_t take(std::span<std::uint32_t> rows);

 private:
  const RowMask* mask_;
  std::size_t next_, last_;
};

/// Rows that are taken together: while all probes of a pass go over them they stay in the cache.
inline constexpr std::size_t kBlockRows = 4 * kRowGroup;

/// The rows of a task, block after block, with the next block in sight.
class Blocks {
 public:
  Blocks(const RowMask* mask, std::size_t first, std::size_t last) : picker_(mask, first, last) {
    next_count_ = picker_.take(std::span(ids_).last(kBlockRows));
  }
  /// The next block; false at the end.
  bool advance(const std::byte* start, std::size_t stride);
  std::size_t count() const noexcept { return count_; }
  std::uint32_t id(std::size_t i) const noexcept { return ids_[i]; }
  /// Pointers of the block, padded as the kernels want them.
  const std::byte* const* rows() const noexcept { return rows_.data(); }
  Ahead ahead(std::size_t bytes) const noexcept {
    return {rows_.data() + kBlockRows, next_count_, bytes};
  }

 private:
  RowPicker picker_;
  std::size_t count_ = 0, next_count_ = 0;
  // This block in front, the next one behind it.
  std::array<std::uint32_t, 2 * kBlockRows> ids_;
  std::array<const std::byte*, 2 * kBlockRows> rows_;
};

/// Scratch objects for parallel loops: at most one for each thread at work, kept until the end.
template <class T>
class Pool {
 public:
  template <class Make, class Use>
  void with(const Make& make, const Use& use) {
    std::unique_ptr<T> item;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        item = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (!item) item = make();
    use(*item);
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(item));
  }
  const std::vector<std::unique_ptr<T>>& all() const noexcept { return free_; }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
};

/// Probes that go over the rows together.
struct Pass {
  std::vector<std::uint32_t> probes = {};  ///< indices, at most kProbesPerPass
  const RowMask* walk = nullptr;           ///< rows to walk through; null: all
  /// Per probe of the pass, to be tested on top of `walk`; empty: nothing to test.
  std::vector<const RowMask*> tests = {};
};

/// The passes of a batch. Unions of masks that a pass walks are kept in `unions`.
std::vector<Pass> plan_passes(std::size_t rows, std::size_t probes,
                              std::span<const RowMask* const> masks,
                              std::vector<std::unique_ptr<RowMask>>& unions);

/// The hits of several threads as one list, best first, at most k.
std::vector<Hit> merge_hits(std::vector<Hit> hits, std::size_t k);

/// Throws internal when the caller broke the contract of `scan`.
void check_scan(const Rows& rows, std::span<const float> probes, std::size_t k,
                std::span<const RowMask* const> masks);

}  // namespace sosia::gallery
