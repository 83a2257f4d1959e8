// The pipeline from files: order, errors, orientation, sizes, reduced decoding.

#include "errors.hpp"
#include "face/support.hpp"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

using namespace testing;
namespace fs = std::filesystem;

constexpr const char* kGroup = "faces-dlib/faces/2007_007763.jpg";  // seven faces, 500 x 375
constexpr const char* kOne = "faces-orl/s1/1.pgm";

class Pipeline : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto group = shared_data(kGroup);
    const auto one = shared_data(kOne);
    if (!group || !one) GTEST_SKIP() << "no shared data: faces-dlib, faces-orl";
    group_ = *group, one_ = *one;
    store_.emplace(test_store());
    if (!present(*store_, "mtcnn") || !present(*store_, "dlib-resnet")) {
      GTEST_SKIP() << "no weights of mtcnn and dlib-resnet";
    }
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("sosia_face_") + info->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  FacePipeline open(PipelineOptions options = {}) const {
    options.cache.clear();
    return FacePipeline(*store_, options);
  }
  fs::path write(const std::string& name, std::string_view bytes) const {
    write_file(folder_ / name, bytes_of(bytes), Overwrite::replace);
    return folder_ / name;
  }
  fs::path save(const std::string& name, image::ImageView picture) const {
    image::save(folder_ / name, picture, {.quality = 92}, Overwrite::replace);
    return folder_ / name;
  }

  fs::path group_, one_, folder_;
  std::optional<models::ModelStore> store_;
};

double alike(const DescribedFace& a, const DescribedFace& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.embedding.size(); ++k) {
    sum += double{a.embedding[k]} * b.embedding[k];
  }
  return sum;
}

/// The face of `analysis` that overlaps most with `box`, which must be there.
const DescribedFace& nearest(const Analysis& analysis, const image::Box& box) {
  const auto found = std::max_element(
      analysis.faces.begin(), analysis.faces.end(),
      [&](const auto& a, const auto& b) { return overlap(a.box, box) < overlap(b.box, box); });
  if (found == analysis.faces.end()) throw Error(ErrorCode::not_found, "no face");
  return *found;
}

void paste(image::Image& canvas, image::ImageView picture, int x, int y) {
  const image::MutableImageView to =
      canvas.mutable_view().crop(x, y, picture.width_px, picture.height_px);
  for (int row = 0; row < picture.height_px; ++row) {
    std::copy_n(picture.row(row), 3 * static_cast<std::ptrdiff_t>(picture.width_px), to.row(row));
  }
}

TEST_F(Pipeline, StreamKeepsTheOrderAndReportsBadFiles) {
  const FacePipeline pipeline = open({.threads = 2, .parallel = 2});
  std::string cut = read_text(group_);
  cut.resize(cut.size() / 2);
  const std::vector<fs::path> files{group_,
                                    write("text.jpg", "no picture"),
                                    one_,
                                    write("empty.png", ""),
                                    write("cut off \xc3\xa9.jpg", cut),
                                    folder_ / "absent.jpg",
                                    one_,
                                    group_};
  std::vector<Analysis> got;
  RunContext run;
  pipeline.stream(
      files,
      [&](Analysis&& a) {
        got.push_back(std::move(a));
        return true;
      },
      run);
  ASSERT_EQ(got.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(got[i].index, i);
    EXPECT_EQ(got[i].file, files[i]);
    const bool bad = i == 1 || (i >= 3 && i <= 5);
    EXPECT_EQ(got[i].error.has_value(), bad) << i;
    if (bad) {
      EXPECT_TRUE(got[i].faces.empty());
      EXPECT_TRUE(contains(got[i].error->render(), files[i].filename().string())) << i;
    }
  }
  EXPECT_EQ(got[5].error->code(), ErrorCode::not_found);
  EXPECT_EQ(got[4].error->code(), ErrorCode::corrupt_data);
  ASSERT_EQ(got[0].faces.size(), 7u);
  ASSERT_EQ(got[2].faces.size(), 1u);
  // The same file gives the same numbers, whatever else runs.
  ASSERT_EQ(got[7].faces.size(), 7u);
  for (std::size_t k = 0; k < 7; ++k) {
    EXPECT_EQ(got[0].faces[k].embedding, got[7].faces[k].embedding) << k;
    EXPECT_EQ(got[0].faces[k].box, got[7].faces[k].box) << k;
  }
  const Analysis alone = pipeline.analyse_file(group_);
  EXPECT_EQ(alone.faces[0].embedding, got[0].faces[0].embedding);
}

TEST_F(Pipeline, StreamStopsWhenAskedOrCancelled) {
  const FacePipeline pipeline = open({.embedder = "", .threads = 1});
  EXPECT_EQ(pipeline.model_hash(), "");
  EXPECT_EQ(pipeline.dimension(), 0u);
  expect_refused([&] { pipeline.embedder(); }, "no embedder");
  const std::vector<fs::path> files(50, one_);
  std::size_t seen = 0;
  RunContext run;
  pipeline.stream(
      files,
      [&](Analysis&& a) {
        EXPECT_TRUE(a.faces.at(0).embedding.empty());
        return ++seen < 3;
      },
      run);
  EXPECT_EQ(seen, 3u);
  const auto token = std::make_shared<CancelToken>();
  RunContext cancelled(RunConfig{.cancel = token});
  EXPECT_EQ(code_of([&] {
              pipeline.stream(
                  files,
                  [&](Analysis&&) {
                    token->cancel();
                    return true;
                  },
                  cancelled);
            }),
            ErrorCode::cancelled);
}

