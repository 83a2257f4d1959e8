// Search in the local gallery.

#include "gallery/filter.hpp"
#include "gallery/local_gallery.hpp"
#include "gallery/probes.hpp"
#include "gallery/ranked.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::gallery {

namespace {

constexpr double kGatherShare = 0.05;  // a scan of a bitmap costs more than this many single rows

/// The rows of all parts that may be found.
struct Passing {
  std::vector<std::shared_ptr<const RowMask>> masks = {};  ///< by part; null: all
  std::size_t rows = 0;
};

std::size_t count_bits(const RowMask& mask) {
  std::size_t count = 0;
  for (const std::uint64_t word : mask.words)
    count += static_cast<std::size_t>(std::popcount(word));
  return count;
}

Passing all_alive(const Snapshot& snapshot) {
  Passing passing;
  for (const Part& part : snapshot.parts) {
    passing.masks.push_back(part.alive);
    passing.rows += part.live;
  }
  return passing;
}

/// `from` without the rows that `keep(block, row)` refuses.
template <class Keep>
Passing narrow(const Snapshot& snapshot, const Passing& from, Keep keep) {
  Passing passing;
  for (std::size_t p = 0; p < snapshot.parts.size(); ++p) {
    const Block& block = *snapshot.parts[p].block;
    const RowMask* before = from.masks[p].get();
    auto mask = std::make_shared<RowMask>();
    mask->words.assign(std::max<std::size_t>((block.size() + 63) / 64, 1), 0);
    const auto of_block = keep(block);
    for (std::size_t row = 0; row < block.size(); ++row) {
      if ((before == nullptr || before->test(row)) && of_block(row)) {
        mask->words[row / 64] |= std::uint64_t{1} << (row % 64);
      }
    }
    passing.rows += count_bits(*mask);
    passing.masks.push_back(std::move(mask));
  }
  return passing;
}

Passing apply(const Snapshot& snapshot, const Passing& from, const Filter& filter) {
  if (filter.empty()) return from;
  const FilterSets sets(filter);
  return narrow(snapshot, from, [&](const Block& block) {
    std::vector<char> subjects(block.subject_ids.size()), cameras(block.camera_names.size());
    for (std::uint32_t i = 0; i < subjects.size(); ++i) {
      subjects[i] = sets.subject(block.tenant(i), block.label(i));
    }
    for (std::size_t i = 0; i < cameras.size(); ++i)
      cameras[i] = sets.camera(block.camera_names[i]);
    return [&block, &sets, subjects = std::move(subjects),
            cameras = std::move(cameras)](std::size_t row) {
      if (is_hole(block.ids[row])) return false;
      const std::int64_t time = block.times[row];
      return subjects[block.subjects[row]] != 0 && cameras[block.cameras[row]] != 0 &&
             sets.time(time == kNoTime ? std::nullopt : std::optional(time));
    };
  });
}

Passing without_camera(const Snapshot& snapshot, const Passing& from, const std::string& camera) {
  return narrow(snapshot, from, [&](const Block& block) {
    std::size_t number = block.camera_names.size();
    for (std::size_t i = 0; i < block.camera_names.size(); ++i) {
      if (block.camera_names[i] == camera) number = i;
    }
    return [&block, number](std::size_t row) {
      return !is_hole(block.ids[row]) && block.cameras[row] != number;
    };
  });
}

/// A hit with the part that it lies in.
struct PlacedHit {
  std::size_t part = 0;
  Hit hit = {};
};

/// Everything that one search needs to know.
struct Search {
  const Snapshot& snapshot;
  const SearchRequest& request;
  std::span<const float> probes;
  std::size_t dimension;
  RunContext& run;
  Passing filtered = {};
  std::unordered_map<std::string, Passing> by_camera = {};

