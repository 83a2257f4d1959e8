#pragma once
// The gateway to hnswlib, and the state of a GraphIndex around it.
//
// hnswlib keeps all its members public; the index file and the search with a width of its own are
// written against them (0.8.0), so that nothing of it is copied. An element is
//
//   links (count, ids) | blank, scale, codes, blank | label
//
// with the codes on a cache line of their own.

// Its look-ahead reads up to three bytes past a full list of the upper levels. malloc's granularity
// makes that harmless; the address sanitizer does not know.
#if defined(__SANITIZE_ADDRESS__)
#define NO_MANUAL_VECTORIZATION
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NO_MANUAL_VECTORIZATION
#endif
#endif

#include "gallery/kernels.hpp"
#include "gallery/matrix.hpp"
#include "sosia/core/error.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <hnswlib/hnswlib.h>

namespace sosia::gallery {

/// Distances of elements by their codes.
class CodeSpace final : public hnswlib::SpaceInterface<float> {
 public:
  CodeSpace(std::size_t dimension, std::size_t links);
  std::size_t get_data_size() override { return bytes_; }
  hnswlib::DISTFUNC<float> get_dist_func() override { return kernels().code_distance; }
  void* get_dist_func_param() override { return &layout_; }

  /// Writes a row's element (`get_data_size()` bytes). `row` has `layout().padded` floats.
  void encode(const float* row, std::byte* out) const;
  const CodeLayout& layout() const noexcept { return layout_; }

 private:
  CodeLayout layout_;
  std::size_t bytes_;
};

struct GraphIndex::Impl {
  using Graph = hnswlib::HierarchicalNSW<float>;
  static constexpr std::uint32_t kNone = 0xffffffff;

  Options options;
  std::size_t dimension = 0;
  std::unique_ptr<CodeSpace> space;
  std::unique_ptr<Graph> graph;
  std::vector<std::uint32_t> element_of;  // by row; kNone for an erased one
  std::vector<Measured> measured;
  /// Sum of `code_hash` over the elements that are not erased: ties the index to its rows.
  std::uint64_t codes_hash = 0;

  /// An index with room for `count` rows and none in it.
  Impl(std::size_t count, std::size_t dimension, const Options& options);
  std::uint64_t code_hash(std::uint32_t element, std::uint32_t row) const;
  std::uint32_t row_of(std::uint32_t element) const {
    return static_cast<std::uint32_t>(graph->getExternalLabel(element));
  }
  std::vector<Hit> search_one(const Rows& rows, std::span<const float> probe, std::size_t k,
                              std::size_t width, const RowMask* mask) const;
};

/// A row as floats with the codes' padding.
void load_padded(const Rows& rows, std::size_t row, std::size_t padded, float* out);

/// Runs in a catch block: hnswlib's exceptions as ours.
Error hnswlib_error(const char* doing);

}  // namespace sosia::gallery
