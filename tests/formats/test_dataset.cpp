#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/dataset.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

namespace fs = std::filesystem;

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The shared data, or nothing.
fs::path shared_data(const char* name) {
  const char* root = std::getenv("SOSIA_DATA");
  const fs::path base =
      root != nullptr ? fs::path(root) : fs::path(SOSIA_SOURCE_DIR).parent_path() / "shared/data";
  return fs::exists(base / name) ? base / name : fs::path();
}

class Dataset : public testing::Test {
 protected:
  /// Makes empty files: the loaders only list.
  void touch(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      fs::create_directories((root() / name).parent_path());
      write_file(root() / name, std::string_view());
    }
  }
  const fs::path& root() const { return folder_.path(); }
  std::vector<std::string> names(const std::vector<ReidImage>& images) const {
    std::vector<std::string> out;
    for (const ReidImage& image : images) out.push_back(fs::path(image.path).filename().string());
    return out;
  }

 private:
  TemporaryFolder folder_;
};

std::uint64_t found(const ReidDataset& data, std::string_view what) {
  for (const CountDifference& difference : data.differences) {
    if (difference.what == what) return difference.found;
  }
  return ~std::uint64_t{0};
}

using DatasetSubjects = Dataset;

TEST_F(DatasetSubjects, OneFolderPerSubject) {
  touch({"bob/2.jpg", "bob/1.PNG", "bob/notes.txt", "bob/.hidden.jpg", "alice/deep/x.jpg",
         "nobody/readme.md", "loose.jpg", ".git/x.jpg"});
  const SubjectListing listing = list_subjects(root());
  ASSERT_EQ(listing.subjects.size(), 2u);
  EXPECT_EQ(listing.subjects[0].name, "alice");
  EXPECT_EQ(listing.subjects[0].images.size(), 1u);
  EXPECT_EQ(
      listing.subjects[1].images,
      (std::vector<std::string>{(root() / "bob/1.PNG").string(), (root() / "bob/2.jpg").string()}));
  EXPECT_EQ(listing.warnings.size(), 2u);  // nobody, loose.jpg
}

