// The local gallery: making and opening, enrolment, search against a naive one, refusals.

#include "gallery/selection.hpp"
#include "sosia/formats/array.hpp"
#include "store_support.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sosia::gallery {
namespace {

using namespace test;

// --- making and opening ---

TEST(Store, AnEmptyGalleryAnswersWithNothing) {
  const Place place;
  const auto gallery = place.read();
  const GalleryInfo info = gallery->info();
  EXPECT_EQ(info.templates, 0u);
  EXPECT_EQ(info.subjects, 0u);
  EXPECT_EQ(info.dimension, 64u);
  EXPECT_EQ(info.engine, "file");
  const auto answer = search(*gallery, random_vector(64, 1));
  ASSERT_EQ(answer.results.size(), 1u);
  EXPECT_TRUE(answer.results[0].templates.empty());
  EXPECT_TRUE(answer.results[0].subjects.empty());
  EXPECT_EQ(answer.subjects_searched, 0u);
  RunContext run;
  EXPECT_TRUE(gallery->verify(run).empty());
}

TEST(Store, CreateRefusesWhatExistsUnlessItReplaces) {
  const Place place;
  CreateOptions options;
  options.dimension = 8;
  const auto again = [&] { create_gallery(place.path(), options, {.access = Access::write}); };
  EXPECT_EQ(error_of(again), ErrorCode::conflict);
  options.replace = true;
  again();
  EXPECT_EQ(place.read()->info().dimension, 8u);
}

TEST(Store, AReplacedGalleryIsNotAnsweredFromTheOldOne) {
  const Place place;
  RunContext run;
  place.write()->add(make_templates(8, 64), "", run);
  const auto reader = place.read();
  search(*reader, random_vector(64, 1));
  CreateOptions options;
  options.dimension = 64;
  options.replace = true;
  create_gallery(place.path(), options, {.access = Access::write});
  EXPECT_EQ(error_of([&] { search(*reader, random_vector(64, 1)); }), ErrorCode::conflict);
}

TEST(Store, RefusesWhatIsNoGallery) {
  const TemporaryFolder folder;
  const auto open = [&](const std::string& name) {
    return error_of([&] { open_gallery((folder.path() / name).string(), {}); });
  };
  EXPECT_EQ(open("absent"), ErrorCode::not_found);
  write_file(folder.path() / "text", std::string(5000, 'x'));
  EXPECT_EQ(open("text"), ErrorCode::corrupt_data);
  write_file(folder.path() / "empty", "");
  EXPECT_EQ(open("empty"), ErrorCode::corrupt_data);
  std::filesystem::create_directory(folder.path() / "folder");
  EXPECT_EQ(open("folder"), ErrorCode::corrupt_data);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder.path() / "other").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE t(x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ(open("other"), ErrorCode::corrupt_data);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "other.lock"));
}

