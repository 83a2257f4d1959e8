// Sets, comparisons, searches and folds whose answers are known by hand; embeddings and their
// cache.

#include "errors.hpp"
#include "face/verbs.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/face/evaluation.hpp"
#include "sosia/formats/recordio.hpp"
#include "sosia/formats/verification_bin.hpp"
#include "sosia/world/face.hpp"
#include "support.hpp"

#include <cmath>
#include <cstring>
#include <numbers>

#include <gtest/gtest.h>

namespace sosia::face::testing {
namespace {

namespace fs = std::filesystem;

/// Unit vectors in the plane, by angle; NaN stands for a photo without a face.
EmbeddedSet at_angles(const std::vector<double>& degrees) {
  EmbeddedSet out;
  out.dimension = 2;
  for (const double d : degrees) {
    const bool found = !std::isnan(d);
    const double radians = d * std::numbers::pi / 180;
    out.vectors.push_back(found ? static_cast<float>(std::cos(radians)) : 0);
    out.vectors.push_back(found ? static_cast<float>(std::sin(radians)) : 0);
    out.states.push_back(found ? PhotoState::found : PhotoState::no_face);
    out.norms.push_back(found ? 1 : 0);
    out.faces.push_back(found ? 1 : 0);
  }
  return out;
}

/// The angle between unit vectors of this squared distance.
double angle_of(double distance) {
  return std::acos(1 - distance / 2) * 180 / std::numbers::pi;
}

EvaluationSet folder_like(const std::vector<std::uint32_t>& subjects) {
  EvaluationSet set;
  set.name = "by hand";
  for (const std::uint32_t s : subjects) {
    while (set.subjects.size() <= s)
      set.subjects.push_back("s" + std::to_string(set.subjects.size()));
    set.photos.push_back({.name = "p" + std::to_string(set.photos.size()), .subject = s});
  }
  return set;
}

/// A folder that holds what is written into it.
class Folder : public ::testing::Test {
 protected:
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  fs::path write(const std::string& name, std::string_view text) const {
    fs::create_directories(path(name).parent_path());
    write_file(path(name), text, Overwrite::replace);
    return path(name);
  }

