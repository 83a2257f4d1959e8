#include "gallery/conformance.hpp"

#include "errors.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include <fmt/format.h>

namespace sosia::gallery {

std::unique_ptr<Gallery> GalleryConformance::create(const CreateOptions& options, std::string who) {
  place_ = engine().fresh_place();
  return engine().create(place_, options, {.access = Access::write, .who = std::move(who)});
}

std::unique_ptr<Gallery> GalleryConformance::reopen(Access access, std::string who) {
  return engine().open(place_, {.access = access, .who = std::move(who)});
}

namespace {

using Options = CreateOptions;

// --- worlds ---

std::vector<float> unit(std::vector<double> v) {
  double square = 0;
  for (const double x : v) square += x * x;
  std::vector<float> out;
  for (const double x : v) out.push_back(static_cast<float>(x / std::sqrt(square)));
  return out;
}

std::vector<float> random_unit(std::size_t dimension, std::string_view name, std::uint64_t index) {
  RandomStream random(7, name, index);
  std::vector<double> v(dimension);
  for (double& x : v) x = random.normal();
  return unit(v);
}

/// A sample of a subject: its centre with noise.
std::vector<float> sample_of(std::size_t dimension, std::uint64_t subject, std::uint64_t number,
                             double noise = 0.7) {
  const std::vector<float> centre = random_unit(dimension, "centre", subject);
  RandomStream random(8, "noise", subject * 1000 + number);
  std::vector<double> v(dimension);
  for (std::size_t i = 0; i < dimension; ++i) {
    v[i] = centre[i] + noise * random.normal() / std::sqrt(static_cast<double>(dimension));
  }
  return unit(v);
}

Template make(std::string label, std::vector<float> vector) {
  Template t;
  t.label = std::move(label);
  t.vector = std::move(vector);
  return t;
}

std::vector<Template> crowd(std::size_t dimension, std::size_t subjects, std::size_t each) {
  std::vector<Template> batch;
  for (std::size_t n = 0; n < each; ++n) {
    for (std::size_t s = 0; s < subjects; ++s) {
      batch.push_back(make(fmt::format("subject {}", s), sample_of(dimension, s, n)));
    }
  }
  return batch;
}

// --- the simple way to the right answer ---

std::vector<StoredTemplate> everything(Gallery& gallery, RunContext& run,
                                       const Filter& filter = {}) {
  std::vector<StoredTemplate> all;
  gallery.scan(
      filter,
      [&](const StoredTemplate& t) {
        all.push_back(t);
        return true;
      },
      run);
  return all;
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

bool passes(const StoredTemplate& t, const Filter& filter, const std::string& without) {
  const auto in = [](const std::vector<std::string>& list, const std::string& text) {
    return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
  };
  if (!in(filter.labels, t.label) || !in(filter.cameras, t.camera)) return false;
  if (filter.tenant && *filter.tenant != t.tenant) return false;
  if ((filter.from_ms || filter.to_ms) && !t.time_ms) return false;
  if (filter.from_ms && *t.time_ms < *filter.from_ms) return false;
  if (filter.to_ms && *t.time_ms >= *filter.to_ms) return false;
  return without.empty() || t.camera != without;
}

struct Expected {
  struct Row {
    std::int64_t id;
    double score;
  };
  std::vector<Row> templates;
  std::map<std::pair<std::string, std::string>, double> subjects;  ///< tenant, label
};

/// By the definitions, from what `scan` gives.
Expected expected(const std::vector<StoredTemplate>& all, std::span<const float> probe,
                  const SearchRequest& request, const std::string& without = {}) {
  std::vector<std::pair<const StoredTemplate*, double>> scored;
  for (const StoredTemplate& t : all) {
    if (passes(t, request.filter, without)) scored.emplace_back(&t, dot(t.vector, probe));
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  Expected out;
  for (std::size_t i = 0; i < std::min(request.k, scored.size()); ++i) {
    out.templates.push_back({scored[i].first->id, scored[i].second});
    out.subjects[{scored[i].first->tenant, scored[i].first->label}] = 0;
  }
  for (auto& [subject, score] : out.subjects) {
    const auto own = [&, &key = subject](const StoredTemplate& t) {
      return t.tenant == key.first && t.label == key.second;
    };
    if (request.rule == SubjectRule::centroid) {
      std::vector<double> sum(probe.size(), 0.0);
      for (const StoredTemplate& t : all) {
        for (std::size_t i = 0; own(t) && i < sum.size(); ++i) sum[i] += t.vector[i];
      }
      score = dot(unit(sum), probe);
      continue;
    }
    const std::size_t most = request.rule == SubjectRule::maximum ? 1 : 3;
    std::size_t count = 0;
    for (const auto& [t, s] : scored) {
      if (!own(*t) || count == most) continue;
      score += s;
      ++count;
    }
    score /= static_cast<double>(count);
  }
  return out;
}

/// Scores may differ in their last bits, and rows whose scores differ by no more may change places.
constexpr double kSame = 2e-6;

void expect_same(const SearchResult& got, const Expected& want) {
  ASSERT_EQ(got.templates.size(), want.templates.size());
  std::set<std::int64_t> ids;
  for (const auto& row : want.templates) ids.insert(row.id);
  for (std::size_t i = 0; i < got.templates.size(); ++i) {
    EXPECT_NEAR(got.templates[i].score, want.templates[i].score, kSame) << i;
    if (got.templates[i].template_id != want.templates[i].id) {
      // Changed places within the list, or with an equal one beyond its end.
      EXPECT_TRUE(ids.contains(got.templates[i].template_id) ||
                  std::abs(got.templates[i].score - want.templates.back().score) <= kSame)
          << "place " << i << " holds template " << got.templates[i].template_id << " instead of "
          << want.templates[i].id;
    }
  }
  ASSERT_EQ(got.subjects.size(), want.subjects.size());
  for (std::size_t i = 0; i < got.subjects.size(); ++i) {
    const auto& subject = got.subjects[i];
    const auto at = want.subjects.find({subject.tenant, subject.label});
    ASSERT_NE(at, want.subjects.end()) << subject.label;
    EXPECT_NEAR(subject.score, at->second, kSame) << subject.label;
    if (i > 0) {
      EXPECT_GE(got.subjects[i - 1].score, subject.score);
    }
  }
}

std::vector<float> concat(const std::vector<std::vector<float>>& rows) {
  std::vector<float> out;
  for (const auto& row : rows) out.insert(out.end(), row.begin(), row.end());
  return out;
}

// --- the tests ---

TEST_P(GalleryConformance, AnEmptyGalleryAnswersAndRefusesBadRequests) {
  auto gallery = create({.dimension = 8, .model = "m"});
  const GalleryInfo info = gallery->info();
  EXPECT_EQ(info.engine, engine().name());
  EXPECT_EQ(info.dimension, 8u);
  EXPECT_EQ(info.templates, 0u);
  EXPECT_EQ(info.subjects, 0u);
  EXPECT_EQ(info.model, "m");
  EXPECT_EQ(info.max_templates, 16u);
  EXPECT_FALSE(info.id.empty());
  const std::vector<float> probe = random_unit(8, "probe", 0);
  const SearchAnswer answer = gallery->search({.probes = probe}, run_);
  ASSERT_EQ(answer.results.size(), 1u);
  EXPECT_TRUE(answer.results[0].templates.empty());
  EXPECT_TRUE(answer.results[0].subjects.empty());
  EXPECT_EQ(answer.subjects_searched, 0u);
  EXPECT_TRUE(gallery->search({}, run_).results.empty());
  EXPECT_TRUE(everything(*gallery, run_).empty());
  EXPECT_EQ(gallery->calibration(), std::nullopt);
  EXPECT_TRUE(gallery->verify(run_).empty());

  std::vector<float> bad = probe;
  const auto code = [&](const SearchRequest& request) {
    return error_of([&] { gallery->search(request, run_); }).code();
  };
  EXPECT_EQ(code({.probes = probe, .k = 0}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({.probes = std::span(probe).first(7)}), ErrorCode::invalid_argument);
  bad[3] = std::nanf("");
  EXPECT_EQ(code({.probes = bad}), ErrorCode::invalid_argument);
  bad.assign(8, 0.0f);
  EXPECT_EQ(code({.probes = bad}), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { gallery->forget("nobody", "", run_); }).code(), ErrorCode::not_found);
}

TEST_P(GalleryConformance, WhatWasEnrolledComesBack) {
  auto gallery = create({.dimension = 8, .type = StoredType::f32});
  std::vector<Template> batch;
  Template full = make("caf\xc3\xa9 \"x\" \\ 'y'", {3, 0, 0, 0, 0, 0, 0, 4});
  full.quality = 0.25;
  full.time_ms = -5;
  full.camera = "door \"7\"";
  full.tenant = "bank";
  full.origin = "/photos/a b.jpg";
  full.metadata = Value::object({{"age", 41}, {"note", "\xe2\x80\xa8 \\n \" end"}});
  batch.push_back(full);
  batch.push_back(make("plain", random_unit(8, "plain", 1)));
  const AddReport report = gallery->add(batch, "model-a", run_);
  EXPECT_EQ(report.enrolled, 2u);
  EXPECT_EQ(report.new_subjects, 2u);
  EXPECT_EQ(report.dropped, 0u);
  EXPECT_TRUE(report.skipped.empty());
  const auto all = everything(*gallery, run_);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, 0);
  EXPECT_EQ(all[1].id, 1);
  EXPECT_EQ(all[0].label, full.label);
  EXPECT_EQ(all[0].quality, full.quality);
  EXPECT_EQ(all[0].time_ms, full.time_ms);
  EXPECT_EQ(all[0].camera, full.camera);
  EXPECT_EQ(all[0].tenant, full.tenant);
  EXPECT_EQ(all[0].origin, full.origin);
  EXPECT_EQ(all[0].metadata, full.metadata);
  EXPECT_FLOAT_EQ(all[0].vector[0], 0.6f);
  EXPECT_FLOAT_EQ(all[0].vector[7], 0.8f);
  EXPECT_EQ(all[1].quality, std::nullopt);
  EXPECT_EQ(all[1].time_ms, std::nullopt);
  EXPECT_TRUE(all[1].metadata.is_null());
  EXPECT_EQ(all[1].vector, batch[1].vector);
  EXPECT_EQ(gallery->info().model, "model-a");
  EXPECT_EQ(gallery->info().templates, 2u);
  EXPECT_TRUE(gallery->verify(run_).empty());
}

TEST_P(GalleryConformance, BadRowsAreReportedAndTheOthersTaken) {
  auto gallery = create({.dimension = 4});
  std::vector<Template> batch;
  for (int i = 0; i < 9; ++i) batch.push_back(make("s", random_unit(4, "row", i)));
  batch[1].vector[2] = std::nanf("");
  batch[2].vector = {0, 0, 0, 0};
  batch[3].vector.push_back(1);
  batch[4].label = "";
  batch[5].label = "two\nlines";
  batch[6].label = std::string(1 << 20, 'a');
  batch[7].quality = 1.5;
  const AddReport report = gallery->add(batch, "", run_);
  EXPECT_EQ(report.enrolled, 2u);
  ASSERT_EQ(report.skipped.size(), 7u);
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(report.skipped[i].row, i + 1);
    EXPECT_FALSE(report.skipped[i].reason.empty());
  }
  const auto all = everything(*gallery, run_);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, 0);
  EXPECT_EQ(all[1].id, 8);
}

TEST_P(GalleryConformance, OtherModelsAreRefused) {
  auto gallery = create({.dimension = 4});
  gallery->add(std::vector{make("a", random_unit(4, "r", 0))}, "model-1", run_);
  const Error error = error_of(
      [&] { gallery->add(std::vector{make("b", random_unit(4, "r", 1))}, "model-2", run_); });
  EXPECT_EQ(error.code(), ErrorCode::conflict);
  EXPECT_NE(error.hint().find("face migrate"), std::string::npos) << error.hint();
  EXPECT_EQ(gallery->info().templates, 1u);
  gallery->add(std::vector{make("b", random_unit(4, "r", 1))}, "model-1", run_);
  EXPECT_EQ(gallery->info().templates, 2u);
}

TEST_P(GalleryConformance, TenThousandAreSearchedAsByDefinition) {
  const std::size_t d = engine().dimension();
  for (const StoredType type : {StoredType::f16, StoredType::f32}) {
    const std::size_t subjects = type == StoredType::f16 ? 1000 : 50;
    auto gallery = create({.dimension = d, .type = type});
    const auto batch = crowd(d, subjects, 10);
    for (std::size_t first = 0; first < batch.size(); first += 5000) {
      gallery->add(std::span(batch).subspan(first, std::min<std::size_t>(5000, batch.size())), "",
                   run_);
    }
    EXPECT_EQ(gallery->info().templates, batch.size());
    EXPECT_EQ(gallery->info().subjects, subjects);
    const auto all = everything(*gallery, run_);
    ASSERT_EQ(all.size(), batch.size());
    std::vector<std::vector<float>> probes;
    for (std::size_t i = 0; i < 12; ++i) {
      probes.push_back(i % 3 == 0 ? random_unit(d, "probe", i)
                                  : sample_of(d, i * 37 % subjects, 500));
    }
    const std::vector<float> rows = concat(probes);
    for (const SubjectRule rule :
         {SubjectRule::mean_top3, SubjectRule::maximum, SubjectRule::centroid}) {
      SCOPED_TRACE(static_cast<int>(rule));
      const SearchRequest request{.probes = rows, .k = 10, .rule = rule, .mode = SearchMode::exact};
      const SearchAnswer answer = gallery->search(request, run_);
      EXPECT_EQ(answer.used, SearchMode::exact);
      EXPECT_EQ(answer.subjects_searched, subjects);
      ASSERT_EQ(answer.results.size(), probes.size());
      for (std::size_t i = 0; i < probes.size(); ++i) {
        SCOPED_TRACE(i);
        expect_same(answer.results[i], expected(all, probes[i], request));
      }
    }
    // k beyond what a subject and a page hold.
    const SearchRequest wide{.probes = probes[1], .k = 400, .mode = SearchMode::exact};
    expect_same(gallery->search(wide, run_).results[0], expected(all, probes[1], wide));
    EXPECT_TRUE(gallery->verify(run_).empty());
  }
}

TEST_P(GalleryConformance, TheIndexReachesTheRecallAndGoesAgain) {
  const std::size_t d = engine().dimension();
  auto gallery = create({.dimension = d});
  gallery->add(crowd(d, 400, 10), "", run_);
  const auto all = everything(*gallery, run_);
  const Gallery::Compacted report = gallery->compact(Gallery::IndexChoice::graph, 0.99, run_);
  EXPECT_NE(report.index, "none");
  EXPECT_GE(report.recall, 0.99);
  EXPECT_GT(report.recall_probes, 50u);
  EXPECT_NE(gallery->info().index, "none");
  std::vector<std::vector<float>> probes;
  for (std::size_t i = 0; i < 100; ++i) probes.push_back(sample_of(d, i * 4, 600));
  const std::vector<float> rows = concat(probes);
  const SearchRequest request{
      .probes = rows, .k = 10, .mode = SearchMode::approximate, .recall = 0.99};
  const SearchAnswer answer = gallery->search(request, run_);
  EXPECT_EQ(answer.used, SearchMode::approximate);
  EXPECT_FALSE(answer.note.empty());
  std::size_t hits = 0;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const Expected want = expected(all, probes[i], request);
    for (const auto& row : want.templates) {
      hits += std::any_of(answer.results[i].templates.begin(), answer.results[i].templates.end(),
                          [&](const Match& m) { return m.template_id == row.id; });
    }
  }
  // Observed: 1.000 (file), 0.999 (milvus).
  EXPECT_GE(static_cast<double>(hits) / 1000, 0.99);
  if (!engine().exact_beside_graph()) {
    EXPECT_EQ(error_of([&] {
                gallery->search({.probes = probes[0], .mode = SearchMode::exact}, run_);
              }).code(),
              ErrorCode::unsupported);
  }
  gallery->compact(Gallery::IndexChoice::none, 0.99, run_);
  EXPECT_EQ(gallery->info().index, "none");
  const SearchRequest exact{.probes = probes[3], .k = 10, .mode = SearchMode::exact};
  expect_same(gallery->search(exact, run_).results[0], expected(all, probes[3], exact));
}

