// Comparisons of a set (1:1), the LFW folds over them, and what their scores mean.

#include "face/dot.hpp"
#include "sosia/face/calibration.hpp"
#include "sosia/face/evaluation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr std::size_t kFolds = 10;
/// Of a comparison with a photo that gave no vector: the least cosine there is.
constexpr double kRejected = -1;

class Comparer {
 public:
  Comparer(const EvaluationSet& set, const EmbeddedSet& vectors, const CompareOptions& options)
      : set_(set), vectors_(vectors), options_(options) {}

  Comparisons listed() {
    Comparisons out;
    std::vector<std::uint32_t> folds;
    if (set_.folds == 0 && set_.pairs.size() >= kFolds) {
      folds = evaluate::contiguous_folds(set_.pairs.size(), kFolds);
    }
    for (std::size_t i = 0; i < set_.pairs.size(); ++i) {
      const SetPair& p = set_.pairs[i];
      const bool missing = !found(p.a) || !found(p.b);
      if (missing) ++(p.same ? out.genuine_missing : out.impostor_missing);
      if (!p.same && !missing) ++out.impostor_total;
      if (missing && options_.missing == MissingRule::exclude) continue;
      push(out, p.a, p.b, p.same);
      if (set_.folds > 0) {
        out.folds.push_back(p.fold);
      } else if (!folds.empty()) {
        out.folds.push_back(folds[i]);
      }
    }
    return finished(std::move(out));
  }

  Comparisons all(RunContext& run) {
    const auto n = static_cast<std::uint32_t>(set_.photos.size());
    Comparisons out;
    count_pairs(out);
    std::uint64_t candidates = out.impostor_total;
    if (options_.missing == MissingRule::reject) candidates += out.impostor_missing;
    const double share =
        candidates <= options_.most_impostors
            ? 1
            : static_cast<double>(options_.most_impostors) / static_cast<double>(candidates);
    std::vector<Comparisons> rows(n);
    run.parallel_for(0, n, 16, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        rows[i] = row(static_cast<std::uint32_t>(i), share, run);
      }
    });
    for (Comparisons& r : rows) append(out, std::move(r));
    return finished(std::move(out));
  }

 private:
  bool found(std::uint32_t photo) const { return vectors_.states[photo] == PhotoState::found; }

  void push(Comparisons& out, std::uint32_t a, std::uint32_t b, bool same) const {
    out.scores.push_back(found(a) && found(b) ? dot(vectors_.vector(a), vectors_.vector(b))
                                              : kRejected);
    out.labels.push_back(same ? 1 : 0);
    out.a.push_back(a);
    out.b.push_back(b);
    const SetPhoto &first = set_.photos[a], &second = set_.photos[b];
    if (!set_.subjects.empty()) out.subjects.push_back({first.subject, second.subject});
    if (!set_.groups.empty()) {
      out.groups.push_back(first.group == second.group ? first.group : kNobody);
    }
  }

  /// Pairs of photos by class, with and without vectors, from the sizes of the subjects.
  void count_pairs(Comparisons& out) const {
    std::vector<std::uint64_t> photos(set_.subjects.size()), with(set_.subjects.size());
    for (std::size_t i = 0; i < set_.photos.size(); ++i) {
      ++photos[set_.photos[i].subject];
      with[set_.photos[i].subject] += found(static_cast<std::uint32_t>(i)) ? 1 : 0;
    }
    const auto pairs = [](std::uint64_t n) { return n * (n - (n > 0 ? 1 : 0)) / 2; };
    std::uint64_t n = 0, n_with = 0, genuine = 0, genuine_with = 0;
    for (std::size_t s = 0; s < photos.size(); ++s) {
      n += photos[s], n_with += with[s];
      genuine += pairs(photos[s]), genuine_with += pairs(with[s]);
    }
    out.genuine_missing = genuine - genuine_with;
    out.impostor_total = pairs(n_with) - genuine_with;
    out.impostor_missing = pairs(n) - genuine - out.impostor_total;
  }

  Comparisons row(std::uint32_t a, double share, const RunContext& run) const {
    Comparisons out;
    const bool keep_missing = options_.missing == MissingRule::reject;
    if (!found(a) && !keep_missing) return out;
    RandomStream random = run.random("impostor pairs", a);
    for (std::uint32_t b = a + 1; b < set_.photos.size(); ++b) {
      if (!found(b) && !keep_missing) continue;
      const bool same = set_.photos[a].subject == set_.photos[b].subject;
      if (!same && share < 1 && random.uniform() >= share) continue;
      push(out, a, b, same);
    }
    return out;
  }

  static void append(Comparisons& out, Comparisons&& more) {
    const auto join = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    join(out.scores, more.scores);
    join(out.labels, more.labels);
    join(out.a, more.a);
    join(out.b, more.b);
    join(out.subjects, more.subjects);
    join(out.groups, more.groups);
    more = {};
  }

  Comparisons finished(Comparisons out) const {
    out.subject_count = set_.subjects.size();
    const auto genuine = std::count(out.labels.begin(), out.labels.end(), 1);
    const auto impostor = static_cast<std::ptrdiff_t>(out.size()) - genuine;
    if (genuine == 0 || impostor == 0) {
      const char* kind = genuine == 0 ? "of one subject" : "of different subjects";
      const std::uint64_t missing = genuine == 0 ? out.genuine_missing : out.impostor_missing;
      throw Error(
          ErrorCode::invalid_argument,
          missing > 0
              ? fmt::format("all {} comparisons {} have a photo without a face", missing, kind)
              : fmt::format("the set has no comparison {}", kind),
          genuine == 0 ? "some subject needs two photos" : "the set needs two subjects", set_.name);
    }
    return out;
  }

  const EvaluationSet& set_;
  const EmbeddedSet& vectors_;
  CompareOptions options_;
};