 private:
  TemporaryFolder folder_;
};
using EvaluationSets = Folder;
using EvaluationCache = Folder;

TEST(EvaluationFolds, TenFoldsByHand) {
  // Per fold a genuine pair at squared distance .505 and an impostor pair at 1.0055; the genuine
  // pair of fold 3 lies at 1.5. The first best threshold of any nine folds is .51, so that pair
  // alone is wrong: accuracies 1 but .5 in fold 3, mean .95, spread sqrt(.9 * .05^2 + .1 * .45^2).
  EvaluationSet set;
  set.listed = true;
  std::vector<double> degrees;
  for (std::uint32_t fold = 0; fold < 10; ++fold) {
    for (const bool same : {true, false}) {
      const auto a = static_cast<std::uint32_t>(set.photos.size());
      set.photos.resize(a + 2);
      set.pairs.push_back({a, a + 1, same, 0});
      degrees.push_back(0);
      degrees.push_back(angle_of(!same ? 1.0055 : fold == 3 ? 1.5 : 0.505));
    }
  }
  RunContext run;
  const Comparisons pairs = compare_set(set, at_angles(degrees), {}, run);
  const auto figures = fold_figures(pairs);
  ASSERT_TRUE(figures);
  for (std::size_t fold = 0; fold < 10; ++fold) {
    EXPECT_NEAR(figures->accuracy.thresholds[fold], 0.51, 1e-12);
    EXPECT_EQ(figures->accuracy.accuracies[fold], fold == 3 ? 0.5 : 1.0);
  }
  EXPECT_NEAR(figures->accuracy.mean, 0.95, 1e-12);
  EXPECT_NEAR(figures->accuracy.std, 0.15, 1e-12);
  // FAR of nine folds goes from 0 at 1.005 to 1 at 1.006: a thousandth of the step reaches 1e-3.
  ASSERT_TRUE(figures->val);
  EXPECT_NEAR(figures->val->thresholds[0], 1.005001, 1e-9);
  EXPECT_NEAR(figures->val->val_mean, 0.9, 1e-12);
  EXPECT_EQ(figures->val->far_mean, 0);
}

TEST(EvaluationFolds, StatedFoldsAreKept) {
  EvaluationSet set;
  set.listed = true;
  set.folds = 2;
  set.photos.resize(2);
  set.pairs = {{0, 1, true, 1}, {0, 1, false, 0}, {0, 1, true, 0}};
  RunContext run;
  const Comparisons pairs = compare_set(set, at_angles({0, 10}), {}, run);
  EXPECT_EQ(pairs.folds, (std::vector<std::uint32_t>{1, 0, 0}));
  const auto figures = fold_figures(pairs);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->accuracy.accuracies.size(), 2U);
  EXPECT_FALSE(figures->val) << "fold 1 has no impostor pair";
}

TEST(EvaluationFolds, AFoldThatLostAllPairsGivesNone) {
  EvaluationSet set;
  set.listed = true;
  set.folds = 2;
  set.photos.resize(4);
  set.pairs = {{0, 1, true, 0}, {0, 1, false, 0}, {2, 3, true, 1}};
  RunContext run;
  const Comparisons pairs = compare_set(set, at_angles({0, 10, 0, std::nan("")}), {}, run);
  EXPECT_EQ(pairs.genuine_missing, 1U);
  EXPECT_FALSE(fold_figures(pairs));
}

TEST(EvaluationComparisons, EveryPhotoWithEveryOther) {
  const EvaluationSet set = folder_like({0, 0, 1, 1, 1});
  const double none = std::nan("");
  RunContext run;
  const Comparisons pairs = compare_set(set, at_angles({0, 60, 90, 180, none}), {}, run);
  EXPECT_EQ(pairs.labels, (std::vector<std::uint8_t>{1, 0, 0, 0, 0, 1}));
  const double expected[] = {0.5, 0, -1, std::sqrt(0.75), -0.5, 0};
  for (std::size_t i = 0; i < pairs.size(); ++i) EXPECT_NEAR(pairs.scores[i], expected[i], 1e-6);
  EXPECT_EQ(pairs.genuine_missing, 2U);
  EXPECT_EQ(pairs.impostor_missing, 2U);
  EXPECT_EQ(pairs.impostor_total, 4U);
  EXPECT_TRUE(pairs.folds.empty());
}

TEST(EvaluationComparisons, MissingFacesMayBeRejections) {
  const EvaluationSet set = folder_like({0, 0, 1, 1});
  RunContext run;
  const Comparisons pairs =
      compare_set(set, at_angles({0, 10, 90, std::nan("")}), {.missing = MissingRule::reject}, run);
  EXPECT_EQ(pairs.size(), 6U);
  EXPECT_EQ(std::count(pairs.scores.begin(), pairs.scores.end(), -1.0), 3);
  EXPECT_EQ(pairs.genuine_missing, 1U);
  EXPECT_EQ(pairs.impostor_missing, 2U);
}

TEST(EvaluationComparisons, ImpostorsAreDrawnEvenly) {
  std::vector<std::uint32_t> subjects;
  std::vector<double> degrees;
  for (std::uint32_t i = 0; i < 200; ++i) {
    subjects.push_back(i / 2);
    degrees.push_back(i);
  }
  const EvaluationSet set = folder_like(subjects);
  RunContext run, again, one({.seed = 1});
  const CompareOptions options{.most_impostors = 2000};
  const Comparisons pairs = compare_set(set, at_angles(degrees), options, run);
  EXPECT_EQ(pairs.impostor_total, 200U * 199 / 2 - 100);
  const auto genuine = std::count(pairs.labels.begin(), pairs.labels.end(), 1);
  EXPECT_EQ(genuine, 100) << "genuine comparisons are never left out";
  // Seed 0 draws 2055; a standard deviation is 42.
  EXPECT_NEAR(static_cast<double>(pairs.size()) - 100, 2000, 250);
  EXPECT_EQ(compare_set(set, at_angles(degrees), options, again).a, pairs.a);
  EXPECT_NE(compare_set(set, at_angles(degrees), options, one).a, pairs.a);
}

TEST(EvaluationComparisons, BothClassesAreNeeded) {
  RunContext run;
  expect_refused([&] { compare_set(folder_like({0, 1}), at_angles({0, 90}), {}, run); },
                 "no comparison of one subject");
  expect_refused([&] { compare_set(folder_like({0, 0}), at_angles({0, 90}), {}, run); },
                 "no comparison of different subjects");
  expect_refused(
      [&] { compare_set(folder_like({0, 0, 1}), at_angles({0, 90, std::nan("")}), {}, run); },
      "all 2 comparisons of different subjects have a photo without a face");
}

TEST(EvaluationSearches, RanksByHand) {
  // s0 at 0 and 40, s1 at 30 and 90, s2 at 200 and 205, s3 at 300 alone: the photos of s0 and s1
  // have the other subject nearer, s2 finds itself, s3 has no mate.
  const EvaluationSet set = folder_like({0, 0, 1, 1, 2, 2, 3});
  RunContext run;
  const auto found =
      search_set(set, at_angles({0, 40, 30, 90, 200, 205, 300}), MissingRule::exclude, run);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->mated_count, 6U);
  EXPECT_EQ(found->searches.size(), 13U);
  EXPECT_EQ(found->subject_count, 4U);
  const auto mated = std::span(found->searches).first(found->mated_count);
  EXPECT_NEAR(evaluate::rank_rate(mated, 1), 2.0 / 6, 1e-12);
  EXPECT_EQ(evaluate::rank_rate(mated, 2), 1);
  EXPECT_NEAR(mated[0].mate_score, std::cos(40 * std::numbers::pi / 180), 1e-6);
  EXPECT_NEAR(mated[0].top_score, std::cos(30 * std::numbers::pi / 180), 1e-6);
  // Without s2 the nearest to 200 is 300 or 90, 100 or 110 degrees away.
  const evaluate::Search& stranger = found->searches[6 + 4];
  EXPECT_FALSE(stranger.mated);
  EXPECT_NEAR(stranger.top_score, std::cos(100 * std::numbers::pi / 180), 1e-6);
}

