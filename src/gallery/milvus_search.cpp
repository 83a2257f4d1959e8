// Search, scan and verification on a Milvus server.

#include "gallery/milvus_change.hpp"
#include "gallery/probes.hpp"
#include "gallery/ranked.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace sosia::gallery {

using milvus::Columns;
using milvus::Consistency;
using milvus::Found;
using milvus::kMostResults;
using milvus::State;
using milvus::SubjectRow;
using milvus::TemplateRow;

namespace {

/// Further results, so that equal scores at the end of the list are put in the order of enrolment,
/// and so that most subjects have their three best among them.
constexpr std::size_t kSlack = 32;
/// Probes and results of one request.
constexpr std::size_t kMostProbes = 256;
constexpr std::size_t kMostRowsOfAnswer = 40'000;
constexpr std::size_t kCompletedAtOnce = 8;  ///< probes whose subjects are asked for together

constexpr std::string_view kHitFields[] = {"id", "subject", "label", "tenant", "camera"};

struct TemplateHit {
  Match match = {};
  std::int64_t subject = 0;
};

/// Score falling, then in the order of enrolment.
bool before(const TemplateHit& a, const TemplateHit& b) {
  return a.match.score != b.match.score ? a.match.score > b.match.score
                                        : a.match.template_id < b.match.template_id;
}

/// All about one probe.
struct Answer {
  std::vector<TemplateHit> hits = {};  ///< more than k
  bool complete = false;               ///< every passing template is among them
  /// Scores of the subjects of the first k hits, falling, as far as they are needed.
  std::map<std::int64_t, std::vector<float>> scores = {};
  std::set<std::int64_t> unfinished = {};  ///< subjects whose best three are not all known
};

std::string without_camera(const std::string& expression, const std::string& camera) {
  return camera.empty() ? expression : expression + " && camera != " + milvus::literal(camera);
}

}  // namespace

struct MilvusGallery::Search {
  const State& state;
  const SearchRequest& request;
  std::span<const float> probes;
  std::string expression;
  std::size_t width = 0;
  std::vector<Answer> answers = {};

  std::size_t count() const { return answers.size(); }
  std::span<const float> probe(std::size_t i) const {
    return probes.subspan(i * state.dimension, state.dimension);
  }
  const std::string& camera(std::size_t i) const {
    static const std::string none;
    return request.exclude_cameras.empty() ? none : request.exclude_cameras[i];
  }
  /// Probes that look at the same templates, in pieces of at most `most`.
  std::vector<std::vector<std::size_t>> groups(std::size_t most) const {
    std::map<std::string, std::vector<std::size_t>> by_camera;
    for (std::size_t i = 0; i < count(); ++i) by_camera[camera(i)].push_back(i);
    std::vector<std::vector<std::size_t>> out;
    for (const auto& [name, all] : by_camera) {
      for (std::size_t first = 0; first < all.size(); first += most) {
        out.emplace_back(
            all.begin() + static_cast<std::ptrdiff_t>(first),
            all.begin() + static_cast<std::ptrdiff_t>(std::min(first + most, all.size())));
      }
    }
    return out;
  }
  std::vector<float> gather(std::span<const std::size_t> members) const {
    std::vector<float> out;
    for (const std::size_t i : members) out.insert(out.end(), probe(i).begin(), probe(i).end());
    return out;
  }
};