/// Templates of all tenants, cameras and times, some without.
std::vector<Template> varied(std::size_t dimension) {
  std::vector<Template> batch;
  const std::vector<std::string> cameras = {"", "north", "it's \"south\"", "\xe8\xa5\xbf\\"};
  for (std::size_t i = 0; i < 240; ++i) {
    Template t = make(fmt::format("s{}\"\\ '", i % 20), sample_of(dimension, i % 20, i));
    t.tenant = i % 3 == 0 ? "" : (i % 3 == 1 ? "bank" : "\"; id >= 0 || \"");
    t.camera = cameras[(i / 20) % cameras.size()];
    if (i % 5 != 0) t.time_ms = static_cast<std::int64_t>(i) * 1000 - 50'000;
    batch.push_back(std::move(t));
  }
  return batch;
}

TEST_P(GalleryConformance, FiltersLetThroughWhatTheySay) {
  constexpr std::size_t d = 16;
  auto gallery = create({.dimension = d});
  gallery->add(varied(d), "", run_);
  const auto all = everything(*gallery, run_);
  const std::vector<float> probe = sample_of(d, 3, 999);
  std::vector<Filter> filters = {
      {.labels = {"s3\"\\ '", "s4\"\\ '", "nobody"}},
      {.cameras = {"north", "\xe8\xa5\xbf\\"}},
      {.cameras = {"it's \"south\"", ""}},
      {.from_ms = 0},
      {.to_ms = 0},
      {.from_ms = -10'000, .to_ms = 100'000},
      {.from_ms = INT64_MIN},
      {.to_ms = INT64_MAX},
      {.tenant = ""},
      {.tenant = "bank"},
      {.tenant = "\"; id >= 0 || \""},
      {.labels = {"s3\"\\ '"}, .cameras = {"north"}, .from_ms = -40'000, .tenant = ""},
      {.labels = {"x\" || id >= 0 || label == \""}},
      {.from_ms = 10, .to_ms = 10},
  };
  for (std::size_t f = 0; f < filters.size(); ++f) {
    SCOPED_TRACE(f);
    const SearchRequest request{.probes = probe, .k = 30, .filter = filters[f]};
    const SearchAnswer answer = gallery->search(request, run_);
    expect_same(answer.results.at(0), expected(all, probe, request));
    std::set<std::pair<std::string, std::string>> subjects;
    std::vector<std::int64_t> ids;
    for (const StoredTemplate& t : all) {
      if (!passes(t, filters[f], "")) continue;
      subjects.emplace(t.tenant, t.label);
      ids.push_back(t.id);
    }
    EXPECT_EQ(answer.subjects_searched, subjects.size());
    std::vector<std::int64_t> scanned;
    for (const StoredTemplate& t : everything(*gallery, run_, filters[f])) {
      scanned.push_back(t.id);
    }
    EXPECT_EQ(scanned, ids);
  }
}

TEST_P(GalleryConformance, ACameraIsLeftOutForEachProbe) {
  constexpr std::size_t d = 16;
  auto gallery = create({.dimension = d});
  gallery->add(varied(d), "", run_);
  const auto all = everything(*gallery, run_);
  const std::vector<std::string> without = {"north", "", "nowhere", "it's \"south\"", "north"};
  std::vector<std::vector<float>> probes;
  for (std::size_t i = 0; i < without.size(); ++i) probes.push_back(sample_of(d, i, 998));
  const std::vector<float> rows = concat(probes);
  const SearchRequest request{.probes = rows, .k = 12, .exclude_cameras = without};
  const SearchAnswer answer = gallery->search(request, run_);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    SCOPED_TRACE(i);
    expect_same(answer.results.at(i), expected(all, probes[i], request, without[i]));
  }
}