TEST(EvaluationSearches, AMissingFaceMayBeAMiss) {
  const EvaluationSet set = folder_like({0, 0, 0, 1, 1});
  const EmbeddedSet vectors = at_angles({0, 5, std::nan(""), 90, 95});
  RunContext run;
  const auto left_out = search_set(set, vectors, MissingRule::exclude, run);
  ASSERT_TRUE(left_out);
  EXPECT_EQ(left_out->mated_missing, 1U);
  EXPECT_EQ(evaluate::rank_rate(std::span(left_out->searches).first(left_out->mated_count), 1), 1);
  const auto missed = search_set(set, vectors, MissingRule::reject, run);
  ASSERT_TRUE(missed);
  EXPECT_EQ(evaluate::rank_rate(std::span(missed->searches).first(missed->mated_count), 1), 0.8);
}

TEST(EvaluationSearches, NeedNamedSubjectsWithTwoPhotos) {
  RunContext run;
  EXPECT_FALSE(search_set(folder_like({0, 1}), at_angles({0, 1}), MissingRule::exclude, run));
  EvaluationSet derived = folder_like({0, 0});
  derived.subjects_derived = true;
  EXPECT_FALSE(search_set(derived, at_angles({0, 1}), MissingRule::exclude, run));
}

TEST(MainFace, LargeAndCentral) {
  Analysis photo;
  photo.extent = {200, 100};
  EXPECT_FALSE(main_face(photo));
  photo.faces.resize(3);
  photo.faces[0].box = {0, 0, 50, 60};    // 3000, in the corner
  photo.faces[1].box = {85, 35, 30, 30};  // 900, in the middle, but in the background
  photo.faces[2].box = {60, 40, 40, 40};  // 1600, near the middle
  EXPECT_EQ(main_face(photo), 2U);
  photo.faces[2].box.width_px = 37;  // 1480: less than half of the largest
  EXPECT_EQ(main_face(photo), 0U);
  photo.faces[0].degenerate = true;
  EXPECT_EQ(main_face(photo), 1U);
  photo.faces[1].degenerate = photo.faces[2].degenerate = true;
  EXPECT_EQ(main_face(photo), 0U);
}