TEST(Store, RefusesTruncatedAndNewerFiles) {
  const Place place;
  RunContext run;
  place.write()->add(make_templates(200, 64), "", run);
  const std::string whole = file_text(place.path());
  const std::string copy = (place.folder() / "copy").string();
  for (const std::size_t size :
       {std::size_t{100}, std::size_t{16384}, whole.size() / 2, whole.size() - 1}) {
    write_file(copy, whole.substr(0, size), Overwrite::replace);
    EXPECT_EQ(error_of([&] {
                const auto gallery = open_gallery(copy, {});
                search(*gallery, random_vector(64, 1));
              }),
              ErrorCode::corrupt_data)
        << size;
  }
  write_file(copy, whole, Overwrite::replace);
  sqlite3* file = nullptr;
  ASSERT_EQ(sqlite3_open(copy.c_str(), &file), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(file, "PRAGMA user_version=2", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(file);
  EXPECT_EQ(error_of([&] { open_gallery(copy, {}); }), ErrorCode::unsupported);
}

TEST(Store, ACopyOfTheOneFileIsTheGallery) {
  const Place place;
  RunContext run;
  {
    const auto gallery = place.write();
    gallery->add(make_templates(50, 64), "", run);
  }
  const std::string copy = (place.folder() / "copy").string();
  write_file(copy, file_text(place.path()));
  const auto probe = random_vector(64, 7);
  EXPECT_EQ(text_of(search(*place.read(), probe)), text_of(search(*open_gallery(copy, {}), probe)));
}

// --- one writer ---

TEST(Store, ASecondWriterIsToldWhoHoldsIt) {
  const Place place;
  const auto first = place.write();
  std::string message;
  EXPECT_EQ(error_of([&] { place.write(); }, &message), ErrorCode::conflict);
  EXPECT_NE(message.find("process " + std::to_string(::getpid())), std::string::npos) << message;
  EXPECT_NE(message.find("test"), std::string::npos) << message;
  EXPECT_NO_THROW(place.read()->info());
}

TEST(Store, TheLockGoesWithItsWriter) {
  const Place place;
  place.write();
  EXPECT_NO_THROW(place.write());
  EXPECT_FALSE(std::filesystem::exists(place.path() + ".lock"));
}

TEST(Store, AReaderCannotWrite) {
  const Place place;
  RunContext run;
  const auto gallery = place.read();
  EXPECT_EQ(error_of([&] { gallery->add(make_templates(1, 64), "", run); }),
            ErrorCode::invalid_argument);
}

// --- enrolment ---

TEST(Enrol, NumbersAreTheRowsOfANewGallery) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  auto batch = make_templates(10, 64);
  batch[3].vector[5] = NAN;
  const AddReport report = gallery->add(batch, "", run);
  EXPECT_EQ(report.enrolled, 9u);
  ASSERT_EQ(report.skipped.size(), 1u);
  EXPECT_EQ(report.skipped[0].row, 3u);
  EXPECT_EQ(report.new_subjects, 3u);
  std::vector<std::int64_t> ids;
  gallery->scan(
      {},
      [&](const StoredTemplate& t) {
        ids.push_back(t.id);
        return true;
      },
      run);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{0, 1, 2, 4, 5, 6, 7, 8, 9}));
  gallery->add(make_templates(1, 64, 10), "", run);
  EXPECT_EQ(search(*gallery, batch[9].vector, 1).results[0].templates[0].template_id, 9);
  EXPECT_EQ(search(*gallery, random_vector(64, 10), 1).results[0].templates[0].template_id, 10);
}

TEST(Enrol, RefusesBadRowsAndTakesTheOthers) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  auto batch = make_templates(12, 64);
  batch[0].vector[1] = INFINITY;
  batch[1].vector.assign(64, 0.0f);
  batch[2].vector.resize(63);
  batch[3].label = "two\nlines";
  batch[4].label = std::string(1 << 20, 'x');
  batch[5].label = "";
  batch[6].label = "\xff\xfe";
  batch[7].quality = 1.5;
  batch[8].metadata = Value("text");
  batch[9].metadata = Value::object({{"big", std::string(70000, 'x')}});
  batch[10].vector[0] = NAN;
  const AddReport report = gallery->add(batch, "", run);
  EXPECT_EQ(report.enrolled, 1u);
  ASSERT_EQ(report.skipped.size(), 11u);
  for (const auto& skipped : report.skipped) {
    EXPECT_FALSE(skipped.reason.empty());
    EXPECT_LT(skipped.reason.size(), 300u);
  }
  EXPECT_EQ(gallery->info().templates, 1u);
  EXPECT_TRUE(gallery->verify(run).empty());
}