TEST_P(GalleryConformance, EqualScoresKeepTheOrderOfEnrolment) {
  auto gallery = create({.dimension = 4});
  std::vector<Template> batch;
  for (int i = 0; i < 12; ++i) batch.push_back(make(fmt::format("s{}", i), {1, 0, 0, 0}));
  gallery->add(batch, "", run_);
  const std::vector<float> probe = {2, 0, 0, 0};
  const SearchAnswer answer = gallery->search({.probes = probe, .k = 5}, run_);
  ASSERT_EQ(answer.results[0].templates.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(answer.results[0].templates[i].template_id, i);
  const SearchAnswer more = gallery->search({.probes = probe, .k = 20'000}, run_);
  ASSERT_EQ(more.results[0].templates.size(), 12u);
  EXPECT_EQ(more.results[0].templates[11].template_id, 11);
  EXPECT_EQ(more.results[0].subjects[3].label, "s3");
}

TEST_P(GalleryConformance, ASubjectKeepsItsFarthestTemplatesAndTheCentroidOfAll) {
  constexpr std::size_t d = 8;
  auto gallery =
      create({.dimension = d, .type = StoredType::f32, .max_templates = 3, .min_quality = 0.3});
  std::vector<double> sum(d, 0.0);
  const auto enrol = [&](std::vector<float> vector, double quality) {
    for (std::size_t i = 0; i < d; ++i) sum[i] += vector[i];
    Template t = make("a", std::move(vector));
    t.quality = quality;
    return gallery->add(std::vector{t}, "", run_);
  };
  // Poor ones: the best of them stays alone until a good one comes.
  EXPECT_EQ(enrol(sample_of(d, 1, 0), 0.1).enrolled, 1u);
  EXPECT_EQ(enrol(sample_of(d, 1, 1), 0.2).dropped, 1u);
  auto all = everything(*gallery, run_);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, 1);
  EXPECT_EQ(enrol(sample_of(d, 1, 2), 0.9).dropped, 1u);
  all = everything(*gallery, run_);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, 2);
  // Good ones: the first, the one farthest from it, and the one farthest from both stay.
  std::vector<float> near = all[0].vector, far(d, 0.0f), side(d, 0.0f);
  for (std::size_t i = 0; i < d; ++i) far[i] = -near[i];
  near[0] += 0.01f;
  side[0] = near[1];
  side[1] = -near[0];
  enrol(unit({near.begin(), near.end()}), 0.8);
  enrol(unit({far.begin(), far.end()}), 0.8);
  const AddReport last = enrol(unit({side.begin(), side.end()}), 0.8);
  EXPECT_EQ(last.enrolled, 1u);
  EXPECT_EQ(last.dropped, 1u);
  std::vector<std::int64_t> ids;
  for (const StoredTemplate& t : everything(*gallery, run_)) ids.push_back(t.id);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{2, 4, 5}));
  EXPECT_EQ(gallery->info().templates, 3u);
  const std::vector<float> probe = sample_of(d, 1, 77);
  const SearchAnswer answer =
      gallery->search({.probes = probe, .k = 1, .rule = SubjectRule::centroid}, run_);
  EXPECT_NEAR(answer.results[0].subjects.at(0).score, dot(unit(sum), probe), 1e-5);
  EXPECT_TRUE(gallery->verify(run_).empty());
}

