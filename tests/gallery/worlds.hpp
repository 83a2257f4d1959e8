#pragma once
// Simulated worlds with known truth, and a gallery in memory that is right by being simple. Shared
// by the tests and the bench of decisions and groups.

#include "sosia/core/error.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/gallery/gallery.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sosia::gallery {

/// What makes comparisons differ from independent draws of one distribution.
enum class WorldKind {
  plain,  ///< nothing: centres in all directions, equal noise
  goats,  ///< subjects differ in how alike their own samples are
  /// Subjects are near the average of all to different degrees, and one sample in two hundred is so
  /// poor that little but the average is left: it is mistaken for many at once.
  wolves,
  lambs,     ///< one subject in twenty looks like the average of all
  families,  ///< subjects come in fours that look alike
};

struct World {
  WorldKind kind = WorldKind::plain;
  std::size_t dimension = 64;
  double noise = 1.0;  ///< of a sample against its centre of length 1
  std::uint64_t seed = 0;
  std::string name = "world";  ///< another one gives an independent population
};

inline void normalise(std::vector<float>& v) {
  double norm = 0;
  for (float x : v) norm += static_cast<double>(x) * x;
  for (float& x : v) x = static_cast<float>(x / std::sqrt(norm));
}

inline std::vector<float> gaussian(RandomStream& stream, std::size_t d, double length = 1) {
  std::vector<float> v(d);
  const double scale = length / std::sqrt(static_cast<double>(d));
  for (float& x : v) x = static_cast<float>(scale * stream.normal());
  return v;
}

/// Samples of the subjects of a world; each is a pure function of subject and sample number.
class Population {
 public:
  explicit Population(World world) : world_(std::move(world)) {
    RandomStream stream(0, "average person");  // the same in all populations
    average_ = gaussian(stream, world_.dimension);
    normalise(average_);
  }

  std::vector<float> sample(std::uint64_t subject, std::uint64_t number) const {
    std::vector<float> v = centre(subject);
    RandomStream own(world_.seed, world_.name + " noise", subject);
    const double noise =
        world_.noise * (world_.kind == WorldKind::goats ? own.uniform(0.6, 1.5) : 1.0);
    RandomStream stream(derive_seed(world_.seed, world_.name + " samples", subject), "sample",
                        number);
    add(v, gaussian(stream, world_.dimension, noise), 1);
    if (world_.kind == WorldKind::wolves && stream.uniform() < 0.005) {
      for (float& x : v) x *= 0.3f;
      add(v, average_, 1.0);
    }
    normalise(v);
    return v;
  }

 private:
  std::vector<float> centre(std::uint64_t subject) const {
    RandomStream stream(world_.seed, world_.name + " centre", subject);
    std::vector<float> v = gaussian(stream, world_.dimension);
    if (world_.kind == WorldKind::wolves) add(v, average_, stream.uniform(0, 0.8));
    if (world_.kind == WorldKind::lambs && subject % 20 == 0) add(v, average_, 0.8);
    if (world_.kind == WorldKind::families) {
      RandomStream family(world_.seed, world_.name + " family", subject / 4);
      add(v, gaussian(family, world_.dimension), 0.8);
    }
    normalise(v);
    return v;
  }
  static void add(std::vector<float>& v, const std::vector<float>& w, double factor) {
    for (std::size_t i = 0; i < v.size(); ++i) v[i] += static_cast<float>(factor * w[i]);
  }

  World world_;
  std::vector<float> average_;
};

/// A gallery in memory, by plain loops.
class MemoryGallery : public Gallery {
 public:
  explicit MemoryGallery(std::size_t dimension) : dimension_(dimension) {}