TEST(Enrol, ScanGivesBackWhatWasGiven) {
  for (const StoredType type : {StoredType::f16, StoredType::f32}) {
    const Place place({.type = type});
    RunContext run;
    const auto gallery = place.write();
    auto batch = make_templates(20, 64);
    batch[3].tenant = "bank";
    batch[4].time_ms.reset();
    batch[5].quality.reset();
    batch[6].metadata = Value();
    gallery->add(batch, "", run);
    std::size_t i = 0;
    gallery->scan(
        {},
        [&](const StoredTemplate& t) {
          const Template& given = batch[i];
          EXPECT_EQ(t.id, static_cast<std::int64_t>(i));
          EXPECT_EQ(t.label, given.label);
          EXPECT_EQ(t.tenant, given.tenant);
          EXPECT_EQ(t.camera, given.camera);
          EXPECT_EQ(t.time_ms, given.time_ms);
          EXPECT_EQ(t.quality, given.quality);
          EXPECT_EQ(t.origin, given.origin);
          EXPECT_EQ(t.metadata, given.metadata);
          double norm = 0, dot = 0, length = 0;
          for (std::size_t j = 0; j < 64; ++j) {
            norm += static_cast<double>(t.vector[j]) * t.vector[j];
            dot += static_cast<double>(t.vector[j]) * given.vector[j];
            length += static_cast<double>(given.vector[j]) * given.vector[j];
          }
          const double slack = type == StoredType::f16 ? 1e-3 : 1e-6;
          EXPECT_NEAR(norm, 1, slack);
          EXPECT_NEAR(dot / std::sqrt(length), 1, slack);
          ++i;
          return true;
        },
        run);
    EXPECT_EQ(i, 20u);
  }
}

TEST(Enrol, RefusesAnotherModel) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(2, 64), "model-a", run);
  std::string message;
  EXPECT_EQ(error_of([&] { gallery->add(make_templates(1, 64, 2), "model-b", run); }, &message),
            ErrorCode::conflict);
  EXPECT_NE(message.find("face migrate"), std::string::npos);
  EXPECT_EQ(error_of([&] { gallery->add(make_templates(1, 64, 2), "", run); }),
            ErrorCode::conflict);
  gallery->add(make_templates(1, 64, 2), "model-a", run);
  EXPECT_EQ(gallery->info().model, "model-a");
  EXPECT_EQ(gallery->info().templates, 3u);
}

TEST(Enrol, AFailedBatchChangesNothing) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(4, 64), "", run);
  const auto before = gallery->info();
  const auto token = std::make_shared<CancelToken>();
  RunContext cancelled({.cancel = token});
  token->cancel();
  EXPECT_EQ(error_of([&] { gallery->add(make_templates(4, 64, 4), "", cancelled); }),
            ErrorCode::cancelled);
  EXPECT_EQ(gallery->info().generation, before.generation);
  EXPECT_EQ(gallery->info().templates, 4u);
}

// --- more templates than are kept ---

