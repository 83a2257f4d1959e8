// The approximate index: a hierarchical navigable small world graph over int8 codes, by hnswlib.
//
// Reference: Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
// hierarchical navigable small world graphs", TPAMI 2020. M is `links`, efConstruction is
// `build_width`, ef is `width`.
//
// Deviations: distances come from int8 codes, and what the graph finds is scored exactly at the
// end, so that scores are those of `scan`. A row's level is drawn from its own random stream, so
// that it does not depend on threads. On one thread rows are inserted in their order and the same
// seed gives the same graph; on several the graph depends on which insertion sees which.

#include "gallery/hnsw.hpp"
#include "gallery/scan_parts.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/rng.hpp"

#include <array>
#include <cmath>
#include <string>

namespace sosia::gallery {

CodeSpace::CodeSpace(std::size_t dimension, std::size_t links) {
  // hnswlib puts the data behind 2 * links ids and their count, and a label of 8 bytes behind it.
  const std::size_t before = (2 * links + 1) * sizeof(hnswlib::tableint);
  const std::size_t codes_at = round_up(before + sizeof(float), 64);
  layout_.offset = codes_at - before;
  layout_.padded = round_up(dimension, 64);
  bytes_ = round_up(codes_at + layout_.padded + sizeof(hnswlib::labeltype), 64) - before -
           sizeof(hnswlib::labeltype);
}

void CodeSpace::encode(const float* row, std::byte* out) const {
  std::memset(out, 0, bytes_);
  const CodeMeasures measures =
      kernels().encode(row, layout_.padded, reinterpret_cast<std::int8_t*>(out + layout_.offset));
  std::memcpy(out + layout_.offset - sizeof(float), &measures.scale, sizeof(float));
}

void load_padded(const Rows& rows, std::size_t row, std::size_t padded, float* out) {
  if (rows.type == StoredType::f16) {
    kernels().widen(rows.row(row), padded_dimension(rows.dimension, rows.type), out);
  } else {
    std::memcpy(out, rows.row(row), rows.dimension * sizeof(float));
  }
  std::fill(out + rows.dimension, out + padded, 0.0f);
}

Error hnswlib_error(const char* doing) {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    if (what.starts_with("Not enough memory")) {
      return Error(ErrorCode::out_of_memory, std::string(doing) + ": not enough memory");
    }
    return Error(ErrorCode::internal, std::string(doing) + ": hnswlib says: " + what);
  } catch (...) {
    return current_exception_as_error(doing);
  }
}

namespace {

/// Memory of the base layer that begins at a large page, in place of hnswlib's own. It frees with
/// `free`.
void use_large_pages(hnswlib::HierarchicalNSW<float>& graph) {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  const std::size_t bytes =
      round_up(std::max<std::size_t>(graph.max_elements_ * graph.size_data_per_element_, 1), kPage);
  void* memory = std::aligned_alloc(kPage, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  prefer_large_pages(memory, bytes);
  std::free(graph.data_level0_memory_);
  graph.data_level0_memory_ = static_cast<char*>(memory);
}

int level_of(std::uint64_t seed, std::uint64_t row, std::size_t links) {
  const double u = RandomStream(seed, "graph level", row).uniform();
  return static_cast<int>(-std::log1p(-u) / std::log(static_cast<double>(links)));
}

class MaskFilter final : public hnswlib::BaseFilterFunctor {
 public:
  explicit MaskFilter(const RowMask& mask) : mask_(mask) {}
  bool operator()(hnswlib::labeltype row) override { return mask_.test(row); }

 private:
  const RowMask& mask_;
};

void check_options(const Rows& rows, const GraphIndex::Options& options) {
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw Error(ErrorCode::invalid_argument, "graph index: " + what);
  };
  require(options.links >= 2 && options.links <= 512,
          "links is " + std::to_string(options.links) + "; it must be 2 to 512");
  require(options.build_width >= 1 && options.build_width <= 100'000,
          "build_width is " + std::to_string(options.build_width) + "; it must be 1 to 100000");
  require(rows.count < (std::size_t{1} << 31), "more than 2^31 rows");
}

}  // namespace