TEST_F(DatasetSubjects, NothingToList) {
  EXPECT_EQ(code_of([&] { list_subjects(root()); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { list_subjects(root() / "none"); }), ErrorCode::not_found);
  touch({"file.jpg"});
  EXPECT_EQ(code_of([&] { list_subjects(root()); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { list_subjects(root() / "file.jpg"); }), ErrorCode::io);
}

TEST(DatasetNames, Market) {
  const auto name = parse_market_name("0012_c3s1_051676_02.jpg");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->subject, 12);
  EXPECT_EQ(name->camera, 2);
  EXPECT_EQ(name->time, 51676.0);
  EXPECT_EQ(parse_market_name("-1_c6s3_000001_00.jpg")->subject, -1);
  EXPECT_EQ(parse_market_name("0000_c1s1_000151_01.jpg")->subject, 0);
  const auto duke = parse_market_name("0005_c8_f0058985.jpg");
  EXPECT_EQ(duke->camera, 7);
  EXPECT_EQ(duke->time, 58985.0);
  EXPECT_EQ(parse_market_name("0003_c1_21.png")->camera, 0);
  for (const char* bad :
       {"", "Thumbs.db", "0012.jpg", "0012_c.jpg", "0012_c0s1_1.jpg", "_c1s1_1.jpg", "12a_c1s1.jpg",
        "99999999999999999999_c1.jpg", "1_c99999999999.jpg"}) {
    EXPECT_FALSE(parse_market_name(bad)) << bad;
  }
}

TEST(DatasetNames, OtherSets) {
  const auto msmt = parse_msmt17_name("0001_007_12_0303morning_0066_1.jpg");
  ASSERT_TRUE(msmt);
  EXPECT_EQ(msmt->subject, 1);
  EXPECT_EQ(msmt->camera, 11);
  EXPECT_FALSE(parse_msmt17_name("0001_007.jpg"));
  const auto ltcc = parse_ltcc_name("094_1_c9_015833.png");
  ASSERT_TRUE(ltcc);
  EXPECT_EQ(ltcc->subject, 94);
  EXPECT_EQ(ltcc->clothes, 1);
  EXPECT_EQ(ltcc->camera, 8);
  EXPECT_EQ(ltcc->time, 15833.0);
  EXPECT_FALSE(parse_ltcc_name("094_c9_015833.png"));
  EXPECT_EQ(parse_viper_name("023_180.bmp")->subject, 23);
  EXPECT_FALSE(parse_viper_name("023.bmp"));
  EXPECT_EQ(parse_folder_camera("3_17.jpg"), 3);
  EXPECT_EQ(parse_folder_camera("c3_17.jpg"), 3);
  EXPECT_FALSE(parse_folder_camera("17.jpg"));
  EXPECT_FALSE(parse_folder_camera("cat_17.jpg"));
}

using DatasetReid = Dataset;

TEST_F(DatasetReid, Market) {
  touch({"M/bounding_box_train/0002_c1s1_000451_03.jpg",
         "M/bounding_box_train/0002_c2s1_000451_03.jpg", "M/bounding_box_train/Thumbs.db",
         "M/bounding_box_train/odd.jpg", "M/bounding_box_train/-1_c1s1_000401_03.jpg",
         "M/query/0001_c1s1_001051_00.jpg", "M/bounding_box_test/0001_c2s1_000301_00.jpg",
         "M/bounding_box_test/0000_c3s1_000151_01.jpg",
         "M/bounding_box_test/-1_c4s1_000401_03.jpg"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::market1501);
  const ReidDataset data = load_reid(root(), ReidLayout::market1501);  // the folder above
  EXPECT_EQ(data.root, (root() / "M").string());
  EXPECT_EQ(names(data.train),
            (std::vector<std::string>{"0002_c1s1_000451_03.jpg", "0002_c2s1_000451_03.jpg"}));
  EXPECT_EQ(data.train[1].camera, 1);
  ASSERT_EQ(data.gallery.size(), 2u);
  EXPECT_EQ(data.gallery[0].subject, 0);  // a distractor stays
  EXPECT_EQ(data.distractors, 1u);
  EXPECT_EQ(data.junk_dropped, 2u);
  ASSERT_EQ(data.query.size(), 1u);
  EXPECT_TRUE(data.query[0].camera_known);
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_NE(data.warnings[0].find("odd.jpg"), std::string::npos);
  EXPECT_EQ(found(data, "training images"), 2u);
  EXPECT_EQ(found(data, "query images"), 1u);
  EXPECT_EQ(found(data, "gallery images"), 2u);
  EXPECT_EQ(found(data, "cameras"), 3u);
  EXPECT_TRUE(load_reid(root(), ReidLayout::market1501, {"", false}).differences.empty());
}

TEST_F(DatasetReid, DukeHasNoDistractorNumber) {
  touch({"bounding_box_train/0001_c2_f0046182.jpg", "query/0005_c2_f0046985.jpg",
         "bounding_box_test/0005_c5_f0051341.jpg"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::dukemtmc);
  const ReidDataset data = load_reid(root(), ReidLayout::dukemtmc);
  EXPECT_EQ(data.gallery[0].camera, 4);
  EXPECT_EQ(data.distractors, 0u);
}

TEST_F(DatasetReid, MissingPartIsAWarning) {
  touch({"query/0001_c1s1_001051_00.jpg", "bounding_box_test/0001_c2s1_001051_00.jpg"});
  const ReidDataset data = load_reid(root(), ReidLayout::market1501);
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_NE(data.warnings[0].find("bounding_box_train"), std::string::npos);
}

TEST_F(DatasetReid, Msmt17BothVersions) {
  for (const bool second : {false, true}) {
    const fs::path base = root() / (second ? "v2" : "v1");
    fs::create_directories(base / (second ? "mask_train_v2" : "train"));
    fs::create_directories(base / (second ? "mask_test_v2" : "test"));
    write_file(base / "list_train.txt",
               "0001/0001_000_02_0303noon_0001_0.jpg 1\n0000/0000_001_01_0303noon_0001_0.jpg 0\n");
    write_file(base / "list_val.txt", "0000/0000_000_15_0303noon_0001_0.jpg 0\n");
    write_file(base / "list_query.txt", "0000/0000_000_03_0303noon_0001_0.jpg 0\n");
    write_file(base / "list_gallery.txt", "");
    EXPECT_EQ(detect_reid_layout(base), ReidLayout::msmt17);
    const ReidDataset data = load_reid(base, ReidLayout::msmt17);
    ASSERT_EQ(data.train.size(), 2u);  // sorted by path, val is kept apart
    EXPECT_EQ(data.train[0].path,
              (base / (second ? "mask_train_v2" : "train") / "0000/0000_001_01_0303noon_0001_0.jpg")
                  .string());
    EXPECT_EQ(data.train[1].subject, 1);
    EXPECT_EQ(data.train[1].camera, 1);
    ASSERT_EQ(data.val.size(), 1u);
    EXPECT_EQ(data.val[0].camera, 14);
    EXPECT_EQ(found(data, "training images"), 2u);
    EXPECT_EQ(found(data, "validation images"), 1u);
  }
  for (const char* bad : {"x.jpg 1", "0000/0000_000_03_a.jpg", "0000/0000_000_03_a.jpg -2",
                          "0000/0000_000_00_a.jpg 1"}) {
    EXPECT_EQ(code_of([&] { parse_msmt17_list(bad, "f", "list.txt"); }), ErrorCode::corrupt_data)
        << bad;
  }
}

TEST_F(DatasetReid, Cuhk03Variants) {
  touch({"detected/bounding_box_train/0003_c1_21.png", "detected/query/0001_c1_1.png",
         "detected/bounding_box_test/0001_c2_6.png", "labeled/bounding_box_train/0003_c1_21.png",
         "labeled/bounding_box_train/0003_c2_22.png", "labeled/query/0001_c1_1.png",
         "labeled/bounding_box_test/0001_c2_6.png"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::cuhk03_np);
  EXPECT_EQ(load_reid(root(), ReidLayout::cuhk03_np).train.size(), 1u);
  EXPECT_EQ(load_reid(root(), ReidLayout::cuhk03_np, {"labeled", true}).train.size(), 2u);
  EXPECT_EQ(load_reid(root() / "labeled", ReidLayout::cuhk03_np).train.size(), 2u);
  EXPECT_EQ(code_of([&] { load_reid(root(), ReidLayout::cuhk03_np, {"other", true}); }),
            ErrorCode::invalid_argument);
}

TEST_F(DatasetReid, Viper) {
  touch({"VIPeR/cam_a/000_45.bmp", "VIPeR/cam_b/000_90.bmp", "VIPeR/cam_b/001_90.bmp"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::viper);
  const ReidDataset data = load_reid(root(), ReidLayout::viper);
  ASSERT_EQ(data.unsplit.size(), 3u);
  EXPECT_EQ(data.unsplit[0].camera, 0);
  EXPECT_EQ(data.unsplit[2].camera, 1);
  EXPECT_EQ(data.unsplit[2].subject, 1);
  EXPECT_EQ(data.distractors, 0u);  // person 0 is a person here
  EXPECT_EQ(found(data, "images"), 3u);
}

TEST_F(DatasetReid, LtccOutfitsAreDistinctAcrossSubjects) {
  touch({"train/001_1_c2_000010.png", "train/001_2_c2_000011.png", "train/002_1_c3_000012.png",
         "query/003_1_c1_000013.png", "test/003_1_c4_000014.png", "test/003_2_c4_000015.png"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::ltcc);
  const ReidDataset data = load_reid(root(), ReidLayout::ltcc);
  const std::set<int> train{data.train[0].clothes, data.train[1].clothes, data.train[2].clothes};
  EXPECT_EQ(train.size(), 3u);
  ASSERT_EQ(data.gallery.size(), 2u);
  EXPECT_EQ(data.query[0].clothes, data.gallery[0].clothes);
  EXPECT_NE(data.query[0].clothes, data.gallery[1].clothes);
}

TEST_F(DatasetReid, PrccClothesFollowTheCamera) {
  touch({"rgb/train/002/A_cropped_rgb001.jpg", "rgb/train/002/B_cropped_rgb001.jpg",
         "rgb/train/002/C_cropped_rgb001.jpg", "rgb/val/004/A_cropped_rgb001.jpg",
         "rgb/train/002/D_cropped.jpg", "rgb/test/A/003/cropped_rgb001.jpg",
         "rgb/test/B/003/cropped_rgb001.jpg", "rgb/test/C/003/cropped_rgb001.jpg"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::prcc);
  const ReidDataset data = load_reid(root(), ReidLayout::prcc);
  ASSERT_EQ(data.train.size(), 3u);
  EXPECT_EQ(data.train[0].clothes, data.train[1].clothes);
  EXPECT_NE(data.train[0].clothes, data.train[2].clothes);
  EXPECT_EQ(data.train[2].camera, 2);
  EXPECT_EQ(data.val.size(), 1u);
  ASSERT_EQ(data.gallery.size(), 1u);
  EXPECT_EQ(data.gallery[0].camera, 0);
  ASSERT_EQ(data.query.size(), 2u);
  EXPECT_EQ(data.query[0].clothes, data.gallery[0].clothes);
  EXPECT_NE(data.query[1].clothes, data.gallery[0].clothes);
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_NE(data.warnings[0].find("D_cropped.jpg"), std::string::npos);
}

TEST_F(DatasetReid, GenericFolderNumbersUnknownCameras) {
  touch({"query/anna/0_1.jpg", "query/ben/c1_1.jpg", "gallery/anna/photo.jpg",
         "gallery/ben/other.jpg"});
  EXPECT_EQ(detect_reid_layout(root()), ReidLayout::folder);
  const ReidDataset data = load_reid(root(), ReidLayout::folder);
  EXPECT_EQ(data.subject_names, (std::vector<std::string>{"anna", "ben"}));
  EXPECT_EQ(data.query[1].subject, 1);
  EXPECT_EQ(data.query[1].camera, 1);
  std::set<int> cameras{0, 1};
  for (const ReidImage& image : data.gallery) {
    EXPECT_FALSE(image.camera_known);
    EXPECT_TRUE(cameras.insert(image.camera).second) << "a camera number is used twice";
  }
  EXPECT_EQ(data.warnings.size(), 1u);
}

TEST_F(DatasetReid, GenericFolderKeepsNumbersAndSubjectZero) {
  touch({"0000/0_1.jpg", "0000/1_1.jpg", "0010/0_1.jpg", "-1/0_1.jpg"});
  const ReidDataset data = load_reid(root(), ReidLayout::folder);
  ASSERT_EQ(data.unsplit.size(), 3u);
  EXPECT_TRUE(data.subject_names.empty());
  EXPECT_EQ(data.unsplit[0].subject, 0);
  EXPECT_EQ(data.unsplit[2].subject, 10);
  EXPECT_EQ(data.junk_dropped, 1u);
  EXPECT_EQ(data.distractors, 0u);  // only some sets give 0 that meaning
}

TEST_F(DatasetReid, NothingThere) {
  EXPECT_EQ(code_of([&] { load_reid(root() / "none", ReidLayout::market1501); }),
            ErrorCode::not_found);
  for (const ReidLayout layout :
       {ReidLayout::market1501, ReidLayout::dukemtmc, ReidLayout::msmt17, ReidLayout::cuhk03_np,
        ReidLayout::viper, ReidLayout::ltcc, ReidLayout::prcc, ReidLayout::folder}) {
    EXPECT_EQ(code_of([&] { load_reid(root(), layout); }), ErrorCode::not_found)
        << reid_layout_name(layout);
  }
}

TEST_F(DatasetReid, CsvFile) {
  write_file(root() / "set.csv",
             "path,pid,cam,clothes,track,time,split\n"
             "b.jpg,7,c2,red,4,1.5,query\n"
             "/abs/a.jpg,-1,c1,blue,5,,gallery\n"
             "a.jpg,7,c1,blue,5,,gallery\n"
             "c.jpg,9,,,,,train\n");
  EXPECT_EQ(detect_reid_layout(root() / "set.csv"), ReidLayout::csv);
  const ReidDataset data = load_reid(root() / "set.csv", ReidLayout::csv);
  ASSERT_EQ(data.query.size(), 1u);
  EXPECT_EQ(data.query[0].path, (root() / "b.jpg").string());
  EXPECT_EQ(data.query[0].subject, 7);
  EXPECT_EQ(data.query[0].camera, 1);
  EXPECT_EQ(data.query[0].time, 1.5);
  EXPECT_EQ(data.query[0].track, 4);
  ASSERT_EQ(data.gallery.size(), 1u);
  EXPECT_EQ(data.gallery[0].camera, 0);
  EXPECT_NE(data.gallery[0].clothes, data.query[0].clothes);
  EXPECT_EQ(data.junk_dropped, 1u);
  ASSERT_EQ(data.train.size(), 1u);
  EXPECT_FALSE(data.train[0].camera_known);
  EXPECT_EQ(data.train[0].camera, 2);
  EXPECT_EQ(data.train[0].clothes, -1);
}

TEST(DatasetCsv, ListsAreSortedByPath) {
  const ReidDataset data = parse_reid_csv(bytes_of("path,pid\nb.jpg,1\na.jpg,2\n"), "", "x.csv");
  ASSERT_EQ(data.unsplit.size(), 2u);
  EXPECT_EQ(data.unsplit[0].path, "a.jpg");
  EXPECT_NE(data.unsplit[0].camera, data.unsplit[1].camera);
}

TEST(DatasetCsv, TextSubjects) {
  const ReidDataset data =
      parse_reid_csv(bytes_of("image,subject,cam\na.jpg,zoe,0\nb.jpg,abe,1\n"), "r", "x.csv");
  EXPECT_EQ(data.subject_names, (std::vector<std::string>{"abe", "zoe"}));
  EXPECT_EQ(data.unsplit[0].subject, 1);
  EXPECT_EQ(data.unsplit[1].camera, 1);
  // "1" and "01" are different names, so no name is taken as a number.
  const ReidDataset padded = parse_reid_csv(bytes_of("path,pid\na,1\nb,01\n"), "", "x.csv");
  EXPECT_EQ(padded.subject_names.size(), 2u);
}

TEST(DatasetCsv, Errors) {
  for (const char* bad : {"file,cam\na,1\n", "path,pid\n,1\n", "path,pid\na,\n",
                          "path,pid,split\na,1,other\n", "path,pid,time\na,1,late\n",
                          "path,pid,cam\na,1,-3\n", "path,pid,cam\na,1,99999999999\n", ""}) {
    EXPECT_EQ(code_of([&] { parse_reid_csv(bytes_of(bad), "", "x.csv"); }), ErrorCode::corrupt_data)
        << bad;
  }
}

TEST(DatasetRelabel, CountsFromZeroInOrderOfIds) {
  std::vector<ReidImage> images(4);
  const std::int64_t ids[] = {30, 2, 30, 7};
  for (std::size_t i = 0; i < 4; ++i) images[i].subject = ids[i];
  EXPECT_EQ(relabel_subjects(images), (std::vector<std::int64_t>{2, 7, 30}));
  const std::int64_t wanted[] = {2, 0, 2, 1};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(images[i].subject, wanted[i]);
}

TEST(DatasetRealFiles, OrlFaces) {
  const fs::path root = shared_data("faces-orl");
  if (root.empty()) GTEST_SKIP() << "faces-orl is not there; set SOSIA_DATA";
  const SubjectListing listing = list_subjects(root);
  ASSERT_EQ(listing.subjects.size(), 40u);
  for (const SubjectFolder& subject : listing.subjects) EXPECT_EQ(subject.images.size(), 10u);
}

TEST(DatasetRealFiles, MarketSamples) {
  const fs::path root = shared_data("reid-market-samples");
  if (root.empty()) GTEST_SKIP() << "reid-market-samples is not there; set SOSIA_DATA";
  std::set<std::int64_t> subjects;
  std::set<int> cameras_of_first;
  std::size_t images = 0;
  for (const auto& entry : fs::directory_iterator(root / "crops")) {
    const auto name = parse_market_name(entry.path().filename().string());
    ASSERT_TRUE(name) << entry.path();
    subjects.insert(name->subject);
    if (name->subject == 1) cameras_of_first.insert(name->camera);
    ++images;
  }
  EXPECT_EQ(images, 7u);
  EXPECT_EQ(subjects.size(), 6u);
  EXPECT_EQ(cameras_of_first, (std::set<int>{0, 5}));
}

}  // namespace
}  // namespace sosia::formats
