// Which face of a photo is enrolled, what is noted beside it, and a gallery that grows by batches.

#include "common.hpp"
#include "errors.hpp"
#include "face/enrolment.hpp"
#include "face/support.hpp"
#include "sosia/core/files.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/world/face.hpp"

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

using testing::present;
using testing::test_store;

DescribedFace face_at(double x, double side, double quality = 0.8) {
  DescribedFace face;
  face.box = {x, 10, side, side};
  face.score = 0.99;
  face.quality.value = quality;
  return face;
}

Analysis photo_of(std::vector<DescribedFace> faces) {
  Analysis analysis;
  analysis.min_face_px = 20;
  analysis.faces = std::move(faces);
  return analysis;
}

TEST(ChooseFace, TheOnlyOne) {
  const Analysis photo = photo_of({face_at(0, 50)});
  const ChosenFace chosen = choose_face(photo, SeveralFaces::refuse, 0);
  EXPECT_EQ(chosen.face, &photo.faces[0]);
  EXPECT_EQ(chosen.remark, "");
}

TEST(ChooseFace, NoFaceSaysHowSmallWasLookedFor) {
  const ChosenFace chosen = choose_face(photo_of({}), SeveralFaces::dominant, 0);
  EXPECT_EQ(chosen.face, nullptr);
  EXPECT_TRUE(contains(chosen.problem, "20 px")) << chosen.problem;
}

TEST(ChooseFace, DominantNeedsThreeTimesTheAreaOfTheNext) {
  // Areas 100^2 and 58^2 = 3364: not a third. 57^2 = 3249 is.
  const Analysis alike = photo_of({face_at(200, 58), face_at(0, 100)});
  EXPECT_EQ(choose_face(alike, SeveralFaces::dominant, 0).face, nullptr);
  const Analysis clear = photo_of({face_at(200, 57), face_at(0, 100)});
  const ChosenFace chosen = choose_face(clear, SeveralFaces::dominant, 0);
  EXPECT_EQ(chosen.face, &clear.faces[1]);
  EXPECT_TRUE(contains(chosen.remark, "2 faces")) << chosen.remark;
  EXPECT_EQ(choose_face(alike, SeveralFaces::largest, 0).face, &alike.faces[1]);
  EXPECT_EQ(choose_face(clear, SeveralFaces::refuse, 0).face, nullptr);
}

TEST(ChooseFace, PoorAndDegenerateFacesAreRefused) {
  const Analysis poor = photo_of({face_at(0, 50, 0.2)});
  EXPECT_TRUE(contains(choose_face(poor, SeveralFaces::dominant, 0.3).problem, "quality"));
  Analysis odd = photo_of({face_at(0, 50)});
  odd.faces[0].degenerate = true;
  EXPECT_EQ(choose_face(odd, SeveralFaces::dominant, 0).face, nullptr);
}

TEST(NotedFace, OtherMetadataAreNoPlaceOfAFace) {
  EXPECT_FALSE(noted_face(Value()));
  EXPECT_FALSE(noted_face(Value::object({{"box", 3}})));
  EXPECT_FALSE(noted_face(parse_json(R"({"box": [1, 2, 3, 4], "landmarks": [[1, 2]]})")));
  EXPECT_FALSE(noted_face(
      parse_json(R"({"box": [1, 2, 3, "4"], "landmarks": [[1,2],[1,2],[1,2],[1,2],[1,2]]})")));
  const auto face = noted_face(
      parse_json(R"({"box": [1, 2, 3, 4], "landmarks": [[1,2],[3,4],[5,6],[7,8],[9,10.5]]})"));
  ASSERT_TRUE(face);
  EXPECT_EQ(face->box, (image::Box{1, 2, 3, 4}));
  EXPECT_EQ(face->landmarks[4], (image::Point{9, 10.5}));
}

/// The rest needs the networks that set-up installs.
class WithNetworks : public ::testing::Test {
 protected:
  void SetUp() override {
    const models::ModelStore store = test_store();
    if (!present(store, kDefaultDetector) || !present(store, kDefaultEmbedder)) {
      GTEST_SKIP() << "the weights that make setup installs are not there";
    }
    pipeline_ = std::make_unique<FacePipeline>(store, PipelineOptions{.threads = 1});
  }

  std::filesystem::path photo(std::uint64_t subject, std::uint64_t number) {
    const world::FaceImage made =
        world::render_face(world::random_face_identity(3, subject),
                           world::random_enrolment_attributes(3, subject, number), 256);
    const auto file =
        folder_.path() / (std::to_string(subject) + "_" + std::to_string(number) + ".png");
    image::save(file, made.picture, {}, Overwrite::replace);
    return file;
  }

