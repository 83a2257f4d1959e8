#pragma once
// Pieces that the data-set loaders share.

#include "sosia/formats/dataset.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// Names of the images directly in `folder`, sorted. Throws io.
std::vector<std::string> image_names(const std::filesystem::path& folder);
/// Names of the folders directly in `folder`, sorted, hidden ones left out. Throws io.
std::vector<std::string> folder_names(const std::filesystem::path& folder);
bool is_image_name(std::string_view file_name);
bool is_folder(const std::filesystem::path& path);

/// Subjects, cameras or clothes given as text: the numbers themselves when every text is a whole
/// number and no two are equal as numbers ("1" and "01"), else positions in the sorted list of
/// distinct texts, which then goes to `names`.
class TextLabels {
 public:
  void add(std::string_view text);
  /// Call after the last `add`.
  void finish(std::vector<std::string>* names);
  std::int64_t number(std::string_view text) const;

 private:
  std::map<std::string, std::int64_t, std::less<>> labels_;
};

/// Collects names that do not follow a pattern into one warning.
class OddNames {
 public:
  void add(std::string_view name);
  /// Appends "N images in PLACE ..." to `warnings` when there were any.
  void report(std::vector<std::string>& warnings, std::string_view place,
              std::string_view pattern) const;

 private:
  std::uint64_t count_ = 0;
  std::string first_;
};

/// Sorts every part by path.
void sort_by_path(ReidDataset& data);

/// Gives every image without a camera a number of its own, above all known ones.
void number_unknown_cameras(ReidDataset& data);

/// Fills `data.differences` from the table of published statistics.
void compare_published_counts(ReidDataset& data, std::string_view variant);

void load_folder_layout(const std::filesystem::path& root, ReidDataset& data);

}  // namespace sosia::formats