TEST(Selection, KeepsTheFarthest) {
  // Points on a circle: 0, 1, 90, 91, 180 degrees. The first is the best in quality.
  std::vector<std::vector<float>> points;
  for (const double degrees : {0.0, 1.0, 90.0, 91.0, 180.0}) {
    const double angle = degrees * 3.14159265358979 / 180;
    points.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
  }
  std::vector<Candidate> candidates;
  for (const auto& point : points) candidates.push_back({point, std::nullopt});
  candidates[1].quality = 0.9;
  EXPECT_EQ(choose_templates(candidates, 3, 0), (std::vector<std::size_t>{1, 2, 4}));
  EXPECT_EQ(choose_templates(candidates, 1, 0), (std::vector<std::size_t>{1}));
  EXPECT_EQ(choose_templates(candidates, 5, 0), (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(Selection, TheFloorLeavesOneOfThoseBelow) {
  const std::vector<float> point = {1, 0};
  std::vector<Candidate> candidates(4, {point, 0.1});
  candidates[2].quality = 0.3;
  EXPECT_EQ(choose_templates(candidates, 3, 0.5), (std::vector<std::size_t>{2}));
  candidates[3].quality = 0.6;
  EXPECT_EQ(choose_templates(candidates, 3, 0.5), (std::vector<std::size_t>{3}));
}

TEST(Enrol, KeepsAtMostEAndRemembersTheRestInTheCentroid) {
  const Place place({.type = StoredType::f32, .max_templates = 4});
  RunContext run;
  const auto gallery = place.write();
  std::vector<double> sum(64, 0.0);
  std::uint64_t dropped = 0;
  for (std::size_t i = 0; i < 12; i += 3) {
    auto batch = make_templates(3, 64, i, 100);
    for (const Template& t : batch) {
      double norm = 0;
      for (const float v : t.vector) norm += static_cast<double>(v) * v;
      for (std::size_t j = 0; j < 64; ++j) sum[j] += t.vector[j] / std::sqrt(norm);
    }
    const AddReport report = gallery->add(batch, "", run);
    dropped += report.dropped;
  }
  EXPECT_EQ(gallery->info().templates, 4u);
  EXPECT_EQ(gallery->info().subjects, 1u);
  EXPECT_EQ(dropped, 8u);
  const auto probe = random_vector(64, 99);
  double dot = 0, norm = 0, length = 0;
  for (std::size_t j = 0; j < 64; ++j) {
    dot += sum[j] * probe[j];
    norm += sum[j] * sum[j];
    length += static_cast<double>(probe[j]) * probe[j];
  }
  SearchRequest request;
  request.rule = SubjectRule::centroid;
  for (const bool from_cache : {false, true}) {
    const auto opened = from_cache ? place.read() : nullptr;
    Gallery& searched = from_cache ? *opened : *gallery;
    EXPECT_NEAR(search(searched, probe, 3, request).results[0].subjects[0].score,
                dot / std::sqrt(norm * length), 1e-5);
  }
  EXPECT_TRUE(gallery->verify(run).empty());
}

// --- search ---

struct Naive {
  std::int64_t id;
  std::string label;
  float score;
};

std::vector<Naive> naive_search(Gallery& gallery, std::span<const float> probe,
                                const Filter& filter, const std::string& excluded = {}) {
  RunContext run;
  double length = 0;
  for (const float v : probe) length += static_cast<double>(v) * v;
  std::vector<Naive> all;
  gallery.scan(
      filter,
      [&](const StoredTemplate& t) {
        double dot = 0;
        for (std::size_t i = 0; i < t.vector.size(); ++i) {
          dot += static_cast<double>(t.vector[i]) * probe[i];
        }
        if (excluded.empty() || t.camera != excluded) {
          all.push_back({t.id, t.label, static_cast<float>(dot / std::sqrt(length))});
        }
        return true;
      },
      run);
  std::sort(all.begin(), all.end(), [](const Naive& a, const Naive& b) {
    return a.score != b.score ? a.score > b.score : a.id < b.id;
  });
  return all;
}

void expect_as_naive(Gallery& gallery, std::span<const float> probe, std::size_t k,
                     const SearchRequest& request) {
  const std::string excluded =
      request.exclude_cameras.empty() ? std::string() : request.exclude_cameras[0];
  const auto naive = naive_search(gallery, probe, request.filter, excluded);
  const auto answer = search(gallery, probe, k, request);
  const auto& found = answer.results[0].templates;
  ASSERT_EQ(found.size(), std::min(k, naive.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].template_id, naive[i].id);
    EXPECT_NEAR(found[i].score, naive[i].score, 1e-5);
  }
  for (const SubjectMatch& subject : answer.results[0].subjects) {
    std::vector<double> scores;
    for (const Naive& n : naive) {
      if (n.label == subject.label) scores.push_back(n.score);
    }
    const std::size_t count =
        request.rule == SubjectRule::maximum ? 1 : std::min<std::size_t>(3, scores.size());
    const double mean =
        std::accumulate(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count), 0.0) /
        static_cast<double>(count);
    EXPECT_NEAR(subject.score, mean, 1e-5);
  }
}

TEST(Search, EqualsANaiveOneOverCacheAndTail) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(300, 64), "", run);
  search(*gallery, random_vector(64, 1));  // makes the cache
  gallery->add(make_templates(70, 64, 300), "", run);
  gallery->forget("subject-5", "", run);
  gallery->add(make_templates(5, 64, 370), "", run);
  gallery->add(make_templates(9, 64, 4), "", run);  // known subjects get more
  Filter cameras, times, labels;
  cameras.cameras = {"camera-1", "camera-9"};
  times.from_ms = 1'700'000'100'000;
  times.to_ms = 1'700'000'320'000;
  labels.labels = {"subject-3", "subject-80", "subject-90"};
  for (const auto& opened : {gallery.get()}) {
    for (std::size_t p = 0; p < 6; ++p) {
      const auto probe = random_vector(64, 1000 + p);
      for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{1000}}) {
        for (const SubjectRule rule : {SubjectRule::mean_top3, SubjectRule::maximum}) {
          SearchRequest request;
          request.rule = rule;
          expect_as_naive(*opened, probe, k, request);
          request.exclude_cameras = {"camera-2"};
          expect_as_naive(*opened, probe, k, request);
          request.mode = SearchMode::prefiltered;
          expect_as_naive(*opened, probe, k, request);
          for (const Filter& filter : {cameras, times, labels}) {
            request.filter = filter;
            expect_as_naive(*opened, probe, k, request);
          }
        }
      }
    }
  }
  // Another process sees the same.
  SearchRequest request;
  request.filter = times;
  const auto probe = random_vector(64, 2000);
  EXPECT_EQ(text_of(search(*place.read(), probe, 20, request)),
            text_of(search(*gallery, probe, 20, request)));
}

