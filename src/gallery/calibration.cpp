// Subject-level scores of probes against enrolled templates; see calibrate.hpp.

#include "gallery/calibration_fit.hpp"
#include "gallery/enrolled.hpp"
#include "gallery/vector_block.hpp"
#include "sosia/core/error.hpp"
#include "sosia/gallery/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

constexpr std::size_t kNone = ~std::size_t{0};

// A probe: where its vector is, whose it is, and which enrolled row it is itself.
struct Probe {
  std::size_t row = 0;         // in the block of probes
  std::size_t own = kNone;     // number of its subject among the enrolled
  std::size_t itself = kNone;  // its row among the enrolled, left out of the comparison
  std::uint32_t subject = 0;   // for the bootstrap: any number, one for each subject
};

// The score of one subject from those of its templates, in the order that they come.
class SubjectScore {
 public:
  void add(float score) {
    ++count_;
    if (score <= best_[2]) return;
    best_[2] = score;
    if (best_[2] > best_[1]) std::swap(best_[1], best_[2]);
    if (best_[1] > best_[0]) std::swap(best_[0], best_[1]);
  }
  bool empty() const { return count_ == 0; }
  double score(SubjectRule rule) const {
    if (rule == SubjectRule::maximum) return best_[0];
    const std::size_t n = std::min<std::size_t>(count_, 3);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += best_[i];
    return sum / static_cast<double>(n);
  }

 private:
  float best_[3] = {-2, -2, -2};
  std::size_t count_ = 0;
};

// Unit length means of the rows of each subject.
std::vector<float> centroids(const BySubject& enrolled, std::size_t d) {
  std::vector<float> out(enrolled.subjects() * d);
  std::vector<double> sum(d);
  for (std::size_t s = 0; s < enrolled.subjects(); ++s) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t r = enrolled.first[s]; r < enrolled.first[s + 1]; ++r) {
      for (std::size_t i = 0; i < d; ++i) sum[i] += enrolled.vectors[r * d + i];
    }
    const double norm = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
    for (std::size_t i = 0; i < d; ++i) {
      out[s * d + i] = static_cast<float>(norm > 0 ? sum[i] / norm : 0.0);
    }
  }
  return out;
}

// Scores of up to kProbesPerPass probes with every subject.
class Comparer {
 public:
  Comparer(const BySubject& enrolled, std::size_t dimension, SubjectRule rule)
      : enrolled_(enrolled),
        d_(dimension),
        rule_(rule),
        rows_(enrolled.vectors, dimension),
        centres_(
            rule == SubjectRule::centroid ? centroids(enrolled, dimension) : std::vector<float>(),
            dimension) {}

  std::size_t subjects() const { return enrolled_.subjects(); }

  // out[s * kProbesPerPass + p]; NaN when the subject has no template but the probe itself.
  void compare(const VectorBlock& probes, std::span<const Probe> batch, std::span<double> out,
               RunContext& run) const {
    const std::size_t grain = std::max<std::size_t>(1, 2048 * subjects() / (rows_.size() + 1));
    run.parallel_for(0, subjects(), grain, [&](std::size_t begin, std::size_t end) {
      if (rule_ == SubjectRule::centroid) {
        by_centroid(probes, batch, begin, end, out);
      } else {
        by_templates(probes, batch, begin, end, out);
      }
    });
  }

 private:
  static constexpr std::size_t kRowsPerTile = 252;  // a multiple of kRowGroup

  void by_templates(const VectorBlock& probes, std::span<const Probe> batch, std::size_t begin,
                    std::size_t end, std::span<double> out) const {
    std::vector<float> scores(kRowsPerTile * kProbesPerPass);
    std::size_t tile = 0, tile_end = 0;  // rows that `scores` holds
    for (std::size_t s = begin; s < end; ++s) {
      SubjectScore subject[kProbesPerPass];
      for (std::size_t row = enrolled_.first[s]; row < enrolled_.first[s + 1]; ++row) {
        if (row >= tile_end) {
          tile = row;
          tile_end = std::min(row + kRowsPerTile, enrolled_.first[end]);
          rows_.products(tile, tile_end - tile, probes, batch[0].row, batch.size(), scores.data());
        }
        const float* line = scores.data() + (row - tile) * kProbesPerPass;
        for (std::size_t p = 0; p < batch.size(); ++p) {
          if (row != batch[p].itself) subject[p].add(line[p]);
        }
      }
      for (std::size_t p = 0; p < batch.size(); ++p) {
        out[s * kProbesPerPass + p] = subject[p].empty() ? std::nan("") : subject[p].score(rule_);
      }
    }
  }