GraphIndex::Impl::Impl(std::size_t count, std::size_t dimension_, const Options& options_)
    : options(options_), dimension(dimension_) {
  space = std::make_unique<CodeSpace>(dimension, options.links);
  graph = std::make_unique<Graph>(space.get(), std::max<std::size_t>(count, 1), options.links,
                                  options.build_width, 0);
  use_large_pages(*graph);
  std::fill_n(graph->linkLists_, graph->max_elements_, nullptr);
  element_of.assign(count, kNone);
}

std::uint64_t GraphIndex::Impl::code_hash(std::uint32_t element, std::uint32_t row) const {
  const auto* data = reinterpret_cast<const std::byte*>(graph->getDataByInternalId(element));
  return xxh3_64({data, space->get_data_size()}, row);
}

GraphIndex::GraphIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GraphIndex::GraphIndex(GraphIndex&&) noexcept = default;
GraphIndex& GraphIndex::operator=(GraphIndex&&) noexcept = default;
GraphIndex::~GraphIndex() = default;

bool GraphIndex::available() noexcept {
  return true;
}

std::size_t GraphIndex::size() const noexcept {
  return impl_->element_of.size();
}

GraphIndex GraphIndex::build(const Rows& rows, const Options& options, RunContext& run) {
  check_options(rows, options);
  try {
    auto impl = std::make_unique<Impl>(rows.count, rows.dimension, options);
    Impl::Graph& graph = *impl->graph;
    graph.mult_ = 0;  // its own levels are all 0; ours are given
    std::atomic<std::size_t> next{0};
    const auto work = [&](std::size_t limit) {
      AlignedArray<float> row(impl->space->layout().padded);
      AlignedArray<std::byte> element(impl->space->get_data_size());
      for (std::size_t i = next++; i < limit; i = next++) {
        if (i % 1000 == 0) run.progress("graph index", i, rows.count);
        load_padded(rows, i, row.size(), row.data());
        impl->space->encode(row.data(), element.data());
        graph.addPoint(element.data(), i, level_of(options.seed, i, options.links));
        if (i % 64 == 0) run.check_cancelled();
      }
    };
    // The first ones alone: where there is nothing to attach to, threads would make islands.
    work(std::min<std::size_t>(rows.count, 256));
    next = std::min<std::size_t>(rows.count, 256);
    const auto threads = static_cast<std::size_t>(run.threads());
    run.parallel_for(0, threads, 1, [&](std::size_t first, std::size_t last) {
      try {
        for (std::size_t t = first; t < last; ++t) work(rows.count);
      } catch (...) {
        next = rows.count;  // the others stop
        throw;
      }
    });
    for (std::uint32_t e = 0; e < rows.count; ++e) {
      impl->element_of[impl->row_of(e)] = e;
      impl->codes_hash += impl->code_hash(e, impl->row_of(e));
    }
    // Tens of bytes a row that only insertions need.
    std::unordered_map<hnswlib::labeltype, hnswlib::tableint>().swap(graph.label_lookup_);
    return GraphIndex(std::move(impl));
  } catch (...) {
    throw hnswlib_error("building the graph index");
  }
}

namespace {

/// Goes down the upper levels: the element of level 0 to begin with.
std::uint32_t descend(const hnswlib::HierarchicalNSW<float>& graph, const void* probe) {
  const auto distance = [&](std::uint32_t element) {
    return graph.fstdistfunc_(probe, graph.getDataByInternalId(element), graph.dist_func_param_);
  };
  std::uint32_t best = graph.enterpoint_node_;
  float nearest = distance(best);
  for (int level = graph.maxlevel_; level > 0; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      const auto* links = graph.get_linklist(best, level);
      const std::size_t count = graph.getListCount(const_cast<unsigned*>(links));
      for (std::size_t i = 1; i <= count; ++i) {
        const float d = distance(links[i]);
        if (d < nearest) {
          nearest = d;
          best = links[i];
          moved = true;
        }
      }
    }
  }
  return best;
}

