#pragma once
// Data sets as folders and lists: one folder per subject, and the layouts of person
// re-identification. Images are listed, never opened. All lists are sorted by path, so that two
// machines see the same order.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// Lower-case extensions, with the dot, that count as images.
std::span<const std::string_view> image_extensions();

/// A subject and the paths of its images.
struct SubjectFolder {
  std::string name;
  std::vector<std::string> images;
};

struct SubjectListing {
  std::vector<SubjectFolder> subjects;  ///< sorted by name; only those with images
  std::vector<std::string> warnings;    ///< folders without images, images outside of folders
};

/// ROOT/<subject>/.../<image>, as LFW and most face training sets are laid out. Hidden files are
/// skipped, linked folders below a subject are not entered. Throws not_found when there is no image
/// at all, io.
SubjectListing list_subjects(const std::filesystem::path& root);

/// One image of a person.
struct ReidImage {
  std::string path;
  std::int64_t subject = 0;    ///< as in the file names; see `ReidDataset::subject_names`
  int camera = 0;              ///< from 0
  bool camera_known = true;    ///< else `camera` is a number that no other image has
  int clothes = -1;            ///< outfit, distinct across subjects; -1 unknown
  int track = -1;              ///< -1 unknown
  std::optional<double> time;  ///< frame number or whatever the set states
};

enum class ReidLayout {
  market1501,  ///< {bounding_box_train,bounding_box_test,query}/PPPP_cCsS_FFFFFF_NN.jpg
  dukemtmc,    ///< the same folders, PPPP_cC_fFFFFFFF.jpg
  msmt17,      ///< list_{train,val,query,gallery}.txt with "path pid"; V1 and V2 folder names
  cuhk03_np,   ///< Market's folders under `detected` or `labeled`, PPPP_cC_N.png
  viper,       ///< {cam_a,cam_b}/PPP_*.bmp, not split
  ltcc,        ///< {train,query,test}/<pid>_<outfit>_c<cam>_<frame>.png
  prcc,        ///< rgb/{train,val}/<pid>/{A,B,C}_*.jpg, rgb/test/{A,B,C}/<pid>/*.jpg
  folder,      ///< [{train,val,query,gallery}/]<pid>/<cam>_<n>.jpg
  csv,         ///< columns path, pid [, cam, clothes, track, time, split]
};

/// "market1501", ...
std::string_view reid_layout_name(ReidLayout layout);

/// What a file name says about its image.
struct ReidName {
  std::int64_t subject = 0;
  int camera = 0;  ///< from 0
  int clothes = -1;
  std::optional<double> time;
};

/// Market-1501 and its relatives (DukeMTMC-reID, CUHK03-NP): PPPP_cC..., where PPPP may be -1.
/// Nothing when the name does not follow the pattern.
std::optional<ReidName> parse_market_name(std::string_view file_name);
/// MSMT17: PPPP_NNN_CC_....jpg, camera in the third field. The subject is that of the list.
std::optional<ReidName> parse_msmt17_name(std::string_view file_name);
/// LTCC: PPP_O_cC_FFFFFF.png; `clothes` is the outfit number O of this person alone.
std::optional<ReidName> parse_ltcc_name(std::string_view file_name);
/// VIPeR: PPP_angle.bmp; the camera comes from the folder.
std::optional<ReidName> parse_viper_name(std::string_view file_name);
/// The camera of <cam>_<n>.jpg or c<cam>_<n>.jpg.
std::optional<int> parse_folder_camera(std::string_view file_name);

/// A count that differs from the published one.
struct CountDifference {
  std::string what;  ///< "gallery images"
  std::uint64_t expected = 0;
  std::uint64_t found = 0;
};

/// A loaded data set.
///
/// Images of subject -1 (junk) are dropped everywhere and counted; subject 0 of Market-1501 and
/// CUHK03-NP is a distractor and stays in the gallery. PRCC's query holds cameras 1 (B, same
/// clothes) and 2 (C, changed clothes) against the gallery of camera 0 (A).
struct ReidDataset {
  ReidLayout layout = ReidLayout::folder;
  std::string root;
  std::vector<ReidImage> train, val, query, gallery;
  std::vector<ReidImage> unsplit;  ///< sets that come without a split
  /// Where subjects are named by text: `subject` is an index into this sorted list. Empty where
  /// file names hold numbers.
  std::vector<std::string> subject_names;
  std::uint64_t junk_dropped = 0;
  std::uint64_t distractors = 0;  ///< gallery images of subject 0
  std::vector<std::string> warnings;
  std::vector<CountDifference> differences;  ///< against the published statistics
};

struct ReidOptions {
  /// CUHK03-NP: "detected" or "labeled".
  std::string variant = "detected";
  /// Compare with the published counts; the result goes to `ReidDataset::differences`.
  bool compare_counts = true;
};

/// The layout that ROOT looks like; a .csv file is `csv`. Throws not_found when ROOT does not
/// exist.
ReidLayout detect_reid_layout(const std::filesystem::path& root);

/// Lists a data set. ROOT is the folder that holds the parts named at `ReidLayout`, or the one
/// above it, or the CSV file. A part that is missing and names that do not follow the layout are
/// warnings; throws not_found when nothing is there at all, corrupt_data for malformed lists, io.
ReidDataset load_reid(const std::filesystem::path& root, ReidLayout layout,
                      const ReidOptions& options = {});

/// The lines "path pid" of an MSMT17 list; `folder` is put before each path. Names that do not
/// follow the pattern raise corrupt_data with the line.
std::vector<ReidImage> parse_msmt17_list(std::string_view text, std::string_view folder,
                                         std::string_view origin);

/// The content of a CSV data set; `folder` is put before relative paths.
ReidDataset parse_reid_csv(std::span<const std::byte> bytes, std::string_view folder,
                           std::string_view origin);

/// Renumbers the subjects of a training set to 0, 1, ... in the order of their ids and returns
/// those ids. Test sets keep their own.
std::vector<std::int64_t> relabel_subjects(std::span<ReidImage> images);

}  // namespace sosia::formats