  void enrol(Enroller& enroller, const std::filesystem::path& file, const std::string& label) {
    const Analysis found = pipeline_->analyse_file(file);
    enroller.add({.label = label, .origin = file.string()}, found.faces.at(0), photo_digest(file));
  }

  TemporaryFolder folder_;
  std::unique_ptr<FacePipeline> pipeline_;
  RunContext run_;
};

TEST_F(WithNetworks, APhotoIsEnrolledOnceAndItsFaceIsFoundAgain) {
  const auto file = photo(1, 0);
  const gallery::GalleryPlace place{.gallery = (folder_.path() / "g.sosia").string()};
  const std::string digest = photo_digest(file);
  {
    Enroller enroller(place, {}, *pipeline_, "test", run_);
    EXPECT_TRUE(enroller.empty());
    EXPECT_EQ(enroller.gallery(), nullptr) << "no gallery before something is enrolled";
    enrol(enroller, file, "Ada");
    EXPECT_TRUE(enroller.holds("Ada", digest));
    EXPECT_FALSE(enroller.holds("Eve", digest));
    enroller.flush();
    EXPECT_TRUE(enroller.made());
    EXPECT_EQ(enroller.totals().enrolled, 1u);
  }
  Enroller again(place, {}, *pipeline_, "test", run_);
  EXPECT_TRUE(again.holds("Ada", digest));
  EXPECT_FALSE(again.made());
  gallery::StoredTemplate stored;
  again.gallery()->scan(
      {},
      [&](const gallery::StoredTemplate& t) {
        stored = t;
        return true;
      },
      run_);
  const EnrolledChip chip = enrolled_chip(stored, *pipeline_);
  EXPECT_EQ(chip.problem, "");
  EXPECT_EQ(chip.picture.extent(), pipeline_->aligner().extent());
  // Another photo in its place is not shown for it.
  std::filesystem::copy_file(photo(2, 0), file, std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(contains(enrolled_chip(stored, *pipeline_).problem, "changed"));
  std::filesystem::remove(file);
  EXPECT_TRUE(contains(enrolled_chip(stored, *pipeline_).problem, "not there"));
}

TEST_F(WithNetworks, WhatWasCollectedIsWrittenThoughTheRunIsCancelled) {
  const auto token = std::make_shared<CancelToken>();
  RunContext run({.cancel = token});
  const gallery::GalleryPlace place{.gallery = (folder_.path() / "g.sosia").string()};
  Enroller enroller(place, {}, *pipeline_, "test", run);
  const auto file = photo(1, 0);
  enrol(enroller, file, "Ada");
  token->cancel();
  enroller.flush();
  EXPECT_EQ(enroller.totals().enrolled, 1u);
  EXPECT_EQ(enroller.gallery()->info().templates, 1u);
}

TEST_F(WithNetworks, VectorsOfAnotherModelAreRefusedWithTheCardsThatMadeThem) {
  const gallery::GalleryPlace place{.gallery = (folder_.path() / "g.sosia").string()};
  const auto file = photo(1, 0);
  {
    Enroller enroller(place, {}, *pipeline_, "test", run_);
    enrol(enroller, file, "Ada");
    enroller.flush();
  }
  const FacePipeline other(test_store(), {.threads = 1, .precision = models::Precision::fast});
  const Error error = error_of([&] { Enroller(place, {}, other, "test", run_); });
  EXPECT_EQ(error.code(), ErrorCode::conflict);
  EXPECT_TRUE(contains(error.hint(), "--detector mtcnn --model dlib-resnet")) << error.render();
  EXPECT_TRUE(contains(error.hint(), "face migrate")) << error.render();
}

TEST_F(WithNetworks, ANewGalleryHasTheCalibrationOfTheCard) {
  const auto calibration = starting_calibration(*pipeline_);
  if (!calibration) GTEST_SKIP() << "the embedder's card carries no calibration";
  EXPECT_EQ(calibration->model, pipeline_->model_hash());
  // Through another pipeline the record does not fit to the bit, and its set says so.
  const FacePipeline other(test_store(), {.threads = 1, .precision = models::Precision::fast});
  const auto foreign = starting_calibration(other);
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->model, "");
  EXPECT_TRUE(contains(foreign->set, "fitted with another")) << foreign->set;
}

}  // namespace
}  // namespace sosia::face