namespace {

using Groups = std::vector<std::vector<std::size_t>>;

float cosine(float score) {
  return std::clamp(score, -1.0f, 1.0f);
}

/// The hits of each probe of an answer.
std::vector<std::vector<TemplateHit>> hits_of(const Found& found) {
  std::vector<std::vector<TemplateHit>> out;
  std::size_t row = 0;
  for (const std::size_t count : found.counts) {
    out.emplace_back();
    for (std::size_t i = 0; i < count; ++i, ++row) {
      TemplateHit hit;
      hit.match.template_id = found.columns.integers("id")[row];
      hit.match.label = found.columns.texts("label")[row];
      hit.match.tenant = found.columns.texts("tenant")[row];
      hit.match.camera = found.columns.texts("camera")[row];
      hit.match.score = cosine(found.scores[row]);
      hit.subject = found.columns.integers("subject")[row];
      out.back().push_back(std::move(hit));
    }
    std::sort(out.back().begin(), out.back().end(), before);
  }
  return out;
}

/// Which subjects need more than what the first search gave.
void look_at_subjects(Answer& answer, std::size_t k, SubjectRule rule) {
  const std::size_t needed = rule == SubjectRule::maximum ? 1 : 3;
  for (std::size_t i = 0; i < std::min(k, answer.hits.size()); ++i) {
    answer.scores[answer.hits[i].subject];
  }
  if (rule == SubjectRule::centroid) {
    for (const auto& [subject, scores] : answer.scores) answer.unfinished.insert(subject);
    return;
  }
  for (const TemplateHit& hit : answer.hits) {
    const auto at = answer.scores.find(hit.subject);
    if (at != answer.scores.end() && at->second.size() < needed) {
      at->second.push_back(hit.match.score);
    }
  }
  if (answer.complete) return;
  for (const auto& [subject, scores] : answer.scores) {
    if (scores.size() < needed) answer.unfinished.insert(subject);
  }
}

float mean(std::span<const float> scores) {
  double sum = 0;
  for (const float score : scores) sum += score;
  return scores.empty() ? 0.0f : static_cast<float>(sum / static_cast<double>(scores.size()));
}

SearchResult result_of(Answer& answer, std::size_t k) {
  SearchResult result;
  std::vector<RankedSubject> subjects;
  std::set<std::int64_t> seen;
  if (answer.hits.size() > k) answer.hits.resize(k);
  for (TemplateHit& hit : answer.hits) {
    if (seen.insert(hit.subject).second) {
      subjects.push_back(
          {hit.subject, {hit.match.label, hit.match.tenant, mean(answer.scores[hit.subject])}});
    }
    result.templates.push_back(std::move(hit.match));
  }
  result.subjects = in_order(std::move(subjects));
  return result;
}

/// The mode and what it is called, from the request and the server's index.
struct Plan {
  SearchMode mode = SearchMode::exact;
  std::size_t width = 0;
  std::string note = {};
};

Plan make_plan(const State& state, const SearchRequest& request, const std::string& index) {
  Plan plan;
  if (index == "FLAT") {
    if (request.mode == SearchMode::approximate) {
      plan.note = "exact: there is no graph index; `sosia gallery compact` builds one";
    }
    return plan;
  }
  if (request.mode == SearchMode::exact || request.mode == SearchMode::prefiltered) {
    throw Error(ErrorCode::unsupported,
                fmt::format("the templates have an index of type {}, and Milvus does not search "
                            "exactly beside it",
                            quote(index)),
                "`sosia gallery compact --index none` takes the index away");
  }
  const State::Width* best = nullptr;
  for (const State::Width& w : state.widths) {
    if (w.k < request.k) continue;
    if (best == nullptr || (w.recall >= request.recall && best->recall < request.recall) ||
        (w.recall >= request.recall && w.width < best->width) ||
        (best->recall < request.recall && w.recall > best->recall)) {
      best = &w;
    }
  }
  plan.mode = SearchMode::approximate;
  plan.width = std::max<std::size_t>(best == nullptr ? 512 : best->width, request.k + kSlack);
  plan.note = best == nullptr ? fmt::format("index {}, width {}, recall at {} not measured", index,
                                            plan.width, request.k)
                              : fmt::format("index {}, width {}, measured recall {:.4f}", index,
                                            plan.width, best->recall);
  return plan;
}

}  // namespace

SearchAnswer MilvusGallery::search(const SearchRequest& request, RunContext& run) {
  const std::vector<float> probes = unit_probes(request, state(false, run).dimension);
  return steady(run, [&](const State& now) { return search_in(now, request, probes, run); });
}