  GalleryInfo info() override {
    std::set<std::pair<std::string, std::string>> subjects;
    for (const StoredTemplate& t : templates_) subjects.insert({t.tenant, t.label});
    return {.place = "memory",
            .engine = "memory",
            .dimension = dimension_,
            .model = model_,
            .subjects = subjects.size(),
            .templates = templates_.size(),
            .index = "none"};
  }
  AddReport add(std::span<const Template> batch, const std::string& model, RunContext&) override {
    model_ = model;
    for (const Template& t : batch) {
      StoredTemplate stored;
      static_cast<Template&>(stored) = t;
      normalise(stored.vector);
      stored.id = static_cast<std::int64_t>(templates_.size());
      templates_.push_back(std::move(stored));
    }
    return {.enrolled = batch.size()};
  }
  void add(const std::string& label, std::vector<float> vector) {
    StoredTemplate t;
    t.label = label;
    t.vector = std::move(vector);
    normalise(t.vector);
    t.id = static_cast<std::int64_t>(templates_.size());
    templates_.push_back(std::move(t));
  }

  SearchAnswer search(const SearchRequest& request, RunContext&) override {
    SearchAnswer answer;
    std::set<std::pair<std::string, std::string>> searched;
    for (std::size_t p = 0; p * dimension_ < request.probes.size(); ++p) {
      std::map<std::pair<std::string, std::string>, std::vector<float>> by_subject;
      SearchResult result;
      for (const StoredTemplate& t : templates_) {
        float dot = 0;
        for (std::size_t i = 0; i < dimension_; ++i) {
          dot += t.vector[i] * request.probes[p * dimension_ + i];
        }
        result.templates.push_back({t.id, t.label, t.tenant, t.camera, dot});
        by_subject[{t.tenant, t.label}].push_back(dot);
        searched.insert({t.tenant, t.label});
      }
      std::stable_sort(result.templates.begin(), result.templates.end(),
                       [](const Match& a, const Match& b) { return a.score > b.score; });
      result.templates.resize(std::min(request.k, result.templates.size()));
      std::set<std::pair<std::string, std::string>> listed;
      for (const Match& m : result.templates) {
        if (!listed.insert({m.tenant, m.label}).second) continue;
        std::vector<float>& scores = by_subject[{m.tenant, m.label}];
        std::sort(scores.rbegin(), scores.rend());
        const std::size_t n =
            request.rule == SubjectRule::maximum ? 1 : std::min<std::size_t>(3, scores.size());
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += scores[i];
        result.subjects.push_back(
            {m.label, m.tenant, static_cast<float>(sum / static_cast<double>(n))});
      }
      std::stable_sort(result.subjects.begin(), result.subjects.end(),
                       [](const auto& a, const auto& b) { return a.score > b.score; });
      answer.results.push_back(std::move(result));
    }
    answer.subjects_searched = searched.size();
    return answer;
  }
  void scan(const Filter&, const std::function<bool(const StoredTemplate&)>& each,
            RunContext&) override {
    for (const StoredTemplate& t : templates_) {
      if (!each(t)) return;
    }
  }
  std::optional<Calibration> calibration() override { return calibration_; }
  void set_calibration(const Calibration& c, RunContext&) override { calibration_ = c; }

  ForgetReport forget(std::string_view, std::string_view, RunContext&) override { return {}; }
  ForgetReport forget_before(std::int64_t, RunContext&) override { return {}; }
  std::vector<Damage> verify(RunContext&) override { return {}; }
  Compacted compact(IndexChoice, double, RunContext&) override { return {}; }
  std::vector<AuditEntry> audit() override { return {}; }

  std::vector<StoredTemplate> templates_;

 private:
  std::size_t dimension_;
  std::string model_;
  std::optional<Calibration> calibration_;
};

/// `subjects` subjects with `samples` samples each, chosen at random of twice as many, so that
/// those left out are relatives of those enrolled as often as these are of each other.
inline std::vector<std::uint64_t> shuffled_subjects(std::uint64_t seed, std::size_t count) {
  std::vector<std::uint64_t> subjects(count);
  for (std::size_t i = 0; i < count; ++i) subjects[i] = i;
  RandomStream(seed, "who is enrolled").shuffle(std::span(subjects));
  return subjects;
}

inline void enrol(MemoryGallery& gallery, const Population& people,
                  std::span<const std::uint64_t> subjects, std::size_t samples) {
  for (std::uint64_t s : subjects) {
    for (std::size_t i = 0; i < samples; ++i) {
      gallery.add("s" + std::to_string(s), people.sample(s, i));
    }
  }
}

}  // namespace sosia::gallery