  void by_centroid(const VectorBlock& probes, std::span<const Probe> batch, std::size_t begin,
                   std::size_t end, std::span<double> out) const {
    std::vector<float> scores(kRowsPerTile * kProbesPerPass);
    for (std::size_t first = begin; first < end; first += kRowsPerTile) {
      const std::size_t count = std::min(kRowsPerTile, end - first);
      centres_.products(first, count, probes, batch[0].row, batch.size(), scores.data());
      for (std::size_t s = first; s < first + count; ++s) {
        for (std::size_t p = 0; p < batch.size(); ++p) {
          const bool part_of_it = batch[p].itself != kNone && batch[p].own == s;
          out[s * kProbesPerPass + p] = part_of_it ? without_itself(probes, batch[p])
                                                   : scores[(s - first) * kProbesPerPass + p];
        }
      }
    }
  }

  // Cosine with the centroid of the subject's other templates.
  double without_itself(const VectorBlock& probes, const Probe& probe) const {
    std::vector<double> sum(d_, 0.0);
    std::size_t others = 0;
    for (std::size_t r = enrolled_.first[probe.own]; r < enrolled_.first[probe.own + 1]; ++r) {
      if (r == probe.itself) continue;
      ++others;
      for (std::size_t i = 0; i < d_; ++i) sum[i] += enrolled_.vectors[r * d_ + i];
    }
    const double norm = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
    const auto vector = probes.row(probe.row);
    const double dot = std::inner_product(sum.begin(), sum.end(), vector.begin(), 0.0);
    return others == 0 || norm == 0 ? std::nan("") : dot / norm;
  }

  const BySubject& enrolled_;
  std::size_t d_;
  SubjectRule rule_;
  VectorBlock rows_, centres_;
};

// Feeds all scores of `probes` to `fit`, in the order of probes and subjects whatever the threads.
void collect(const Comparer& comparer, const VectorBlock& vectors, std::span<const Probe> probes,
             CalibrationFit& fit, RunContext& run) {
  std::vector<double> scores(comparer.subjects() * kProbesPerPass);
  for (std::size_t first = 0; first < probes.size(); first += kProbesPerPass) {
    run.progress("comparing probes", first, probes.size());
    const auto batch = probes.subspan(first, std::min(kProbesPerPass, probes.size() - first));
    comparer.compare(vectors, batch, scores, run);
    for (std::size_t p = 0; p < batch.size(); ++p) {
      const auto number = static_cast<std::uint32_t>(first + p);
      for (std::size_t s = 0; s < comparer.subjects(); ++s) {
        const double score = scores[s * kProbesPerPass + p];
        if (s != batch[p].own) {
          fit.add_impostor(score, number);
        } else if (!std::isnan(score)) {
          fit.add_genuine(score);
        }
      }
    }
  }
}

CalibrationRun finish(CalibrationFit& fit, std::span<const Probe> probes, const GalleryInfo& info,
                      const Enrolled& enrolled, SubjectRule rule, std::size_t all_probes) {
  std::vector<std::uint32_t> subjects;
  std::unordered_map<std::uint32_t, std::uint32_t> dense;  // numbered by their first probe
  for (const Probe& probe : probes) {
    const auto next = static_cast<std::uint32_t>(dense.size());
    subjects.push_back(dense.try_emplace(probe.subject, next).first->second);
  }
  CalibrationRun out;
  out.calibration = fit.finish(enrolled.names.size(), std::move(subjects));
  out.calibration.rule = rule;
  out.calibration.model = info.model;
  out.calibration.set = info.place;
  out.subjects_enrolled = info.subjects;
  out.subjects_used = enrolled.names.size();
  out.templates_used = enrolled.size();
  out.probes_enrolled = all_probes;
  out.genuine = fit.genuine_scores();
  out.impostor = fit.impostor_scores();
  return out;
}