// --- sets ---

TEST_F(EvaluationSets, LfwListWithOtherExtensions) {
  write("images/Ann/Ann_0001.png", "x");
  write("images/Ann/Ann_0002.jpg", "x");
  write("images/Bob_Jr/Bob_Jr_0001.pgm", "x");
  const auto list = write("pairs.txt", "1\t1\nAnn\t1\t2\nAnn\t1\tBob_Jr\t1\n");
  const EvaluationSet set = read_pair_set(list, path("images"));
  ASSERT_EQ(set.photos.size(), 3U);
  EXPECT_EQ(set.photos[0].name, "Ann/Ann_0001.jpg");
  EXPECT_EQ(set.photos[0].file.filename(), "Ann_0001.png");
  EXPECT_EQ(set.subjects, (std::vector<std::string>{"Ann", "Bob_Jr"}));
  EXPECT_FALSE(set.subjects_derived);
  EXPECT_TRUE(set.pairs[0].same);
  EXPECT_FALSE(set.pairs[1].same);
}

TEST_F(EvaluationSets, FlatListDerivesSubjects) {
  write("a.png", "x");
  const auto list =
      write("pairs.txt", "a.png b.png 1\nb.png c.png 1\nd.png a.png 0\nd.png d.png 1\n");
  const EvaluationSet set = read_pair_set(list, path(""));
  EXPECT_TRUE(set.subjects_derived);
  EXPECT_EQ(set.subjects.size(), 2U);
  EXPECT_EQ(set.photos[0].subject, set.photos[2].subject);
  ASSERT_EQ(set.warnings.size(), 1U);
  EXPECT_TRUE(contains(set.warnings[0], "1 pairs compare a photo with itself"));
}

TEST_F(EvaluationSets, ContradictoryLabelsLeaveSubjectsUnknown) {
  write("a.png", "x");
  const auto list = write("pairs.txt", "a.png b.png 1\nb.png c.png 1\na.png c.png 0\n");
  const EvaluationSet set = read_pair_set(list, path(""));
  EXPECT_TRUE(set.subjects.empty());
  ASSERT_EQ(set.warnings.size(), 1U);
  EXPECT_TRUE(contains(set.warnings[0], "1 pairs are called different"));
}

TEST_F(EvaluationSets, BadListsAreRefused) {
  write("a.png", "x");
  const auto refuse = [&](const char* text, const char* part, ErrorCode code) {
    expect_refused([&] { read_pair_set(write("pairs.txt", text), path("")); }, part, code);
  };
  refuse("a.png b.png\n", "does not say which pairs are the same", ErrorCode::corrupt_data);
  refuse("# nothing\n", "holds no pairs", ErrorCode::corrupt_data);
  refuse("x.png y.png 1\n", "none of the 2 photos of the list is below", ErrorCode::not_found);
  refuse("a.png b.png maybe\n", "line 1", ErrorCode::corrupt_data);
  expect_refused(
      [&] { read_pair_set(write("p.csv", "a,b,same,fold\na.png,b.png,1,-1\n"), path("")); },
      "number folds from 0", ErrorCode::corrupt_data);
}

TEST_F(EvaluationSets, FoldersAndDrawnSubjects) {
  for (const char* name : {"s1/1.png", "s1/2.png", "s2/1.png", "s3/1.png", "s3/deep/2.png"}) {
    write(std::string("set/") + name, "x");
  }
  EvaluationSet set = read_folder_set(path("set"));
  ASSERT_EQ(set.photos.size(), 5U);
  EXPECT_EQ(set.subjects.size(), 3U);
  EXPECT_EQ(set.photos[4].name, "s3/deep/2.png");
  EXPECT_EQ(set.photos[4].subject, 2U);
  RunContext run;
  keep_subjects(set, 2, run);
  EXPECT_EQ(set.subjects.size(), 2U);
  for (const SetPhoto& photo : set.photos) {
    EXPECT_EQ(set.subjects[photo.subject], photo.name.substr(0, 2));
  }
  EXPECT_EQ(code_of([&] { read_folder_set(path("nowhere")); }), ErrorCode::not_found);
}

