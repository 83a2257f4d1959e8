// Inputs of the face verbs: clips, and faces sorted by person.

#include "common.hpp"
#include "errors.hpp"
#include "face/grouping.hpp"
#include "face/support.hpp"
#include "sosia/core/files.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;
using testing::present;
using testing::test_store;

void save_grey(const fs::path& file) {
  fs::create_directories(file.parent_path());
  image::save(file, image::Image(48, 48, 3, {90, 90, 90}), {}, Overwrite::replace);
}

TEST(Clips, AFolderWithPicturesIsOneClipOthersGiveWhatLiesInThem) {
  const TemporaryFolder folder;
  save_grey(folder.path() / "set" / "one" / "0.png");
  save_grey(folder.path() / "set" / "one" / "deeper" / "0.png");
  save_grey(folder.path() / "set" / "two" / "0.png");
  write_file(folder.path() / "set" / "film.mp4", std::string_view("no film"));
  fs::create_directory_symlink("..", folder.path() / "set" / "two" / "loop");
  fs::create_directory_symlink(".", folder.path() / "set" / "loop");
  const SourceList found = collect_sources({(folder.path() / "set").string()}, {.track = true});
  ASSERT_EQ(found.list.files.size(), 3u);
  EXPECT_EQ(found.list.files[0].filename(), "film.mp4");
  EXPECT_EQ(found.list.files[1].filename(), "one");
  EXPECT_EQ(found.list.files[2].filename(), "two");
  expect_refused([&] { collect_sources({"nowhere"}, {.track = true}); }, "there is no such file",
                 ErrorCode::not_found);
}

class WithPhotos : public ::testing::Test {
 protected:
  void SetUp() override {
    const models::ModelStore store = test_store();
    if (!present(store, kDefaultDetector) || !present(store, kDefaultEmbedder)) {
      GTEST_SKIP() << "the weights that make setup installs are not there";
    }
    const auto data = shared_data("faces-dlib");
    if (!data) GTEST_SKIP() << "the shared data faces-dlib are not there";
    data_ = *data;
    pipeline_ = std::make_unique<FacePipeline>(store);
  }
  fs::path data_;
  std::unique_ptr<FacePipeline> pipeline_;
  RunContext run_;
};

// 55 photos of five people named John. Observed: 5 clusters of 11, no mistake, no noise, at the
// threshold of the card's calibration for FMR 1e-3 and at any from 0.88 to 0.94.
TEST_F(WithPhotos, TheFiveJohnsAreSortedWithoutAMistake) {
  const SourceList sources = collect_sources({(data_ / "johns").string()}, {});
  Grouping grouping(*pipeline_, {});
  stream_sources(
      *pipeline_, sources, {}, [&](SourceItem&& item) { grouping.add(std::move(item)); }, run_);
  grouping.group(run_);
  EXPECT_EQ(grouping.clusters(), 5u);
  EXPECT_LE(grouping.files_of(-1).size(), 2u);
  std::size_t placed = 0;
  for (std::size_t c = 0; c < grouping.clusters(); ++c) {
    std::set<std::string> people;
    for (const std::size_t file : grouping.files_of(static_cast<std::int32_t>(c))) {
      people.insert(fs::path(grouping.files()[file]).parent_path().filename().string());
      ++placed;
    }
    EXPECT_EQ(people.size(), 1u) << "cluster " << c;
  }
  EXPECT_GE(placed, 53u);
}

// Two people cross the picture in opposite directions, one is away for a while: two faces.
TEST_F(WithPhotos, APersonInAClipBecomesOneFace) {
  const auto photo_of = [&](const std::string& who) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(data_ / "johns" / who)) {
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return image::decode_file(files.at(0)).image;
  };
  const image::Image a = photo_of("John_Salley"), b = photo_of("John_Simm");
  const TemporaryFolder folder;
  constexpr int kFrames = 16;
  for (int i = 0; i < kFrames; ++i) {
    image::Image frame(640, 360, 3, {70, 110, 90});
    const auto paste = [&](const image::Image& face, int x, int y) {
      for (int row = 0; row < face.height_px(); ++row) {
        std::copy_n(face.row(row), face.width_px() * 3, frame.pixel(x, y + row));
      }
    };
    paste(a, 10 + 20 * i, 20);
    if (i < 5 || i > 8) paste(b, 450 - 20 * i, 190);
    image::save(folder.path() / ("frame_" + std::to_string(i) + ".png"), frame);
  }
  const ClipOptions clips{.track = true};
  const SourceList sources = collect_sources({folder.path().string()}, clips);
  std::vector<SourceItem> items;
  const FileCounts counts = stream_sources(
      *pipeline_, sources, clips, [&](SourceItem&& item) { items.push_back(std::move(item)); },
      run_);
  EXPECT_EQ(counts.read, 1u);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].frames, kFrames);
  ASSERT_EQ(items[0].analysis.faces.size(), 2u);
  ASSERT_EQ(items[0].spans.size(), 2u);
  // Observed: 16 and 12 sightings, all there are.
  const auto [less, more] = std::minmax(items[0].spans[0].frames, items[0].spans[1].frames);
  EXPECT_GE(more, 14u);
  EXPECT_GE(less, 10u);
  EXPECT_LE(less, 12u);
  for (const TrackSpan& span : items[0].spans) EXPECT_GE(span.last, kFrames - 2);
}

}  // namespace
}  // namespace sosia::face