void require_subjects(const Enrolled& enrolled) {
  if (enrolled.names.size() >= 2) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("the gallery has {} subject{}; a calibration compares at least two",
                          enrolled.names.size(), enrolled.names.size() == 1 ? "" : "s"),
              "enrol more subjects, or calibrate on a labelled file");
}

}  // namespace

CalibrationRun calibrate_gallery(Gallery& gallery, const CalibrateOptions& options,
                                 RunContext& run) {
  const Enrolled enrolled = load_enrolled(gallery, {}, options.templates, run);
  require_subjects(enrolled);
  const BySubject grouped = by_subject(enrolled);
  // Rows in the order in which they become probes: a random template of every subject, subjects
  // shuffled, then a second one.
  std::vector<std::size_t> subjects(grouped.subjects());
  std::iota(subjects.begin(), subjects.end(), std::size_t{0});
  run.random("calibration subjects").shuffle(std::span(subjects));
  std::vector<std::size_t> rows(enrolled.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  RandomStream stream = run.random("calibration templates");
  std::size_t most = 0;
  for (std::size_t s = 0; s < grouped.subjects(); ++s) {
    const std::size_t size = grouped.first[s + 1] - grouped.first[s];
    stream.shuffle(std::span(rows).subspan(grouped.first[s], size));
    most = std::max(most, size);
  }
  const std::size_t d = enrolled.dimension;
  std::vector<Probe> probes;
  std::vector<float> vectors;
  for (std::size_t round = 0; round < most; ++round) {
    for (std::size_t s : subjects) {
      if (probes.size() >= options.probes) break;
      if (grouped.first[s] + round >= grouped.first[s + 1]) continue;
      const std::size_t row = rows[grouped.first[s] + round];
      probes.push_back({probes.size(), s, row, static_cast<std::uint32_t>(s)});
      vectors.insert(vectors.end(), grouped.vectors.begin() + static_cast<std::ptrdiff_t>(row * d),
                     grouped.vectors.begin() + static_cast<std::ptrdiff_t>((row + 1) * d));
    }
  }
  CalibrationFit fit;
  collect(Comparer(grouped, d, options.rule), VectorBlock(vectors, d), probes, fit, run);
  return finish(fit, probes, gallery.info(), enrolled, options.rule, enrolled.size());
}

CalibrationRun calibrate_probes(Gallery& gallery, const LabelledProbes& labelled,
                                const CalibrateOptions& options, RunContext& run) {
  const Enrolled enrolled = load_enrolled(gallery, {}, options.templates, run);
  require_subjects(enrolled);
  const std::size_t d = enrolled.dimension;
  if (labelled.vectors.size() != labelled.labels.size() * d) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} labels and {} numbers do not make probes of dimension {}",
                            labelled.labels.size(), labelled.vectors.size(), d));
  }
  std::unordered_map<std::string, std::size_t> enrolled_as;
  for (std::size_t s = 0; s < enrolled.names.size(); ++s) {
    if (enrolled.names[s].tenant == labelled.tenant) enrolled_as[enrolled.names[s].label] = s;
  }
  std::unordered_map<std::string, std::uint32_t> numbers;
  std::vector<std::size_t> order(labelled.labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() > options.probes) {
    run.random("calibration probes").shuffle(std::span(order));
    order.resize(options.probes);
  }
  std::vector<Probe> probes;
  std::vector<float> vectors;
  for (std::size_t i : order) {
    const auto vector = labelled.vectors.subspan(i * d, d);
    double norm = 0;
    for (float x : vector) norm += static_cast<double>(x) * x;
    if (!std::isfinite(norm) || norm == 0) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("probe {} {}", i, norm == 0 ? "is zero" : "is not finite"));
    }
    for (float x : vector) vectors.push_back(static_cast<float>(x / std::sqrt(norm)));
    const auto found = enrolled_as.find(labelled.labels[i]);
    const auto number =
        numbers.try_emplace(labelled.labels[i], static_cast<std::uint32_t>(numbers.size()));
    probes.push_back({probes.size(), found == enrolled_as.end() ? kNone : found->second, kNone,
                      number.first->second});
  }
  const BySubject grouped = by_subject(enrolled);
  CalibrationFit fit;
  collect(Comparer(grouped, d, options.rule), VectorBlock(vectors, d), probes, fit, run);
  return finish(fit, probes, gallery.info(), enrolled, options.rule, labelled.labels.size());
}

}  // namespace sosia::gallery