SearchAnswer MilvusGallery::search_in(const State& now, const SearchRequest& request,
                                      std::span<const float> probes, RunContext& run) {
  std::string index;
  {
    const std::lock_guard lock(read_mutex_);
    // Another writer may have exchanged it; that shows as a new generation.
    if (seen_index_generation_ == now.generation) index = index_type_;
  }
  if (index.empty()) {
    index = client_.index_type(names_.templates, run);
    const std::lock_guard lock(read_mutex_);
    index_type_ = index;
    seen_index_generation_ = now.generation;
  }
  const Plan plan = make_plan(now, request, index);
  SearchAnswer answer;
  answer.used = plan.mode;
  answer.note = plan.note;
  Search search{now, request, probes, filter_expression(now, request.filter), plan.width};
  search.answers.resize(probes.size() / now.dimension);
  answer.results.resize(search.count());
  answer.subjects_searched = count_subjects(now, request.filter, run);
  const std::size_t k = std::min<std::size_t>(request.k, static_cast<std::size_t>(now.templates));
  if (search.count() == 0 || k == 0) return answer;
  if (k > kMostResults) {
    throw Error(ErrorCode::unsupported,
                fmt::format("k is {}; Milvus gives at most {} results", request.k, kMostResults));
  }
  find_hits(search, k, run);
  finish_subjects(search, run);
  for (std::size_t i = 0; i < search.count(); ++i) {
    answer.results[i] = result_of(search.answers[i], k);
  }
  return answer;
}

void MilvusGallery::find_hits(Search& search, std::size_t k, RunContext& run) {
  const State& now = search.state;
  const std::size_t most = std::min(k + kSlack, kMostResults);
  const std::size_t together = std::clamp<std::size_t>(
      std::min(kMostRowsOfAnswer / most, milvus::rows_at_once(now.dimension)), 1, kMostProbes);
  const Groups groups = search.groups(together);
  run.parallel_for(0, groups.size(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t g = first; g < last; ++g) {
      const std::vector<float> probes = search.gather(groups[g]);
      const Found found =
          client_.search(names_.templates, probes, now.dimension, most,
                         without_camera(search.expression, search.camera(groups[g].front())),
                         kHitFields, search.width, Consistency::strong, run);
      auto hits = hits_of(found);
      for (std::size_t i = 0; i < groups[g].size(); ++i) {
        Answer& answer = search.answers[groups[g][i]];
        answer.complete = hits[i].size() < most;
        answer.hits = std::move(hits[i]);
        look_at_subjects(answer, k, search.request.rule);
      }
    }
  });
}

/// Scores of subjects that the first search did not finish: of all their passing templates, or with
/// their centroids.
void MilvusGallery::finish_subjects(Search& search, RunContext& run) {
  const State& now = search.state;
  const bool centroid = search.request.rule == SubjectRule::centroid;
  const std::size_t per_subject = centroid ? 1 : now.max_templates;
  const std::string visible = centroid ? visible_subjects(now) : search.expression;
  static constexpr std::string_view kFields[] = {"subject"};
  const Groups groups = search.groups(kCompletedAtOnce);
  run.parallel_for(0, groups.size(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t g = first; g < last; ++g) {
      std::vector<std::size_t> members;
      std::set<std::int64_t> wanted;
      for (const std::size_t i : groups[g]) {
        const auto& unfinished = search.answers[i].unfinished;
        if (unfinished.empty()) continue;
        members.push_back(i);
        wanted.insert(unfinished.begin(), unfinished.end());
      }
      const std::vector<std::int64_t> subjects(wanted.begin(), wanted.end());
      const std::size_t at_once = std::max<std::size_t>(1, kMostResults / per_subject);
      for (std::size_t from = 0; from < subjects.size(); from += at_once) {
        const auto part = std::span<const std::int64_t>(subjects).subspan(
            from, std::min(at_once, subjects.size() - from));
        std::string expression = visible + " && subject in " + milvus::literal(part);
        if (!centroid) {
          expression = without_camera(expression, search.camera(members.front()));
        }
        // A wide search: the index, if there is one, must not leave any of these out.
        const std::size_t most = std::min(part.size() * per_subject, kMostResults);
        const Found found =
            client_.search(centroid ? names_.subjects : names_.templates, search.gather(members),
                           now.dimension, most, expression, kFields,
                           centroid || search.width == 0 ? 0 : std::max(search.width, most),
                           Consistency::strong, run);
        std::size_t row = 0;
        for (std::size_t i = 0; i < members.size(); ++i) {
          Answer& answer = search.answers[members[i]];
          for (const std::int64_t subject : part) {
            if (answer.unfinished.contains(subject)) answer.scores[subject].clear();
          }
          for (std::size_t n = 0; n < found.counts[i]; ++n, ++row) {
            const std::int64_t subject = found.columns.integers("subject")[row];
            if (!answer.unfinished.contains(subject)) continue;
            auto& scores = answer.scores[subject];
            if (scores.size() < 3) scores.push_back(cosine(found.scores[row]));
          }
        }
      }
    }
  });
}