TEST(Search, CountsTheSubjectsThatPass) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(40, 64), "", run);
  search(*gallery, random_vector(64, 1));
  gallery->add(make_templates(8, 64, 36), "", run);  // subject-9 again, and two new ones
  SearchRequest request;
  EXPECT_EQ(search(*gallery, random_vector(64, 1), 1, request).subjects_searched, 11u);
  request.filter.labels = {"subject-9", "subject-10", "nobody"};
  EXPECT_EQ(search(*gallery, random_vector(64, 1), 1, request).subjects_searched, 2u);
  request.filter.labels = {"nobody"};
  const auto answer = search(*gallery, random_vector(64, 1), 1, request);
  EXPECT_EQ(answer.subjects_searched, 0u);
  EXPECT_TRUE(answer.results[0].templates.empty());
}

TEST(Search, EqualScoresComeInTheOrderOfEnrolment) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  auto batch = make_templates(6, 64, 0, 1);
  for (Template& t : batch) t.vector = random_vector(64, 5);
  gallery->add(std::span(batch).first(3), "", run);
  search(*gallery, batch[0].vector);
  gallery->add(std::span(batch).last(3), "", run);
  const auto result = search(*gallery, batch[0].vector, 6).results[0];
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(result.templates[i].template_id, static_cast<std::int64_t>(i));
    EXPECT_EQ(result.subjects[i].label, "subject-" + std::to_string(i));
  }
}

TEST(Search, RefusesBadRequests) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(3, 64), "", run);
  const auto refused = [&](std::vector<float> probe, std::size_t k) {
    return error_of([&] { search(*gallery, probe, k); }) == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(refused(random_vector(64, 1), 0));
  EXPECT_TRUE(refused(random_vector(63, 1), 1));
  EXPECT_TRUE(refused(std::vector<float>(64, 0.0f), 1));
  auto bad = random_vector(64, 1);
  bad[3] = NAN;
  EXPECT_TRUE(refused(bad, 1));
  EXPECT_EQ(search(*gallery, random_vector(64, 1), 1000).results[0].templates.size(), 3u);
  EXPECT_TRUE(search(*gallery, {}, 1).results.empty());
}

// --- permissions ---

TEST(Store, ReadsInAFolderThatItMayNotWrite) {
  const Place place;
  RunContext run;
  place.write()->add(make_templates(20, 64), "", run);
  ASSERT_EQ(::chmod(place.path().c_str(), 0444), 0);
  ASSERT_EQ(::chmod(place.folder().c_str(), 0555), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto probe = random_vector(64, 7);
  EXPECT_EQ(error_of([&] {
              EXPECT_EQ(search(*place.read(), probe, 1).results[0].templates[0].template_id, 7);
            }),
            std::nullopt);
  EXPECT_EQ(error_of([&] { place.write(); }), ErrorCode::io);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(place.path().c_str(), 0), 0);
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_EQ(error_of([&] { place.read(); }), ErrorCode::io);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(::chmod(place.folder().c_str(), 0755), 0);
}

}  // namespace
}  // namespace sosia::gallery