TEST_F(EvaluationSets, GroupsBySubjectAndByPhoto) {
  EvaluationSet set = folder_like({0, 0, 1, 2});
  assign_groups(set, write("g.csv", "subject,region\ns0,west\ns1,east\ns9,east\n"), "region");
  EXPECT_EQ(set.groups, (std::vector<std::string>{"east", "west"}));
  EXPECT_EQ(set.photos[0].group, 1U);
  EXPECT_EQ(set.photos[2].group, 0U);
  EXPECT_EQ(set.photos[3].group, kNobody);
  ASSERT_EQ(set.warnings.size(), 2U);
  EXPECT_TRUE(contains(set.warnings[0], "1 of 4 photos belong to no group"));
  EXPECT_TRUE(contains(set.warnings[1], "\"s9\""));

  assign_groups(set, write("p.csv", "group,path\nx,p0\ny,p3\n"), "group");
  EXPECT_EQ(set.photos[0].group, 0U);
  EXPECT_EQ(set.photos[1].group, kNobody);
  EXPECT_EQ(set.photos[3].group, 1U);
  // A pair across groups is in none.
  RunContext run;
  assign_groups(set, write("g.csv", "subject,group\ns0,a\ns1,a\ns2,b\n"), "group");
  const Comparisons pairs = compare_set(set, at_angles({0, 1, 2, 3}), {}, run);
  EXPECT_EQ(pairs.groups, (std::vector<std::uint32_t>{0, 0, kNobody, 0, kNobody, kNobody}));
}

TEST_F(EvaluationSets, BadGroupsAreRefused) {
  EvaluationSet set = folder_like({0, 1});
  const auto refuse = [&](const char* text, const char* part,
                          ErrorCode code = ErrorCode::corrupt_data) {
    expect_refused([&] { assign_groups(set, write("g.csv", text), "group"); }, part, code);
  };
  refuse("who,group\ns0,a\n", "no column names photos");
  refuse("subject,grup\ns0,a\n", "grup");
  refuse("subject,group\nx,a\ny,b\n", "none of the 2 rows is of this set");
  refuse("subject,group\ns0,a\ns0,b\n", "differs from an earlier row");
  set.subjects_derived = true;
  refuse("subject,group\ns0,a\n", "does not name its subjects", ErrorCode::invalid_argument);
}

// --- embeddings ---

/// A face of the world, cut out by the ArcFace template, as PNG.
std::vector<std::byte> world_crop(std::uint64_t subject, std::uint64_t number) {
  const world::FaceImage face =
      world::render_face(world::random_face_identity(5, subject),
                         world::random_enrolment_attributes(5, subject, number), 160);
  const Landmarks to = arcface_template(112);
  const auto fit = image::estimate_similarity(face.landmarks5, to);
  return image::encode(image::warp_affine(face.picture, fit.transform, 112, 112),
                       image::Format::png)
      .bytes;
}

struct Parts {
  models::ModelStore store = test_store();
  bool present() const {
    return testing::present(store, kDefaultDetector) && testing::present(store, kDefaultEmbedder);
  }
};

#define NEED_WEIGHTS(parts)                                            \
  if (!(parts).present())                                              \
  GTEST_SKIP() << "the weights of the face models are not here: make " \
                  "setup"