TEST_F(Pipeline, FacesAreDescribed) {
  const Analysis a = open().analyse_file(group_);
  EXPECT_EQ(a.extent, (image::Extent{500, 375}));
  EXPECT_EQ(a.scale_denominator, 1);
  double last = 1;
  for (const DescribedFace& face : a.faces) {
    EXPECT_LE(face.score, last);
    last = face.score;
    EXPECT_FALSE(face.degenerate);
    EXPECT_EQ(face.chip.extent(), (image::Extent{150, 150}));
    EXPECT_NEAR(alike(face, face), 1, 1e-5);
    EXPECT_GT(face.quality.value, 0);
    // Points lie in the box, eyes above the mouth.
    EXPECT_LT(face.landmarks[0].y_px, face.landmarks[3].y_px);
    EXPECT_GT(face.landmarks[0].x_px, face.box.x_px);
    EXPECT_LT(face.landmarks[4].x_px, face.box.x_px + face.box.width_px);
  }
  const Analysis three = open({.keep_chips = false, .max_faces = 3}).analyse_file(group_);
  ASSERT_EQ(three.faces.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(three.faces[i].box, a.faces[i].box);
    EXPECT_TRUE(three.faces[i].chip.empty());
  }
  EXPECT_TRUE(open().analyse(image::Image(300, 200, 3, image::kWhite)).faces.empty());
}

/// A JPEG file with an EXIF block that says `orientation`.
std::string with_orientation(std::string jpeg, char orientation) {
  std::string exif("Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0", 32);
  exif[24] = orientation;
  std::string segment("\xff\xe1\0\0", 4);
  segment[3] = static_cast<char>(exif.size() + 2);
  return jpeg.insert(2, segment + exif);
}

// A photo that lies on its side in the file, with EXIF saying so, gives what the upright one does.
TEST_F(Pipeline, PhotosAreTurnedUprightByExif) {
  const image::Image upright = image::decode_file(group_).image;
  const FacePipeline pipeline = open();
  const Analysis straight = pipeline.analyse_file(save("upright.jpg", upright));
  const fs::path lying = save("lying.jpg", image::rotate_90(upright, -1));
  const fs::path tagged = write("tagged.jpg", with_orientation(read_text(lying), 6));
  const Analysis a = pipeline.analyse_file(tagged);
  EXPECT_EQ(a.extent, straight.extent);
  ASSERT_EQ(a.faces.size(), straight.faces.size());
  for (const DescribedFace& face : straight.faces) {
    const DescribedFace& same = nearest(a, face.box);
    EXPECT_GT(overlap(same.box, face.box), 0.8);
    EXPECT_GT(alike(same, face), 0.97);  // JPEG's blocks lie otherwise; observed .985
  }
  EXPECT_LT(pipeline.analyse_file(lying).faces.size(), 3u);  // lying faces are not found
}

// From the smallest that is looked for to a face that is larger than the picture. One photo of each
// of ORL's people; observed of 40: 24 px 40, 32 px 40, filling 39.
TEST_F(Pipeline, FacesOf24PixelsAndFacesThatFillTheFrame) {
  const auto detector = open_detector(*store_);
  int small = 0, medium = 0, filling = 0;
  for (int subject = 1; subject <= 40; ++subject) {
    const image::Image photo =
        image::decode_file(*shared_data("faces-orl") / ("s" + std::to_string(subject)) / "1.pgm")
            .image;
    const std::vector<Detection> faces = detector->detect(photo);
    ASSERT_FALSE(faces.empty()) << subject;
    const image::Box box = faces.front().box;
    const double longer = std::max(box.width_px, box.height_px);
    const auto found_at = [&](double px) {
      const double scale = px / longer;
      const image::Image reduced =
          image::resize(photo, static_cast<int>(std::lround(photo.width_px() * scale)),
                        static_cast<int>(std::lround(photo.height_px() * scale)));
      image::Image canvas(160, 120, 3, {120, 120, 120});
      paste(canvas, reduced, 60, 40);
      // A box is drawn a little differently at each size.
      return !detector->detect(canvas, {.min_face_px = 20}).empty();
    };
    small += found_at(24);
    medium += found_at(32);
    // The face is all there is to see, and 1000 pixels high.
    const int x = std::max(0, static_cast<int>(box.x_px));
    const int y = std::max(0, static_cast<int>(box.y_px));
    const image::Image large = image::resize(
        photo.view().crop(x, y, std::min(static_cast<int>(box.width_px), photo.width_px() - x),
                          std::min(static_cast<int>(box.height_px), photo.height_px() - y)),
        800, 1000, image::Interpolation::bilinear);
    filling += !detector->detect(large).empty();
  }
  RecordProperty("small", small);
  RecordProperty("medium", medium);
  RecordProperty("filling", filling);
  EXPECT_GE(small, 36);
  EXPECT_GE(medium, 38);
  EXPECT_GE(filling, 38);
}

