#include "data/support.hpp"
#include "sosia/image/encode.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sosia::data {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
  }
  void put(const std::string& name, int width_px = 32, int height_px = 48) {
    fs::create_directories((root_ / name).parent_path());
    image::save(root_ / name, image::Image(width_px, height_px, 3, {10, 20, 30}));
  }
  DataSpec spec(DataSpec::Kind kind) const { return {.kind = kind, .path = root_.string()}; }
  fs::path root_;
};

TEST_F(Folder, OneFolderForEachSubject) {
  put("b/1.png");
  put("b/2.png", 640, 480);
  put("a/x.png");
  const auto set = open_dataset(spec(DataSpec::Kind::folder));
  ASSERT_EQ(set->size(), 3u);
  EXPECT_EQ(set->subjects(), 2);
  EXPECT_EQ(set->item(0).subject, 0);
  EXPECT_EQ(set->item(2).subject, 1);
  EXPECT_EQ(set->read(0, {}).extent(), (image::Extent{32, 48}));
  image::Extent told;
  const image::Image quarter = set->read(2, [&](image::Extent full) {
    told = full;
    return 4;
  });
  EXPECT_EQ(told, (image::Extent{640, 480}));
  EXPECT_EQ(quarter.extent(), (image::Extent{160, 120}));
}

TEST_F(Folder, ABrokenPictureNamesItself) {
  put("a/x.png");
  std::ofstream(root_ / "a/y.png") << "no picture";
  const auto set = open_dataset(spec(DataSpec::Kind::folder));
  try {
    set->read(1, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.context().find("y.png"), std::string::npos) << error.render();
  }
}

TEST_F(Folder, MarketLayoutGivesSubjectsAndCameras) {
  for (const char* name : {"0002_c1s1_000451_03.jpg", "0002_c2s1_000451_03.jpg",
                           "0007_c3s1_000001_01.jpg", "-1_c3s1_000001_01.jpg"}) {
    put(std::string("bounding_box_train/") + name);
  }
  put("query/0001_c1s1_001051_00.jpg");
  put("bounding_box_test/0001_c2s1_001051_00.jpg");
  DataSpec market = spec(DataSpec::Kind::reid);
  const auto train = open_dataset(market);
  ASSERT_EQ(train->size(), 3u);  // junk is dropped
  EXPECT_EQ(train->subjects(), 2);
  EXPECT_EQ(train->item(1).camera, 1);
  EXPECT_EQ(train->item(2).subject, 1);
  market.part = "val";
  EXPECT_THROW(open_dataset(market), Error);
  market.layout = "markt1501";
  EXPECT_THROW(open_dataset(market), Error);
}

TEST(Worlds, AreTheSamePicturesEachTime) {
  for (const auto kind : {DataSpec::Kind::world_faces, DataSpec::Kind::world_persons}) {
    const DataSpec spec{.kind = kind, .subjects = 3, .pictures = 2, .size_px = 64};
    const auto set = open_dataset(spec), again = open_dataset(spec);
    ASSERT_GE(set->size(), 6u);
    EXPECT_EQ(set->subjects(), 3);
    const image::Image a = set->read(1, {}), b = again->read(1, {});
    ASSERT_EQ(a.extent(), b.extent());
    for (int y = 0; y < a.height_px(); ++y) {
      ASSERT_TRUE(std::equal(a.view().row(y), a.view().row(y) + 3 * a.width_px(), b.view().row(y)));
    }
  }
}

TEST(Subsets, AreNumberedAnewAndDoNotShareSubjects) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{3, 2, 4, 1, 5, 2, 2, 2, 2, 2});
  const auto [train, test] = split_subjects(set, 0.3, 5);
  EXPECT_EQ(train->subjects(), 7);
  EXPECT_EQ(test->subjects(), 3);
  EXPECT_EQ(train->size() + test->size(), set->size());
  std::set<std::string> names;
  for (const auto* part : {train.get(), test.get()}) {
    std::set<std::string> mine;
    for (std::size_t i = 0; i < part->size(); ++i) {
      mine.insert(part->item(i).name.substr(0, part->item(i).name.find('/')));
    }
    EXPECT_EQ(mine.size(), static_cast<std::size_t>(part->subjects()));
    for (const std::string& name : mine) EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_THROW(split_subjects(set, 0, 5), Error);
  EXPECT_THROW(split_subjects(set, 1, 5), Error);
}

TEST(Specs, MissingPathsAreNamed) {
  EXPECT_THROW(open_dataset({.kind = DataSpec::Kind::folder}), Error);
  EXPECT_THROW(open_dataset({.kind = DataSpec::Kind::folder, .path = "/no/such/folder"}), Error);
  EXPECT_THROW(open_dataset({.kind = DataSpec::Kind::recordio, .path = "/no/such/train.rec"}),
               Error);
}

}  // namespace
}  // namespace sosia::data
