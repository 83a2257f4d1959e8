// Published sizes of the data sets, to notice incomplete copies.

#include "formats/dataset_parts.hpp"

#include <algorithm>
#include <iterator>

namespace sosia::formats {

namespace {

constexpr std::uint64_t kUnstated = ~std::uint64_t{0};

struct PublishedCounts {
  ReidLayout layout;
  std::string_view variant;  // empty: any
  std::uint64_t train_subjects, query_subjects, cameras;
  std::uint64_t train, val, query, gallery, unsplit;
};

// Market-1501: 19,732 files in bounding_box_test, of which 3,819 junk. MSMT17: the training set of
// 32,621 images is the lists train and val together. PRCC: the test set of 10,800 images is A 3,384
// (gallery), B 3,543 and C 3,873 (query).
constexpr PublishedCounts kPublished[] = {
    {ReidLayout::market1501, "", 751, 750, 6, 12936, 0, 3368, 15913, 0},
    {ReidLayout::dukemtmc, "", 702, 702, 8, 16522, 0, 2228, 17661, 0},
    {ReidLayout::msmt17, "", 1041, 3060, 15, 30248, 2373, 11659, 82161, 0},
    {ReidLayout::cuhk03_np, "detected", 767, 700, 2, 7365, 0, 1400, 5332, 0},
    {ReidLayout::cuhk03_np, "labeled", 767, 700, 2, 7368, 0, 1400, 5328, 0},
    {ReidLayout::viper, "", kUnstated, kUnstated, 2, 0, 0, 0, 0, 1264},
    {ReidLayout::ltcc, "", 77, 75, 12, 9576, 0, 493, 7050, 0},
    {ReidLayout::prcc, "", 150, 71, 3, 17896, 5002, 7416, 3384, 0},
};

std::uint64_t distinct_subjects(const std::vector<ReidImage>& images) {
  std::vector<std::int64_t> ids;
  for (const ReidImage& image : images) ids.push_back(image.subject);
  std::sort(ids.begin(), ids.end());
  return static_cast<std::uint64_t>(std::unique(ids.begin(), ids.end()) - ids.begin());
}

std::uint64_t distinct_cameras(const ReidDataset& data) {
  std::vector<int> cameras;
  for (const auto* part : {&data.train, &data.val, &data.query, &data.gallery, &data.unsplit}) {
    for (const ReidImage& image : *part) cameras.push_back(image.camera);
  }
  std::sort(cameras.begin(), cameras.end());
  return static_cast<std::uint64_t>(std::unique(cameras.begin(), cameras.end()) - cameras.begin());
}

}  // namespace

void compare_published_counts(ReidDataset& data, std::string_view variant) {
  const auto* row = std::find_if(std::begin(kPublished), std::end(kPublished), [&](const auto& r) {
    return r.layout == data.layout && (r.variant.empty() || r.variant == variant);
  });
  if (row == std::end(kPublished)) return;
  const auto compare = [&](const char* what, std::uint64_t expected, std::uint64_t found) {
    if (expected != kUnstated && expected != found) {
      data.differences.push_back({what, expected, found});
    }
  };
  // Validation images belong to the training subjects.
  std::vector<ReidImage> training = data.train;
  training.insert(training.end(), data.val.begin(), data.val.end());
  compare("training subjects", row->train_subjects, distinct_subjects(training));
  compare("query subjects", row->query_subjects, distinct_subjects(data.query));
  compare("cameras", row->cameras, distinct_cameras(data));
  compare("training images", row->train, data.train.size());
  compare("validation images", row->val, data.val.size());
  compare("query images", row->query, data.query.size());
  compare("gallery images", row->gallery, data.gallery.size());
  compare("images", row->unsplit, data.unsplit.size());
}

}  // namespace sosia::formats