/// Distinct subjects with a template that passes.
std::size_t MilvusGallery::count_subjects(const State& now, const Filter& filter, RunContext& run) {
  if (filter.empty()) return static_cast<std::size_t>(now.subjects);
  const std::string expression = filter_expression(now, filter);
  {
    const std::lock_guard lock(read_mutex_);
    if (counted_ && counted_->generation == now.generation && counted_->expression == expression) {
      return counted_->subjects;
    }
  }
  std::size_t count = 0;
  static constexpr std::string_view kFields[] = {"subject"};
  std::unordered_set<std::int64_t> seen;
  constexpr std::int64_t kWindow = 100'000;
  for (std::int64_t id = 0; id < now.next_template; id += kWindow) {
    const Columns columns = client_.query(
        names_.templates, fmt::format("id >= {} && id < {} && {}", id, id + kWindow, expression),
        kFields, Consistency::strong, run);
    if (columns.size() == 0) continue;
    const auto& subjects = columns.integers("subject");
    seen.insert(subjects.begin(), subjects.end());
  }
  count = seen.size();
  const std::lock_guard lock(read_mutex_);
  counted_ = Counted{now.generation, expression, count};
  return count;
}

void MilvusGallery::scan_rows(const State& now, const std::string& expression,
                              const std::function<bool(const TemplateRow&)>& each,
                              RunContext& run) {
  const auto window = static_cast<std::int64_t>(milvus::rows_at_once(now.dimension));
  for (std::int64_t id = 0; id < now.next_template; id += window) {
    run.check_cancelled();
    auto rows = read_templates(client_.query(
        names_.templates, fmt::format("id >= {} && id < {} && {}", id, id + window, expression),
        milvus::template_columns(), Consistency::strong, run));
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.value.id < b.value.id; });
    for (const TemplateRow& row : rows) {
      if (!each(row)) return;
    }
  }
}

void MilvusGallery::scan(const Filter& filter,
                         const std::function<bool(const StoredTemplate&)>& each, RunContext& run) {
  // Pieces are given out as they come, so a change in between cannot be hidden: it ends the scan.
  const State now = state(true, run);
  bool stopped = false;
  std::int64_t count = 0, digest = 0;
  scan_rows(
      now, filter_expression(now, filter),
      [&](const TemplateRow& row) {
        ++count;
        digest = milvus::plus(digest, checksum(row));
        stopped = !each(row.value);
        return !stopped;
      },
      run);
  if (stopped) return;
  const bool whole = filter.empty() && count == now.templates && digest == now.digest;
  if (whole) return;
  if (state(true, run).generation != now.generation) {
    throw Error(ErrorCode::conflict, "the gallery was changed while it was read", "try again",
                address_.text());
  }
  if (!filter.empty()) return;
  const std::uint64_t again = client_.count(names_.templates, visible_templates(now), run);
  if (count != now.templates && again == static_cast<std::uint64_t>(now.templates)) {
    throw Error(ErrorCode::io,
                fmt::format("the server answered with {} of {} templates while it moved data about",
                            count, now.templates),
                "try again", address_.text());
  }
  throw Error(ErrorCode::corrupt_data,
              count != now.templates
                  ? fmt::format("{} templates are there, but {} were counted", count, now.templates)
                  : "the templates are not those that were counted",
              "`sosia gallery verify` lists all damage", address_.text());
}

}  // namespace sosia::gallery