/// Four thousand by three thousand pixels, 24 photos of ORL spread over it, faces of about 160 to
/// 300 pixels, and where each photo's face is.
struct LargePhoto {
  image::Image picture;
  std::vector<image::Box> faces;
};

LargePhoto large_photo(const FaceDetector& detector) {
  LargePhoto out{image::Image(4000, 3000, 3, {90, 110, 100}), {}};
  for (int i = 0; i < 24; ++i) {
    const image::Image photo =
        image::decode_file(*shared_data("faces-orl") / ("s" + std::to_string(i + 1)) / "1.pgm")
            .image;
    const double scale = 2.0 + i % 4;
    const image::Image grown =
        image::resize(photo, static_cast<int>(photo.width_px() * scale),
                      static_cast<int>(photo.height_px() * scale), image::Interpolation::bilinear);
    const int x = 40 + (i % 6) * 650, y = 40 + (i / 6) * 720;
    paste(out.picture, grown, x, y);
    const image::Box box = detector.detect(photo).at(0).box;
    out.faces.push_back(
        {x + box.x_px * scale, y + box.y_px * scale, box.width_px * scale, box.height_px * scale});
  }
  return out;
}

// Twelve megapixels are decoded at half their sides for detection. Observed: 24 of 24 faces both
// ways, cosine of the vectors .997 or more.
TEST_F(Pipeline, ReducedDecodingLosesNoFace) {
  const FacePipeline reduced = open(), full = open({.detection_pixels = 0});
  const LargePhoto photo = large_photo(reduced.detector());
  const fs::path file = save("large.jpg", photo.picture);
  const Analysis a = reduced.analyse_file(file), b = full.analyse_file(file);
  EXPECT_EQ(a.scale_denominator, 2);
  EXPECT_EQ(b.scale_denominator, 1);
  EXPECT_EQ(a.extent, b.extent);
  EXPECT_NEAR(a.min_face_px, 22 * std::sqrt(6.0), 1);
  double least = 1;
  for (const image::Box& box : photo.faces) {
    const DescribedFace &small = nearest(a, box), &large = nearest(b, box);
    EXPECT_GT(overlap(small.box, box), 0.5) << box.x_px << " " << box.y_px;
    EXPECT_GT(overlap(large.box, box), 0.5) << box.x_px << " " << box.y_px;
    EXPECT_GT(alike(small, large), 0.97) << box.x_px << " " << box.y_px;
    least = std::min(least, alike(small, large));
    EXPECT_NEAR(small.quality.eye_distance_px / large.quality.eye_distance_px, 1, 0.1);
  }
  RecordProperty("least_cosine", std::to_string(least));
}

// The mean direction of a face and its mirror image lies near the face's own.
TEST_F(Pipeline, TheMirrorSumIsAnotherVector) {
  const Analysis plain = open().analyse_file(one_),
                 sum = open({.flip_sum = true}).analyse_file(one_);
  ASSERT_EQ(sum.faces.size(), 1u);
  EXPECT_NEAR(alike(sum.faces[0], sum.faces[0]), 1, 1e-5);
  EXPECT_GT(alike(sum.faces[0], plain.faces[0]), 0.95);
  EXPECT_LT(alike(sum.faces[0], plain.faces[0]), 0.99999);
}

TEST_F(Pipeline, RefusesOptionsOutOfRange) {
  expect_refused([&] { open({.threads = -1}); }, "-1 threads");
  expect_refused([&] { open({.parallel = 1000}); }, "1000 pictures at once");
  expect_refused([&] { open({.detection_pixels = -5}); }, "detection in -5 pixels");
  expect_refused([&] { open({.embedder = "mtcnn"}); }, "not a model that embeds faces",
                 ErrorCode::unsupported);
  expect_refused([&] { open({.detector = "dlib-resnet"}); }, "not of a face detector",
                 ErrorCode::unsupported);
  expect_refused([&] { open({.detector = "mtcn"}); }, "mtcnn", ErrorCode::not_found);
}

// What decides vectors is in the hash, what does not is not.
TEST_F(Pipeline, TheHashNamesWhatDecidesVectors) {
  const std::string usual = open().model_hash();
  EXPECT_EQ(usual.size(), 64u);
  EXPECT_EQ(open({.threads = 1, .keep_chips = false}).model_hash(), usual);
  EXPECT_NE(open({.precision = models::Precision::fast}).model_hash(), usual);
  EXPECT_NE(open({.flip_sum = true}).model_hash(), usual);
  EXPECT_EQ(open({.flip_sum = false}).model_hash(), usual);
  // Points come from MTCNN's output net here, whose version must count.
  for (const char* detector : {"mtcnn", "dlib-mmod"}) {
    EXPECT_TRUE(contains(open({.detector = detector}).detector().identity(), "mtcnn/2"));
  }
}

}  // namespace
}  // namespace sosia::face