/// Three subjects with two crops: genuine pairs, then impostors that share photos.
fs::path write_bin(const fs::path& path) {
  std::vector<std::vector<std::byte>> crops;
  for (std::uint64_t s = 0; s < 3; ++s) {
    for (std::uint64_t k = 0; k < 2; ++k) crops.push_back(world_crop(s, k));
  }
  std::vector<std::span<const std::byte>> images;
  std::vector<bool> same;
  for (const auto& [a, b] : {std::pair{0, 1}, {2, 3}, {4, 5}, {0, 2}, {1, 4}, {3, 5}}) {
    images.push_back(crops[static_cast<std::size_t>(a)]);
    images.push_back(crops[static_cast<std::size_t>(b)]);
    same.push_back(a / 2 == b / 2);
  }
  formats::write_verification_bin(path, images, same);
  return path;
}

TEST_F(EvaluationCache, BinIsEmbeddedOnceAndKept) {
  const Parts parts;
  NEED_WEIGHTS(parts);
  const EvaluationSet set = read_bin_set(write_bin(path("small.bin")));
  EXPECT_EQ(set.photos.size(), 6U) << "a picture of several pairs is one photo";
  EXPECT_EQ(set.subjects.size(), 3U);
  EXPECT_TRUE(set.subjects_derived);
  const FacePipeline pipeline(parts.store, {.threads = 1});
  const EmbedSetOptions options{.cache = path("cache")};
  RunContext run;
  const EmbeddedSet first = embed_set(pipeline, set, options, run);
  EXPECT_EQ(first.from_cache, 0U);
  EXPECT_EQ(first.count(PhotoState::found), 6U);
  EXPECT_TRUE(first.warnings.empty());
  const EmbeddedSet second = embed_set(pipeline, set, options, run);
  EXPECT_EQ(second.from_cache, 6U);
  EXPECT_EQ(second.vectors, first.vectors);
  EXPECT_EQ(second.norms, first.norms);

  // Damage of every kind: the vectors are made anew and are the same.
  const fs::path file = fs::directory_iterator(path("cache"))->path();
  const std::string good = read_text(file);
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{20}, good.size() / 2}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    write_file(file, bad, Overwrite::replace);
    const EmbeddedSet again = embed_set(pipeline, set, options, run);
    EXPECT_EQ(again.from_cache, 0U) << at;
    ASSERT_EQ(again.warnings.size(), 1U) << at;
    EXPECT_TRUE(contains(again.warnings[0], "was made anew")) << again.warnings[0];
    EXPECT_EQ(again.vectors, first.vectors) << at;
    EXPECT_EQ(read_text(file), good) << at;
  }
  write_file(file, std::string_view(good).substr(0, good.size() - 5), Overwrite::replace);
  EXPECT_EQ(embed_set(pipeline, set, options, run).from_cache, 0U);

  // A right checksum over what makes no sense: a state that there is not, an infinite number.
  for (const std::size_t at : {std::size_t{56 + 16}, std::size_t{56 + 28 + 3}}) {
    std::string forged = good;
    forged[at] = 0x7f;
    if (at > 80) forged[at - 1] = static_cast<char>(0x80), forged[at - 2] = forged[at - 3] = 0;
    const std::uint64_t hash = xxh3_64(std::string_view(forged).substr(0, forged.size() - 8));
    std::memcpy(forged.data() + forged.size() - 8, &hash, sizeof hash);
    write_file(file, forged, Overwrite::replace);
    const EmbeddedSet again = embed_set(pipeline, set, options, run);
    EXPECT_EQ(again.from_cache, 0U);
    EXPECT_EQ(again.vectors, first.vectors);
  }

  // A file that was written again is another one; so is another way to embed.
  fs::last_write_time(path("small.bin"), fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(embed_set(pipeline, set, options, run).from_cache, 0U);
  EXPECT_EQ(embed_set(pipeline, set, options, run).from_cache, 6U);
  EmbedSetOptions mirrored = options;
  mirrored.mirror_sum = true;
  EXPECT_EQ(embed_set(pipeline, set, mirrored, run).from_cache, 0U);
}