/// Scores of candidates by the kernels of `scan`.
std::vector<Hit> score_exactly(const Rows& rows, std::span<const std::uint32_t> candidates,
                               std::span<const float> probe, std::size_t k) {
  const std::size_t padded = padded_dimension(rows.dimension, rows.type);
  AlignedArray<float> copy;
  if (padded != rows.dimension) copy = pad_probes(probe, rows.dimension, padded);
  const float* vector = copy.size() != 0 ? copy.data() : probe.data();
  std::vector<const std::byte*> pointers(round_up(candidates.size(), kRowGroup) + kRowGroup);
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    pointers[i] = rows.row(candidates[std::min(i, candidates.size() - 1)]);
  }
  std::vector<float> scores(pointers.size());
  const Kernels& use = kernels();
  const auto dot = rows.type == StoredType::f16 ? use.dot_halves : use.dot_floats;
  dot(vector, pointers.data(), candidates.size(), padded, scores.data());
  std::vector<Hit> hits(candidates.size());
  for (std::size_t i = 0; i < hits.size(); ++i) hits[i] = {candidates[i], scores[i]};
  return merge_hits(std::move(hits), k);
}

}  // namespace

std::vector<Hit> GraphIndex::Impl::search_one(const Rows& rows, std::span<const float> probe,
                                              std::size_t k, std::size_t width,
                                              const RowMask* mask) const {
  if (graph->cur_element_count == 0) return {};
  AlignedArray<float> padded(space->layout().padded);
  std::copy(probe.begin(), probe.end(), padded.data());
  AlignedArray<std::byte> code(space->get_data_size());
  space->encode(padded.data(), code.data());

  const std::uint32_t from = descend(*graph, code.data());
  const bool filtered = mask != nullptr && !mask->all();
  const std::size_t ef = std::max(width, k);
  auto found = [&] {
    if (!filtered && graph->num_deleted_ == 0) {
      return graph->searchBaseLayerST<true>(from, code.data(), ef);
    }
    if (!filtered) return graph->searchBaseLayerST<false>(from, code.data(), ef);
    MaskFilter filter(*mask);
    return graph->searchBaseLayerST<false>(from, code.data(), ef, &filter);
  }();
  // Codes order nearly as the rows do: a few more than k are enough.
  while (found.size() > 2 * k + 16) found.pop();
  std::vector<std::uint32_t> candidates;
  candidates.reserve(found.size());
  for (; !found.empty(); found.pop()) {
    const std::uint32_t row = row_of(found.top().second);
    const std::byte* start = rows.row(row);
    for (std::size_t at = 0; at < rows.stride_bytes; at += 64) __builtin_prefetch(start + at);
    candidates.push_back(row);
  }
  if (candidates.empty()) return {};
  return score_exactly(rows, candidates, probe, k);
}

std::vector<std::vector<Hit>> GraphIndex::search(const Rows& rows, std::span<const float> probes,
                                                 std::size_t k, std::size_t width,
                                                 std::span<const RowMask* const> masks,
                                                 RunContext& run) const {
  check_scan(rows, probes, k, masks);
  if (rows.dimension != impl_->dimension || rows.count < size()) {
    throw Error(ErrorCode::internal, "graph index: searched with rows of another matrix");
  }
  std::vector<std::vector<Hit>> results(probes.size() / rows.dimension);
  try {
    run.parallel_for(0, results.size(), 1, [&](std::size_t first, std::size_t last) {
      for (std::size_t p = first; p < last; ++p) {
        const RowMask* mask = masks.empty() ? nullptr : masks[masks.size() == 1 ? 0 : p];
        const auto probe = probes.subspan(p * rows.dimension, rows.dimension);
        results[p] = impl_->search_one(rows, probe, k, width, mask);
        if (p % 16 == 0) run.check_cancelled();
      }
    });
  } catch (...) {
    throw hnswlib_error("searching the graph index");
  }
  return results;
}

void GraphIndex::erase(std::span<const std::uint32_t> rows) {
  for (const std::uint32_t row : rows) {
    if (row >= size() || impl_->element_of[row] == Impl::kNone) continue;
    const std::uint32_t element = impl_->element_of[row];
    impl_->codes_hash -= impl_->code_hash(element, row);
    std::memset(impl_->graph->getDataByInternalId(element), 0, impl_->space->get_data_size());
    impl_->graph->setExternalLabel(element, Impl::kNone);
    impl_->graph->markDeletedInternal(element);
    impl_->element_of[row] = Impl::kNone;
  }
}

}  // namespace sosia::gallery