TEST_P(GalleryConformance, ABatchMayHoldMoreOfASubjectThanIsKept) {
  constexpr std::size_t d = 8;
  auto gallery = create({.dimension = d, .max_templates = 4});
  std::vector<Template> batch;
  for (std::uint64_t i = 0; i < 30; ++i) {
    batch.push_back(make(i % 2 == 0 ? "a" : "b", sample_of(d, i % 2, i)));
  }
  const AddReport report = gallery->add(batch, "", run_);
  EXPECT_EQ(report.enrolled, 8u);
  EXPECT_EQ(report.dropped, 22u);
  EXPECT_EQ(report.new_subjects, 2u);
  EXPECT_EQ(gallery->add(std::vector{make("c", sample_of(d, 5, 0))}, "", run_).new_subjects, 1u);
  const auto all = everything(*gallery, run_);
  ASSERT_EQ(all.size(), 9u);
  EXPECT_EQ(all.back().id, 30);  // given up ones have had their numbers
}

TEST_P(GalleryConformance, WhatIsForgottenIsNotFoundFromThenOn) {
  const std::size_t d = 16;
  auto gallery = create({.dimension = d});
  gallery->add(crowd(d, 40, 3), "", run_);
  auto reader = reopen(Access::read);
  for (std::size_t s = 0; s < 20; ++s) {
    const std::string label = fmt::format("subject {}", s);
    const ForgetReport report = gallery->forget(label, "", run_);
    EXPECT_EQ(report.templates, 3u);
    const std::vector<float> probe = sample_of(d, s, 1);
    for (Gallery* each : {gallery.get(), reader.get()}) {
      const SearchAnswer answer = each->search({.probes = probe, .k = 200}, run_);
      EXPECT_EQ(answer.subjects_searched, 39 - s);
      EXPECT_EQ(answer.results[0].templates.size(), 3 * (39 - s));
      for (const Match& match : answer.results[0].templates) EXPECT_NE(match.label, label);
    }
  }
  EXPECT_EQ(gallery->info().subjects, 20u);
  EXPECT_EQ(gallery->info().templates, 60u);
  EXPECT_EQ(everything(*reader, run_).size(), 60u);
  const Error error = error_of([&] { gallery->forget("subject 2O", "", run_); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_NE(error.hint().find("subject 2"), std::string::npos) << error.hint();
  EXPECT_EQ(error_of([&] { gallery->forget("subject 30", "elsewhere", run_); }).code(),
            ErrorCode::not_found);
  // Enrolled anew it is another subject, with new numbers.
  EXPECT_EQ(gallery->add(std::vector{make("subject 0", sample_of(d, 0, 9))}, "", run_).new_subjects,
            1u);
  EXPECT_EQ(everything(*gallery, run_).back().id, 120);
  EXPECT_TRUE(gallery->verify(run_).empty());
}

TEST_P(GalleryConformance, OldTemplatesAreForgottenByAge) {
  constexpr std::size_t d = 8;
  auto gallery = create({.dimension = d, .type = StoredType::f32});
  std::vector<Template> batch;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Template t = make(i < 2 ? "old" : "mixed", sample_of(d, i < 2 ? 0 : 1, i));
    t.time_ms = static_cast<std::int64_t>(i) * 100;
    batch.push_back(std::move(t));
  }
  batch.push_back(make("timeless", sample_of(d, 2, 0)));  // counts by its enrolment: now
  gallery->add(batch, "", run_);
  EXPECT_EQ(gallery->forget_before(-1000, run_).templates, 0u);
  EXPECT_EQ(gallery->forget_before(500, run_).templates, 5u);
  const auto all = everything(*gallery, run_);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].id, 5);
  EXPECT_EQ(gallery->info().subjects, 2u);
  const std::vector<float> probe = sample_of(d, 1, 50);
  const SearchRequest request{.probes = probe, .k = 4, .rule = SubjectRule::centroid};
  expect_same(gallery->search(request, run_).results[0], expected(all, probe, request));
  EXPECT_TRUE(gallery->verify(run_).empty());
}