TEST_F(EvaluationCache, MirrorSumIsMadeOneAfterwards) {
  const Parts parts;
  NEED_WEIGHTS(parts);
  const EvaluationSet set = read_bin_set(write_bin(path("small.bin")));
  const FacePipeline pipeline(parts.store, {.threads = 1});
  RunContext run;
  const EmbeddedSet sums = embed_set(pipeline, set, {.mirror_sum = true}, run);
  // By hand: the chip, its mirror, raw vectors added.
  const image::Image chip = analyse_photo(pipeline, set, 3, {}).faces.at(0).chip;
  const image::Image other = image::flip_horizontal(chip);
  const image::ImageView views[] = {chip, other};
  const Embeddings raw = pipeline.embedder().embed(views);
  std::vector<double> sum(raw.dimension);
  double squares = 0;
  for (std::size_t k = 0; k < sum.size(); ++k) {
    sum[k] = raw.vectors[k] * raw.norms[0] + raw.vectors[raw.dimension + k] * raw.norms[1];
    squares += sum[k] * sum[k];
  }
  for (std::size_t k = 0; k < sum.size(); ++k) {
    EXPECT_NEAR(sums.vector(3)[k], sum[k] / std::sqrt(squares), 1e-5);
  }
  EXPECT_NEAR(sums.norms[3], std::sqrt(squares), 1e-4);
  // What galleries do not hold cannot calibrate them.
  const Comparisons pairs = compare_set(set, sums, {}, run);
  expect_refused([&] { calibrate_set(set, sums, pairs, "bin", pipeline, {.mirror_sum = true}); },
                 "--mirror card");
}