  std::size_t count() const { return probes.size() / dimension; }
  std::span<const float> probe(std::size_t i) const {
    return probes.subspan(i * dimension, dimension);
  }
  const Passing& passing(std::size_t i) const {
    if (request.exclude_cameras.empty() || request.exclude_cameras[i].empty()) return filtered;
    return by_camera.at(request.exclude_cameras[i]);
  }
};

void make_masks(Search& search) {
  search.filtered = apply(search.snapshot, all_alive(search.snapshot), search.request.filter);
  for (const std::string& camera : search.request.exclude_cameras) {
    if (camera.empty() || search.by_camera.contains(camera)) continue;
    search.run.check_cancelled();
    search.by_camera.emplace(camera, without_camera(search.snapshot, search.filtered, camera));
  }
}

/// Exact scores of the passing rows alone, one by one.
void gather(const Search& search, std::size_t part, std::vector<std::vector<Hit>>& out) {
  const Rows rows = search.snapshot.parts[part].block->rows();
  std::unordered_map<const RowMask*, std::vector<std::uint32_t>> lists;
  for (std::size_t i = 0; i < search.count(); ++i) {
    const RowMask* mask = search.passing(i).masks[part].get();
    const auto [at, fresh] = lists.try_emplace(mask);
    if (!fresh) continue;
    for (std::size_t w = 0; w < mask->words.size(); ++w) {
      for (std::uint64_t word = mask->words[w]; word != 0; word &= word - 1) {
        at->second.push_back(
            static_cast<std::uint32_t>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  search.run.parallel_for(0, search.count(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const auto& list = lists.at(search.passing(i).masks[part].get());
      std::vector<Hit> hits;
      hits.reserve(list.size());
      for (const std::uint32_t row : list) {
        hits.push_back({row, row_score(rows, row, search.probe(i))});
      }
      const std::size_t keep = std::min(search.request.k, hits.size());
      std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(keep), hits.end(),
                        better);
      hits.resize(keep);
      out[i] = std::move(hits);
    }
  });
}

/// The masks of all probes for one part, as `scan` wants them.
std::vector<const RowMask*> masks_of(const Search& search, std::size_t part) {
  static const RowMask kAll;
  const auto mask_of = [&](const Passing& passing) {
    const RowMask* mask = passing.masks[part].get();
    return mask == nullptr ? &kAll : mask;
  };
  if (search.by_camera.empty()) {
    const RowMask* one = mask_of(search.filtered);
    return one->all() ? std::vector<const RowMask*>{} : std::vector<const RowMask*>{one};
  }
  std::vector<const RowMask*> masks;
  for (std::size_t i = 0; i < search.count(); ++i) masks.push_back(mask_of(search.passing(i)));
  return masks;
}

/// How the first part is searched; the others are small and always scanned.
struct Plan {
  SearchMode mode = SearchMode::exact;
  bool gather = false;
  std::size_t width = 0;
  std::string note = {};
};

std::size_t most_passing(const Search& search) {
  std::size_t most = search.filtered.rows;
  if (!search.by_camera.empty()) {
    most = 0;
    for (std::size_t i = 0; i < search.count(); ++i) {
      most = std::max(most, search.passing(i).rows);
    }
  }
  return most;
}

/// The smallest width that reaches the recall; without one, the widest that was measured.
std::size_t width_of(const GraphIndex& graph, std::size_t k, double recall, bool at_any_price) {
  std::size_t width = graph.width_for(k, recall);
  if (width == 0 && at_any_price) {
    for (const auto& measured : graph.measured()) width = std::max(width, measured.width);
    width = std::max(width, k);
  }
  return width;
}

double measured_recall(const GraphIndex& graph, std::size_t k, std::size_t width) {
  double recall = 0;
  for (const auto& measured : graph.measured()) {
    if (measured.width == width && measured.k >= k) recall = std::max(recall, measured.recall);
  }
  return recall;
}

Plan make_plan(const Search& search, const LoadedIndex* index) {
  const SearchRequest& request = search.request;
  const std::size_t total = search.snapshot.parts.empty() ? 0 : search.snapshot.parts[0].live;
  Plan plan;
  const bool masked = !request.filter.empty() || !search.by_camera.empty();
  const std::size_t most = most_passing(search);
  plan.gather = masked && static_cast<double>(most) < kGatherShare * static_cast<double>(total);
  if (request.mode == SearchMode::prefiltered && !plan.gather) {
    plan.mode = SearchMode::prefiltered;
    return plan;
  }
  const bool wanted = request.mode == SearchMode::approximate;
  if (request.mode == SearchMode::exact || request.mode == SearchMode::prefiltered) return plan;
  if (plan.gather) {
    plan.note = fmt::format("exact: the filter lets {} of {} templates pass", most, total);
    return plan;
  }
  if (!wanted && total < kGraphLeastRows) {
    plan.note = fmt::format("exact: {} templates are fewer than {}", total, kGraphLeastRows);
    return plan;
  }
  if (index == nullptr) {
    plan.note = "exact: there is no graph index; `sosia gallery compact` builds one";
    return plan;
  }
  plan.width = width_of(*index->graph, request.k, request.recall, wanted);
  if (plan.width == 0) {
    plan.note = fmt::format("exact: the graph index does not reach a recall of {} at {}",
                            request.recall, request.k);
    return plan;
  }
  plan.mode = SearchMode::approximate;
  plan.note = fmt::format("graph index, width {}, measured recall {:.4f}", plan.width,
                          measured_recall(*index->graph, request.k, plan.width));
  return plan;
}

/// Hits of the graph, and of the rows that came to the block after the index was built.
std::vector<std::vector<Hit>> search_graph(const Search& search, const LoadedIndex& index,
                                           std::size_t width) {
  const Rows rows = search.snapshot.parts[0].block->rows();
  const auto masks = masks_of(search, 0);
  const std::size_t known = index.graph->size();
  auto hits = index.graph->search(rows, search.probes, search.request.k, width, masks, search.run);
  if (known >= rows.count) return hits;
  RowMask late;
  late.words.assign((rows.count + 63) / 64, 0);
  for (std::size_t row = known; row < rows.count; ++row) {
    late.words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  std::vector<RowMask> narrowed;
  for (const RowMask* mask : masks) {
    narrowed.push_back(late);
    if (mask->all()) continue;
    for (std::size_t w = 0; w < late.words.size(); ++w) narrowed.back().words[w] &= mask->words[w];
  }
  std::vector<const RowMask*> pointers;
  for (const RowMask& mask : narrowed) pointers.push_back(&mask);
  if (pointers.empty()) pointers.push_back(&late);
  const auto more = scan(rows, search.probes, search.request.k, pointers, search.run);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    hits[i].insert(hits[i].end(), more[i].begin(), more[i].end());
    std::sort(hits[i].begin(), hits[i].end(), better);
    if (hits[i].size() > search.request.k) hits[i].resize(search.request.k);
  }
  return hits;
}

std::vector<std::vector<PlacedHit>> find_hits(const Search& search, const Plan& plan,
                                              const LoadedIndex* index) {
  std::vector<std::vector<PlacedHit>> all(search.count());
  for (std::size_t p = 0; p < search.snapshot.parts.size(); ++p) {
    const Part& part = search.snapshot.parts[p];
    if (part.live == 0) continue;
    std::vector<std::vector<Hit>> hits(search.count());
    if (plan.gather) {
      gather(search, p, hits);
    } else if (p == 0 && plan.mode == SearchMode::approximate) {
      hits = search_graph(search, *index, plan.width);
    } else if (p == 0 && plan.mode == SearchMode::prefiltered) {
      hits = part.block->prefilter(search.run)
                 .scan(part.block->rows(), search.probes, search.request.k, masks_of(search, p),
                       search.run);
    } else {
      hits = scan(part.block->rows(), search.probes, search.request.k, masks_of(search, p),
                  search.run);
    }
    for (std::size_t i = 0; i < hits.size(); ++i) {
      for (const Hit& hit : hits[i]) all[i].push_back({p, hit});
    }
  }
  for (auto& hits : all) {
    // Ids rise from part to part and from row to row.
    std::sort(hits.begin(), hits.end(), [](const PlacedHit& a, const PlacedHit& b) {
      if (a.hit.score != b.hit.score) return a.hit.score > b.hit.score;
      return a.part != b.part ? a.part < b.part : a.hit.row < b.hit.row;
    });
    if (hits.size() > search.request.k) hits.resize(search.request.k);
  }
  return all;
}

/// Scores of the passing templates of a subject, falling.
std::vector<float> subject_scores(const Search& search, std::size_t probe, std::int64_t subject) {
  const Passing& passing = search.passing(probe);
  std::vector<float> scores;
  for (std::size_t p = 0; p < search.snapshot.parts.size(); ++p) {
    const Block& block = *search.snapshot.parts[p].block;
    const auto number = block.find_subject(subject);
    if (!number) continue;
    for (const std::uint32_t row : block.rows_of(*number)) {
      const RowMask* mask = passing.masks[p].get();
      if (mask != nullptr && !mask->test(row)) continue;
      scores.push_back(row_score(block.rows(), row, search.probe(probe)));
    }
  }
  std::sort(scores.begin(), scores.end(), std::greater<>());
  return scores;
}

float centroid_score(const Search& search, std::size_t probe, std::int64_t subject) {
  std::vector<double> sum(search.dimension, 0.0);
  std::vector<float> row_values(search.dimension);
  for (const Part& part : search.snapshot.parts) {
    const auto number = part.block->find_subject(subject);
    if (!number) continue;
    for (const std::uint32_t row : part.block->rows_of(*number)) {
      if (!part.counts(row)) continue;
      load_row(part.block->rows(), row, row_values);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += row_values[i];
    }
  }
  const auto dropped = search.snapshot.dropped_sum(subject).sum;
  for (std::size_t i = 0; i < dropped.size(); ++i) sum[i] += dropped[i];
  double norm = 0, dot = 0;
  const auto values = search.probe(probe);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    norm += sum[i] * sum[i];
    dot += sum[i] * values[i];
  }
  return norm > 0 ? static_cast<float>(dot / std::sqrt(norm)) : 0.0f;
}

float subject_score(const Search& search, std::size_t probe, std::int64_t subject) {
  if (search.request.rule == SubjectRule::centroid) return centroid_score(search, probe, subject);
  const auto scores = subject_scores(search, probe, subject);
  if (scores.empty()) return 0;
  if (search.request.rule == SubjectRule::maximum) return scores[0];
  const std::size_t count = std::min<std::size_t>(3, scores.size());
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += scores[i];
  return static_cast<float>(sum / static_cast<double>(count));
}

SearchResult result_of(const Search& search, std::size_t probe,
                       const std::vector<PlacedHit>& hits) {
  SearchResult result;
  std::vector<RankedSubject> subjects;
  std::set<std::int64_t> seen;
  for (const PlacedHit& placed : hits) {
    const Block& block = *search.snapshot.parts[placed.part].block;
    const std::uint32_t row = placed.hit.row, number = block.subjects[row];
    result.templates.push_back(
        {block.ids[row], std::string(block.label(number)), std::string(block.tenant(number)),
         std::string(block.camera_names[block.cameras[row]]), placed.hit.score});
    const std::int64_t id = block.subject_ids[number];
    if (!seen.insert(id).second) continue;
    subjects.push_back({id,
                        {std::string(block.label(number)), std::string(block.tenant(number)),
                         subject_score(search, probe, id)}});
  }
  result.subjects = in_order(std::move(subjects));
  return result;
}

/// Distinct subjects with a row that passes the filter.
std::size_t count_subjects(const Search& search) {
  if (search.request.filter.empty()) return search.snapshot.subjects.rows;
  std::set<std::int64_t> later;
  std::size_t count = 0;
  for (std::size_t p = 0; p < search.snapshot.parts.size(); ++p) {
    const Block& block = *search.snapshot.parts[p].block;
    const RowMask* mask = search.filtered.masks[p].get();
    std::vector<char> found(block.subject_ids.size(), 0);
    for (const std::uint32_t row : block.subject_rows) {
      if (mask == nullptr || mask->test(row)) found[block.subjects[row]] = 1;
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] == 0) continue;
      // Of the first block it is enough to count; later ones may name its subjects again.
      if (p == 0) {
        ++count;
      } else if (const auto number =
                     search.snapshot.parts[0].block->find_subject(block.subject_ids[i]);
                 !number || !std::any_of(search.snapshot.parts[0].block->rows_of(*number).begin(),
                                         search.snapshot.parts[0].block->rows_of(*number).end(),
                                         [&](std::uint32_t row) {
                                           const RowMask* base = search.filtered.masks[0].get();
                                           return base == nullptr || base->test(row);
                                         })) {
        later.insert(block.subject_ids[i]);
      }
    }
  }
  return count + later.size();
}