TEST_P(GalleryConformance, ASecondWriterIsToldWhoWrites) {
  auto gallery = create({.dimension = 4}, "first-verb");
  const Error error = error_of([&] { reopen(Access::write, "second"); });
  EXPECT_EQ(error.code(), ErrorCode::conflict);
  EXPECT_NE(error.render().find("first-verb"), std::string::npos) << error.render();
  auto reader = reopen(Access::read);  // is not in the way
  EXPECT_EQ(reader->info().templates, 0u);
  EXPECT_EQ(error_of([&] { reader->add(std::vector{make("a", {1, 0, 0, 0})}, "", run_); }).code(),
            ErrorCode::invalid_argument);
  gallery.reset();
  reopen(Access::write, "second")->add(std::vector{make("a", {1, 0, 0, 0})}, "", run_);
  EXPECT_EQ(reader->info().templates, 1u);
}

TEST_P(GalleryConformance, ConcurrentWritersLoseNothing) {
  constexpr std::size_t d = 8;
  create({.dimension = d}).reset();
  constexpr int kWriters = 4, kBatches = 3, kRows = 5;
  std::atomic<int> conflicts{0};
  std::atomic<int> others{0};
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      RunContext run;
      for (int b = 0; b < kBatches;) {
        try {
          auto gallery = engine().open(place_, {.access = Access::write, .who = "writer"});
          std::vector<Template> batch;
          for (int r = 0; r < kRows; ++r) {
            // All of them also add to one subject.
            batch.push_back(make(r == 0 ? "common" : fmt::format("w{} b{}", w, b),
                                 sample_of(d, static_cast<std::uint64_t>(w * 100 + b),
                                           static_cast<std::uint64_t>(r))));
          }
          gallery->add(batch, "", run);
          ++b;
        } catch (const Error& error) {
          if (error.code() == ErrorCode::conflict) {
            ++conflicts;
          } else if (++others > 3) {
            ADD_FAILURE() << error.render();
            return;
          }
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(others, 0);
  auto gallery = reopen();
  std::set<std::int64_t> ids;
  std::map<std::string, int> labels;
  for (const StoredTemplate& t : everything(*gallery, run_)) {
    ids.insert(t.id);
    ++labels[t.label];
  }
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kWriters * kBatches * kRows));
  EXPECT_EQ(*ids.rbegin(), kWriters * kBatches * kRows - 1);
  EXPECT_EQ(labels["common"], kWriters * kBatches);
  EXPECT_EQ(labels.size(), static_cast<std::size_t>(kWriters * kBatches + 1));
  EXPECT_TRUE(gallery->verify(run_).empty());
  RecordProperty("conflicts", conflicts.load());
}