TEST_F(EvaluationCache, RecordsAndUnreadablePictures) {
  const Parts parts;
  NEED_WEIGHTS(parts);
  {
    formats::RecordSetWriter writer(path("train.rec"), {2, 2, 1}, 112, 112);
    for (const auto& [s, k] : {std::pair{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
      writer.add(world_crop(static_cast<std::uint64_t>(s), static_cast<std::uint64_t>(k)));
    }
    writer.add(bytes_of("no picture"));
    writer.commit();
  }
  const EvaluationSet set = read_record_set(path("train.rec"));
  EXPECT_EQ(set.subjects.size(), 3U);
  const FacePipeline pipeline(parts.store, {.threads = 1});
  RunContext run;
  const EmbeddedSet vectors = embed_set(pipeline, set, {}, run);
  EXPECT_EQ(vectors.count(PhotoState::found), 4U);
  ASSERT_EQ(vectors.unreadable.size(), 1U);
  EXPECT_EQ(vectors.unreadable[0].photo, 4U);
  EXPECT_TRUE(contains(vectors.unreadable[0].error.render(), "record 5"));
  const Comparisons pairs = compare_set(set, vectors, {}, run);
  EXPECT_EQ(pairs.size(), 6U);
  // Rendered identities and a network that knows photographs: genuine pairs are nearer.
  const evaluate::Roc roc(evaluate::split_scores(pairs.scores, pairs.labels));
  EXPECT_GE(roc.auc(), 0.75);  // 1 was seen
}

TEST_F(EvaluationCache, CropsOfOtherSizesAreRefusedNotGuessed) {
  const Parts parts;
  NEED_WEIGHTS(parts);
  for (const char* name : {"set/a/1.png", "set/a/2.png", "set/b/1.png"}) {
    fs::create_directories(path(name).parent_path());
    image::save(path(name), image::Image(100, 120, 3));
  }
  const EvaluationSet set = read_folder_set(path("set"));
  const FacePipeline pipeline(parts.store, {.threads = 1});
  RunContext run;
  expect_refused([&] { embed_set(pipeline, set, {.aligned = true}, run); }, "100 x 120",
                 ErrorCode::unsupported);
  const EmbeddedSet searched = embed_set(pipeline, set, {}, run);
  EXPECT_EQ(searched.count(PhotoState::no_face), 3U);
}

TEST_F(EvaluationCache, PhotosGiveWhatThePipelineGives) {
  const Parts parts;
  NEED_WEIGHTS(parts);
  const auto orl = shared_data("faces-orl");
  if (!orl) GTEST_SKIP() << "the shared data hold no faces-orl";
  EvaluationSet set = read_folder_set(*orl);
  RunContext run;
  keep_subjects(set, 5, run);
  const FacePipeline pipeline(parts.store, {.threads = 1});
  const EmbeddedSet vectors = embed_set(pipeline, set, {.cache = path("cache")}, run);
  EXPECT_EQ(vectors.count(PhotoState::found), 50U);
  LabelledFaces naive;
  naive.dimension = pipeline.dimension();
  for (const SetPhoto& photo : set.photos) {
    const Analysis analysis = pipeline.analyse_file(photo.file);
    ASSERT_FALSE(analysis.faces.empty()) << photo.file;
    const std::vector<float>& v = analysis.faces[*main_face(analysis)].embedding;
    naive.vectors.insert(naive.vectors.end(), v.begin(), v.end());
    naive.subjects.push_back(photo.subject);
  }
  EXPECT_EQ(vectors.vectors, naive.vectors);
  const Comparisons pairs = compare_set(set, vectors, {}, run);
  const evaluate::Roc roc(evaluate::split_scores(pairs.scores, pairs.labels));
  const FolderScores expected = score_all(naive);
  EXPECT_NEAR(roc.auc(), evaluate::Roc(expected.scores).auc(), 1e-12);
  const auto found = search_set(set, vectors, MissingRule::exclude, run);
  ASSERT_TRUE(found);
  EXPECT_EQ(evaluate::rank_rate(std::span(found->searches).first(found->mated_count), 1),
            expected.rank1);
  // A calibration of the same vectors, by both ways.
  const gallery::Calibration a = calibrate_set(set, vectors, pairs, "orl", pipeline, {});
  const gallery::Calibration b = calibrate_faces(naive, "orl", pipeline.model_hash());
  EXPECT_EQ(to_json(gallery::to_value(a)), to_json(gallery::to_value(b)));
}

/// The figures of the verb are those of the library, on ten subjects of ORL.
TEST_F(EvaluationCache, VerbGivesTheFiguresOfTheLibrary) {
  const Parts parts;
  NEED_WEIGHTS(parts);
  const auto orl = shared_data("faces-orl");
  if (!orl) GTEST_SKIP() << "the shared data hold no faces-orl";
  Settings settings;
  settings.set("folders", orl->string(), "test");
  settings.set("cache", path("cache").string(), "test");
  settings.set("max_subjects", 10, "test");
  RunContext run;
  const Value report = report_to_value(evaluate_verb().run(settings, run));
  // From the vectors that the verb left behind.
  EvaluationSet set = read_folder_set(*orl);
  keep_subjects(set, 10, run);
  const FacePipeline pipeline(parts.store, {.threads = 1});
  const EmbeddedSet vectors = embed_set(pipeline, set, {.cache = path("cache")}, run);
  EXPECT_EQ(vectors.from_cache, 100U);
  LabelledFaces faces{.dimension = vectors.dimension, .vectors = vectors.vectors};
  for (const SetPhoto& photo : set.photos) faces.subjects.push_back(photo.subject);
  const FolderScores naive = score_all(faces);
  const evaluate::Roc roc(naive.scores);
  EXPECT_EQ(report.at("found").as_integer(), 100);
  EXPECT_NEAR(report.at("rank1").as_real(), naive.rank1, 1e-12);
  EXPECT_NEAR(report.at("auc").as_real(), roc.auc(), 1e-12);
  EXPECT_NEAR(report.at("eer").as_real(), roc.eer().rate, 1e-12);
  EXPECT_EQ(report.at("tar_at_far").at("1e-3").as_real(),
            roc.at_far(1e-3, evaluate::AtRule::not_above).tar);
  // Observed with the dlib ResNet and MTCNN: rank-1 1, AUC .99949, TAR@1e-3 .951
  // (450 genuine, 4500 impostor comparisons; on all 40 subjects .9883).
  EXPECT_GE(naive.rank1, 0.99);
  EXPECT_GE(roc.auc(), 0.998);
  EXPECT_GE(report.at("tar_at_far").at("1e-3").as_real(), 0.9);
}

}  // namespace
}  // namespace sosia::face::testing
