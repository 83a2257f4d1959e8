#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/dataset.hpp"

#include <algorithm>

namespace sosia::formats {
namespace {

namespace fs = std::filesystem;

/// A scratch folder with empty files.
class Tree {
 public:
  explicit Tree(const std::vector<std::string>& files) {
    for (const std::string& file : files) add(file, "");
  }
  void add(const std::string& file, std::string_view content) {
    const fs::path path = root() / file;
    fs::create_directories(path.parent_path());
    write_file(path, content);
  }
  const fs::path& root() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

ReidOptions without_counts() {
  ReidOptions options;
  options.compare_counts = false;
  return options;
}

std::vector<std::string> names(const std::vector<ReidImage>& images) {
  std::vector<std::string> out;
  for (const ReidImage& image : images) out.push_back(fs::path(image.path).filename().string());
  return out;
}

TEST(ReidNames, Market) {
  const auto name = parse_market_name("0002_c3s2_000451_03.jpg");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->subject, 2);
  EXPECT_EQ(name->camera, 2);
  EXPECT_EQ(name->time, 451);
  EXPECT_EQ(parse_market_name("-1_c1s1_000401_03.jpg")->subject, -1);
  EXPECT_EQ(parse_market_name("0001_c2_f0046182.jpg")->time, 46182);  // DukeMTMC-reID
  EXPECT_EQ(parse_market_name("0003_c1_21.png")->camera, 0);          // CUHK03-NP
  EXPECT_EQ(parse_market_name("0003_c12_1.png")->camera, 11);
  for (const char* bad :
       {"", "x", "0001", "0001_c", "0001_c0s1_1_1.jpg", "0001_s1_1.jpg", "_c1s1.jpg", "--1_c1.jpg",
        "0001_c1s_1.jpg", "99999999999999999999_c1.jpg"}) {
    EXPECT_FALSE(parse_market_name(bad).has_value()) << bad;
  }
}

TEST(ReidNames, OtherSets) {
  EXPECT_EQ(parse_msmt17_name("0000_000_01_0303morning_0015_0.jpg")->camera, 0);
  EXPECT_EQ(parse_msmt17_name("3059_010_15_0303noon_0015_0.jpg")->camera, 14);
  EXPECT_FALSE(parse_msmt17_name("0000_000_xx.jpg").has_value());
  const auto ltcc = parse_ltcc_name("094_1_c9_015833.png");
  ASSERT_TRUE(ltcc.has_value());
  EXPECT_EQ(ltcc->subject, 94);
  EXPECT_EQ(ltcc->clothes, 1);
  EXPECT_EQ(ltcc->camera, 8);
  EXPECT_EQ(ltcc->time, 15833);
  EXPECT_FALSE(parse_ltcc_name("094_c9_015833.png").has_value());
  EXPECT_EQ(parse_viper_name("045_90.bmp")->subject, 45);
  EXPECT_EQ(parse_folder_camera("2_0001.jpg"), 2);
  EXPECT_EQ(parse_folder_camera("c10_0001.jpg"), 10);
  EXPECT_FALSE(parse_folder_camera("George_W_Bush_0001.jpg").has_value());
  EXPECT_FALSE(parse_folder_camera("0001.jpg").has_value());
}

TEST(Subjects, OneFolderEachSorted) {
  Tree tree({"bob/2.JPG", "bob/1.png", "ann/deep/er/3.jpeg", "empty/readme.txt", "loose.jpg",
             ".hidden/x.jpg", "bob/.thumb.jpg", "bob/notes.txt"});
  const SubjectListing listing = list_subjects(tree.root());
  ASSERT_EQ(listing.subjects.size(), 2u);
  EXPECT_EQ(listing.subjects[0].name, "ann");
  ASSERT_EQ(listing.subjects[1].images.size(), 2u);
  EXPECT_TRUE(listing.subjects[1].images[0].ends_with("bob/1.png"));
  ASSERT_EQ(listing.warnings.size(), 2u);
  EXPECT_TRUE(contains(listing.warnings[0], "empty"));
  EXPECT_TRUE(contains(listing.warnings[1], "1 images"));
  EXPECT_EQ(code_of([&] { list_subjects(tree.root() / "empty"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { list_subjects(tree.root() / "absent"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { list_subjects(tree.root() / "loose.jpg"); }), ErrorCode::io);
}

TEST(Reid, MarketWithJunkDistractorsAndOddNames) {
  Tree tree(
      {"Market/bounding_box_train/0007_c1s1_000001_01.jpg",
       "Market/bounding_box_train/0002_c3s1_000001_01.jpg", "Market/bounding_box_train/Thumbs.db",
       "Market/query/0005_c2s1_000001_00.jpg", "Market/bounding_box_test/0005_c4s1_000001_00.jpg",
       "Market/bounding_box_test/-1_c4s1_000001_00.jpg",
       "Market/bounding_box_test/0000_c6s1_000001_00.jpg", "Market/bounding_box_test/odd.jpg"});
  EXPECT_EQ(detect_reid_layout(tree.root() / "Market"), ReidLayout::market1501);
  EXPECT_EQ(detect_reid_layout(tree.root()), ReidLayout::market1501);  // the folder above
  ReidDataset data = load_reid(tree.root(), ReidLayout::market1501);
  EXPECT_EQ(names(data.train),
            (std::vector<std::string>{"0002_c3s1_000001_01.jpg", "0007_c1s1_000001_01.jpg"}));
  EXPECT_EQ(data.train[0].camera, 2);
  EXPECT_EQ(data.gallery.size(), 2u);
  EXPECT_EQ(data.junk_dropped, 1u);
  EXPECT_EQ(data.distractors, 1u);
  ASSERT_EQ(data.warnings.size(), 1u);
  EXPECT_TRUE(contains(data.warnings[0], "odd.jpg"));
  EXPECT_EQ(relabel_subjects(data.train), (std::vector<std::int64_t>{2, 7}));
  EXPECT_EQ(data.train[1].subject, 1);
  EXPECT_EQ(data.query[0].subject, 5);  // test sets keep their numbers

  ASSERT_EQ(data.differences.size(), 6u);
  EXPECT_EQ(data.differences[0].what, "training subjects");
  EXPECT_EQ(data.differences[0].expected, 751u);
  EXPECT_EQ(data.differences[0].found, 2u);
  EXPECT_EQ(data.differences[5].what, "gallery images");
  EXPECT_EQ(data.differences[5].expected, 15913u);
  EXPECT_TRUE(load_reid(tree.root(), ReidLayout::market1501, without_counts()).differences.empty());
}

/// A full-size Market-1501 of empty files has no differences.
TEST(Reid, CompleteMarketMatchesThePublishedCounts) {
  Tree tree({});
  const auto fill = [&](const std::string& folder, int first_id, int ids, int images) {
    fs::create_directories(tree.root() / folder);
    for (int i = 0; i < images; ++i) {
      char name[64];
      std::snprintf(name, sizeof(name), "%04d_c%ds1_%06d_00.jpg", first_id + i % ids, 1 + i % 6, i);
      std::FILE* file = std::fopen((tree.root() / folder / name).c_str(), "w");
      ASSERT_NE(file, nullptr);
      std::fclose(file);
    }
  };
  fill("bounding_box_train", 1, 751, 12936);
  fill("query", 800, 750, 3368);
  fill("bounding_box_test", 799, 751, 15913);
  const ReidDataset data = load_reid(tree.root(), ReidLayout::market1501);
  EXPECT_TRUE(data.differences.empty());
  EXPECT_TRUE(data.warnings.empty());
}

TEST(Reid, DukeAndCuhk03AreToldApart) {
  Tree duke({"bounding_box_train/0001_c2_f0046182.jpg", "query/0005_c2_f0046985.jpg",
             "bounding_box_test/0002_c1_f0044158.jpg"});
  EXPECT_EQ(detect_reid_layout(duke.root()), ReidLayout::dukemtmc);
  EXPECT_EQ(load_reid(duke.root(), ReidLayout::dukemtmc).query[0].time, 46985);

  Tree cuhk({"detected/bounding_box_train/0001_c1_1.png", "detected/query/0003_c1_21.png",
             "detected/bounding_box_test/0003_c2_6.png", "labeled/query/0004_c1_21.png"});
  EXPECT_EQ(detect_reid_layout(cuhk.root()), ReidLayout::cuhk03_np);
  EXPECT_EQ(load_reid(cuhk.root(), ReidLayout::cuhk03_np).query[0].subject, 3);
  ReidOptions labeled;
  labeled.variant = "labeled";
  const ReidDataset data = load_reid(cuhk.root(), ReidLayout::cuhk03_np, labeled);
  EXPECT_EQ(data.query[0].subject, 4);
  EXPECT_EQ(data.warnings.size(), 2u);  // two folders are missing
  labeled.variant = "drawn";
  EXPECT_EQ(code_of([&] { load_reid(cuhk.root(), ReidLayout::cuhk03_np, labeled); }),
            ErrorCode::invalid_argument);
}

TEST(Reid, Msmt17ListsKeepValidationApart) {
  Tree tree({"mask_train_v2/0000/x.jpg", "mask_test_v2/0000/x.jpg"});
  tree.add("list_train.txt",
           "0001/0001_000_05_0303morning_0015_0.jpg 1\n"
           "0000/0000_000_01_0303morning_0015_0.jpg 0\n");
  tree.add("list_val.txt", "0000/0000_001_15_0303morning_0015_0.jpg 0\n");
  tree.add("list_query.txt", "0000/0000_002_02_0303morning_0015_0.jpg 0\n");
  tree.add("list_gallery.txt", "0000/0000_003_03_0303morning_0015_0.jpg 0\n");
  EXPECT_EQ(detect_reid_layout(tree.root()), ReidLayout::msmt17);
  const ReidDataset data = load_reid(tree.root(), ReidLayout::msmt17);
  EXPECT_EQ(data.train.size(), 2u);
  EXPECT_EQ(data.train[0].subject, 0);  // sorted by path
  EXPECT_EQ(data.val.size(), 1u);
  EXPECT_EQ(data.val[0].camera, 14);
  EXPECT_TRUE(contains(data.query[0].path, "mask_test_v2/0000/0000_002"));
  EXPECT_EQ(error_of([] { parse_msmt17_list("0000/a.jpg 0\n", "f", "l.txt"); }).context(),
            "l.txt: line 1");
  EXPECT_EQ(code_of([] { parse_msmt17_list("0000/0000_000_01_x.jpg\n", "f", "l.txt"); }),
            ErrorCode::corrupt_data);
}

TEST(Reid, Viper) {
  Tree tree({"VIPeR/cam_a/000_45.bmp", "VIPeR/cam_b/000_90.bmp", "VIPeR/cam_b/001_0.bmp"});
  EXPECT_EQ(detect_reid_layout(tree.root()), ReidLayout::viper);
  const ReidDataset data = load_reid(tree.root(), ReidLayout::viper);
  ASSERT_EQ(data.unsplit.size(), 3u);
  EXPECT_EQ(data.unsplit[0].camera, 0);
  EXPECT_EQ(data.unsplit[2].camera, 1);
  EXPECT_EQ(data.distractors, 0u);  // person 0 is a person here
  ASSERT_EQ(data.differences.size(), 1u);
  EXPECT_EQ(data.differences[0].expected, 1264u);
}

TEST(Reid, LtccOutfitsAreDistinctAcrossPersons) {
  Tree tree({"train/001_1_c1_000001.png", "train/002_1_c2_000001.png", "train/002_2_c2_000002.png",
             "query/003_1_c12_000001.png", "test/003_1_c3_000001.png", "test/003_2_c3_000002.png"});
  EXPECT_EQ(detect_reid_layout(tree.root()), ReidLayout::ltcc);
  const ReidDataset data = load_reid(tree.root(), ReidLayout::ltcc, without_counts());
  EXPECT_EQ(data.train[0].clothes, 0);
  EXPECT_EQ(data.train[1].clothes, 1);
  EXPECT_EQ(data.train[2].clothes, 2);
  EXPECT_EQ(data.query[0].clothes, data.gallery[0].clothes);
  EXPECT_NE(data.gallery[0].clothes, data.gallery[1].clothes);
}

TEST(Reid, PrccCamerasAndClothes) {
  Tree tree({"prcc/rgb/train/001/A_cropped_rgb001.jpg", "prcc/rgb/train/001/B_cropped_rgb001.jpg",
             "prcc/rgb/train/001/C_cropped_rgb001.jpg", "prcc/rgb/train/001/odd.jpg",
             "prcc/rgb/val/002/C_cropped_rgb001.jpg", "prcc/rgb/test/A/003/cropped_rgb001.jpg",
             "prcc/rgb/test/B/003/cropped_rgb001.jpg", "prcc/rgb/test/C/003/cropped_rgb001.jpg"});
  EXPECT_EQ(detect_reid_layout(tree.root() / "prcc"), ReidLayout::prcc);
  const ReidDataset data = load_reid(tree.root() / "prcc", ReidLayout::prcc, without_counts());
  ASSERT_EQ(data.train.size(), 3u);
  EXPECT_EQ(data.train[0].clothes, data.train[1].clothes);
  EXPECT_NE(data.train[0].clothes, data.train[2].clothes);
  EXPECT_EQ(data.val.size(), 1u);
  ASSERT_EQ(data.gallery.size(), 1u);
  EXPECT_EQ(data.gallery[0].camera, 0);
  ASSERT_EQ(data.query.size(), 2u);
  EXPECT_EQ(data.query[0].camera, 1);
  EXPECT_EQ(data.query[1].camera, 2);
  EXPECT_EQ(data.query[0].clothes, data.gallery[0].clothes);
  EXPECT_EQ(data.warnings.size(), 1u);
}

TEST(Reid, GenericFoldersWithAndWithoutCameras) {
  Tree split({"query/0007/1_0001.jpg", "gallery/0007/2_0001.jpg", "gallery/0009/2_0001.jpg"});
  EXPECT_EQ(detect_reid_layout(split.root()), ReidLayout::folder);
  const ReidDataset numbered = load_reid(split.root(), ReidLayout::folder);
  EXPECT_EQ(numbered.query[0].subject, 7);
  EXPECT_EQ(numbered.gallery[1].subject, 9);
  EXPECT_TRUE(numbered.subject_names.empty());

  Tree plain({"ann/3_1.jpg", "ann/photo.jpg", "bob/photo.jpg"});
  const ReidDataset named = load_reid(plain.root(), ReidLayout::folder);
  ASSERT_EQ(named.unsplit.size(), 3u);
  EXPECT_EQ(named.subject_names, (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(named.unsplit[0].camera, 3);
  EXPECT_FALSE(named.unsplit[1].camera_known);
  EXPECT_EQ(named.unsplit[1].camera, 4);  // numbers that no other image has
  EXPECT_EQ(named.unsplit[2].camera, 5);
  EXPECT_EQ(named.warnings.size(), 1u);
  // "1" and "01" are two persons, so the names count and not the numbers.
  Tree twins({"1/1_1.jpg", "01/1_1.jpg"});
  EXPECT_EQ(load_reid(twins.root(), ReidLayout::folder).subject_names.size(), 2u);
}

TEST(Reid, CsvLists) {
  Tree tree({});
  tree.add("set.csv",
           "path,pid,cam,clothes,track,time,split\n"
           "a.jpg,5,0,red,7,1.5,query\n"
           "/abs/b.jpg,6,3,blue,,,gallery\n"
           "c.jpg,-1,2,,,,gallery\n"
           "d.jpg,5,,red,,,train\n");
  EXPECT_EQ(detect_reid_layout(tree.root() / "set.csv"), ReidLayout::csv);
  const ReidDataset data = load_reid(tree.root() / "set.csv", ReidLayout::csv);
  ASSERT_EQ(data.query.size(), 1u);
  EXPECT_EQ(data.query[0].path, (tree.root() / "a.jpg").string());
  EXPECT_EQ(data.query[0].subject, 5);
  EXPECT_EQ(data.query[0].track, 7);
  EXPECT_EQ(data.query[0].time, 1.5);
  EXPECT_EQ(data.query[0].clothes, 1);  // blue, red
  ASSERT_EQ(data.gallery.size(), 1u);
  EXPECT_EQ(data.gallery[0].path, "/abs/b.jpg");
  EXPECT_EQ(data.junk_dropped, 1u);
  EXPECT_FALSE(data.train[0].camera_known);
  EXPECT_EQ(data.train[0].camera, 4);
  const auto code = [](std::string_view text) {
    return code_of([&] { parse_reid_csv(bytes_of(text), "", "x.csv"); });
  };
  EXPECT_EQ(code("path,person_name\nx,1\n"), ErrorCode::corrupt_data);
  EXPECT_EQ(code("path,pid,split\nx,1,else\n"), ErrorCode::corrupt_data);
  EXPECT_EQ(code("path,pid\nx,\n"), ErrorCode::corrupt_data);
  EXPECT_EQ(code("path,pid,cam\nx,1,-3\n"), ErrorCode::corrupt_data);
}

TEST(Reid, NothingThereIsAnError) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of([&] { load_reid(folder.path(), ReidLayout::market1501); }),
            ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { load_reid(folder.path() / "absent", ReidLayout::folder); }),
            ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { detect_reid_layout(folder.path() / "absent"); }), ErrorCode::not_found);
}

}  // namespace
}  // namespace sosia::formats