TEST_P(GalleryConformance, ReadersSeeWholeBatches) {
  constexpr std::size_t d = 8;
  auto gallery = create({.dimension = d, .max_templates = 4});
  std::atomic<bool> done{false};
  std::atomic<int> looks{0};
  std::thread reader_thread([&] {
    RunContext run;
    auto reader = engine().open(place_, {.access = Access::read});
    std::uint64_t last = 0;
    while (!done) {
      // Each batch gives four templates to a subject of its own and replaces one of "moving".
      const GalleryInfo info = reader->info();
      EXPECT_EQ(info.templates % 4, 0u);
      EXPECT_GE(info.generation, last);
      last = info.generation;
      const std::vector<float> probe = sample_of(d, 1, 1);
      const SearchAnswer answer = reader->search({.probes = probe, .k = 500}, run);
      std::map<std::string, int> counts;
      for (const Match& match : answer.results[0].templates) ++counts[match.label];
      for (const auto& [label, count] : counts) EXPECT_EQ(count, 4) << label;
      EXPECT_EQ(answer.subjects_searched, counts.size());
      ++looks;
    }
  });
  for (std::uint64_t b = 0; b < 6; ++b) {
    std::vector<Template> batch;
    for (std::uint64_t i = 0; i < 4; ++i) {
      batch.push_back(make(fmt::format("b{}", b), sample_of(d, 10 + b, i)));
      if (b == 0 || i == 0) batch.push_back(make("moving", sample_of(d, 99, b * 4 + i, 3.0)));
    }
    gallery->add(batch, "", run_);
  }
  done = true;
  reader_thread.join();
  EXPECT_GT(looks, 0);
  EXPECT_EQ(gallery->info().templates, 28u);
  EXPECT_TRUE(gallery->verify(run_).empty());
}