/// Whether every fold up to the largest number has comparisons, and of both classes.
std::pair<bool, bool> folds_filled(std::span<const std::uint32_t> folds,
                                   std::span<const std::uint8_t> labels) {
  if (folds.empty()) return {false, false};
  std::vector<std::array<bool, 2>> seen(*std::max_element(folds.begin(), folds.end()) + 1U);
  for (std::size_t i = 0; i < folds.size(); ++i) seen[folds[i]][labels[i]] = true;
  const bool some =
      std::all_of(seen.begin(), seen.end(), [](const auto& s) { return s[0] || s[1]; });
  const bool both =
      std::all_of(seen.begin(), seen.end(), [](const auto& s) { return s[0] && s[1]; });
  return {some && seen.size() >= 2, both};
}

}  // namespace

Comparisons compare_set(const EvaluationSet& set, const EmbeddedSet& vectors,
                        const CompareOptions& options, RunContext& run) {
  Comparer comparer(set, vectors, options);
  return set.listed ? comparer.listed() : comparer.all(run);
}

std::optional<FoldFigures> fold_figures(const Comparisons& pairs,
                                        std::optional<std::uint32_t> group) {
  std::vector<double> distances;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> folds;
  for (std::size_t i = 0; i < pairs.folds.size(); ++i) {
    if (group && pairs.groups[i] != *group) continue;
    distances.push_back(evaluate::squared_distance(pairs.scores[i]));
    labels.push_back(pairs.labels[i]);
    folds.push_back(pairs.folds[i]);
  }
  const auto [some, both] = folds_filled(folds, labels);
  if (!some) return std::nullopt;
  FoldFigures out;
  out.accuracy = evaluate::fold_accuracy(distances, labels, folds, evaluate::lfw_thresholds(0.01));
  if (both) {
    out.val = evaluate::fold_val(distances, labels, folds, evaluate::lfw_thresholds(0.001), 1e-3);
  }
  return out;
}

gallery::Calibration calibrate_set(const EvaluationSet& set, const EmbeddedSet& vectors,
                                   const Comparisons& pairs, const std::string& set_name,
                                   const FacePipeline& pipeline, const EmbedSetOptions& options) {
  const bool by_card = pipeline.embedder().card().output.flip_sum;
  if (options.mirror_sum.value_or(by_card) != by_card) {
    throw Error(ErrorCode::invalid_argument,
                "a calibration must come from vectors as galleries hold them, but the mirrored "
                "face was added to these",
                "calibrate with --mirror card");
  }
  const auto found = [&](std::uint32_t p) { return vectors.states[p] == PhotoState::found; };
  if (!set.listed) {
    LabelledFaces faces;
    faces.dimension = vectors.dimension;
    for (std::uint32_t i = 0; i < set.photos.size(); ++i) {
      if (!found(i)) continue;
      const auto v = vectors.vector(i);
      faces.vectors.insert(faces.vectors.end(), v.begin(), v.end());
      faces.subjects.push_back(set.photos[i].subject);
    }
    return calibrate_faces(faces, set_name, pipeline.model_hash());
  }
  std::vector<double> genuine, impostor;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!found(pairs.a[i]) || !found(pairs.b[i])) continue;
    (pairs.labels[i] == 1 ? genuine : impostor).push_back(pairs.scores[i]);
  }
  gallery::Calibration out =
      gallery::fit_calibration(genuine, impostor, std::max<std::size_t>(2, pairs.subject_count));
  out.set = set_name;
  out.model = pipeline.model_hash();
  out.rule = gallery::SubjectRule::maximum;
  return out;
}

}  // namespace sosia::face