/// Texts of the gallery hold no control characters: a NUL is a row that was erased meanwhile.
bool erased_meanwhile(const SearchAnswer& answer) {
  for (const SearchResult& result : answer.results) {
    for (const Match& match : result.templates) {
      if (match.label.find('\0') != std::string::npos) return true;
    }
  }
  return false;
}

}  // namespace

SearchAnswer LocalGallery::search_in(const Snapshot& snapshot, const SearchRequest& request,
                                     std::span<const float> probes, RunContext& run) {
  Search search{snapshot, request, probes, reader_->fixed().dimension, run};
  make_masks(search);
  std::shared_ptr<const LoadedIndex> index;
  const std::size_t base = snapshot.parts.empty() ? 0 : snapshot.parts[0].live;
  if (request.mode == SearchMode::approximate ||
      (request.mode == SearchMode::automatic && base >= kGraphLeastRows)) {
    index = index_for(snapshot);
  }
  const Plan plan = make_plan(search, index.get());
  const auto hits = find_hits(search, plan, index.get());
  SearchAnswer answer;
  answer.used = plan.mode;
  answer.note = plan.note;
  answer.subjects_searched = count_subjects(search);
  answer.results.resize(search.count());
  run.parallel_for(0, search.count(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) answer.results[i] = result_of(search, i, hits[i]);
  });
  return answer;
}

SearchAnswer LocalGallery::search(const SearchRequest& request, RunContext& run) {
  const std::vector<float> probes = unit_probes(request, reader_->fixed().dimension);
  constexpr int kAttempts = 8;
  for (int attempt = 1;; ++attempt) {
    const auto snapshot = refresh();
    SearchAnswer answer = search_in(*snapshot, request, probes, run);
    if (!erased_meanwhile(answer)) {
      const std::lock_guard lock(read_mutex_);
      if (!note_.empty()) {
        answer.note += (answer.note.empty() ? "" : "; ") + note_;
        note_.clear();
      }
      return answer;
    }
    if (attempt == kAttempts) {
      throw Error(ErrorCode::conflict, "the gallery changes faster than it can be searched",
                  "try again", paths_.store.string());
    }
  }
}

}  // namespace sosia::gallery