TEST_P(GalleryConformance, AGalleryIsTheSameAfterItIsOpenedAgain) {
  constexpr std::size_t d = 16;
  Calibration calibration;
  calibration.set = "a set";
  calibration.a = -12.5;
  calibration.b = 3.25;
  calibration.genuine = 100;
  calibration.impostor = 20'000;
  calibration.subjects = 50;
  for (int i = 0; i < 20'000; ++i) calibration.impostor_tail.push_back(0.9 - i * 1e-5 / 3);
  calibration.genuine_quantiles = {0.1, 0.5, 0.9};
  auto gallery = create({.dimension = d, .calibration = calibration});
  gallery->add(varied(d), "m", run_);
  gallery->forget("s7\"\\ '", "bank", run_);
  const std::vector<float> probe = sample_of(d, 3, 999);
  const SearchRequest request{.probes = probe, .k = 20};
  const SearchAnswer before = gallery->search(request, run_);
  const GalleryInfo was = gallery->info();
  ASSERT_TRUE(gallery->calibration().has_value());
  EXPECT_EQ(to_value(*gallery->calibration()), to_value(calibration));
  calibration.set = "another set";
  gallery->set_calibration(calibration, run_);
  const auto audit_before = gallery->audit();
  gallery.reset();

  gallery = reopen();
  const GalleryInfo is = gallery->info();
  EXPECT_EQ(is.id, was.id);
  EXPECT_EQ(is.templates, was.templates);
  EXPECT_EQ(is.subjects, was.subjects);
  EXPECT_EQ(is.model, "m");
  EXPECT_GT(is.generation, was.generation);
  EXPECT_EQ(gallery->calibration()->set, "another set");
  const SearchAnswer after = gallery->search(request, run_);
  ASSERT_EQ(after.results[0].templates.size(), before.results[0].templates.size());
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(after.results[0].templates[i].template_id,
              before.results[0].templates[i].template_id);
    EXPECT_FLOAT_EQ(after.results[0].templates[i].score, before.results[0].templates[i].score);
  }
  const auto audit = gallery->audit();
  ASSERT_EQ(audit.size(), audit_before.size());
  // create, one entry for each subject that was given something, forget, calibrate
  ASSERT_EQ(audit.size(), 1u + 60u + 1u + 1u);
  EXPECT_EQ(audit[0].subject, "");
  std::set<std::string> hashes;
  for (std::size_t i = 1; i <= 60; ++i) {
    EXPECT_EQ(audit[i].subject.size(), 64u);
    hashes.insert(audit[i].subject);
  }
  EXPECT_EQ(hashes.size(), 60u);
  EXPECT_TRUE(hashes.contains(audit[61].subject)) << "the one that was forgotten";
  EXPECT_GT(audit[61].time_ms, 1'600'000'000'000);
  EXPECT_EQ(gallery->add(std::vector{make("new", sample_of(d, 70, 0))}, "m", run_).enrolled, 1u);
  EXPECT_EQ(everything(*gallery, run_).back().id, 240);
}

TEST_P(GalleryConformance, AnExistingGalleryIsOverwrittenOnlyOnRequest) {
  auto gallery = create({.dimension = 4});
  gallery->add(std::vector{make("a", {1, 0, 0, 0})}, "", run_);
  const std::string id = gallery->info().id;
  gallery.reset();
  const OpenOptions open{.access = Access::write};
  EXPECT_EQ(error_of([&] { engine().create(place_, {.dimension = 4}, open); }).code(),
            ErrorCode::conflict);
  gallery = engine().create(place_, {.dimension = 5, .replace = true}, open);
  EXPECT_NE(gallery->info().id, id);
  EXPECT_EQ(gallery->info().dimension, 5u);
  EXPECT_EQ(gallery->info().templates, 0u);
  EXPECT_EQ(error_of([&] { engine().open(engine().fresh_place(), {}); }).code(),
            ErrorCode::not_found);
}

TEST_P(GalleryConformance, CancellingLeavesTheGalleryAsItWas) {
  constexpr std::size_t d = 8;
  auto gallery = create({.dimension = d});
  gallery->add(crowd(d, 5, 2), "", run_);
  auto token = std::make_shared<CancelToken>();
  token->cancel();
  RunContext cancelled({.cancel = token});
  const auto code = [&](const std::function<void()>& action) { return error_of(action).code(); };
  EXPECT_EQ(code([&] { gallery->add(crowd(d, 5, 1), "", cancelled); }), ErrorCode::cancelled);
  EXPECT_EQ(code([&] { gallery->forget("subject 1", "", cancelled); }), ErrorCode::cancelled);
  EXPECT_EQ(gallery->info().templates, 10u);
  EXPECT_EQ(gallery->add(crowd(d, 5, 1), "", run_).enrolled, 5u);
  EXPECT_EQ(gallery->info().templates, 15u);
  EXPECT_TRUE(gallery->verify(run_).empty());
}

}  // namespace
}  // namespace sosia::gallery
