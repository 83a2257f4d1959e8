#pragma once
// Lists of pairs to be verified, and of images that form templates.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// Two images of LFW's pairs.txt, each as a person's name and the number of the image from 1.
struct LfwPair {
  std::string name_a, name_b;
  int number_a = 0;
  int number_b = 0;
  bool same = false;
  int fold = 0;  ///< from 0
};

struct LfwPairs {
  int folds = 1;
  std::vector<LfwPair> pairs;  ///< in file order: per fold the same-person pairs, then the others
};

/// LFW's pairs.txt (first line "folds<TAB>n", each fold n lines `name i j` and n lines
/// `name1 i name2 j`), pairsDevTrain.txt (first line "n", one fold), or the lines alone (one fold).
/// Throws corrupt_data with the line, also when the counts differ from the first line's.
LfwPairs parse_lfw_pairs(std::string_view text, std::string_view origin = "pairs");
LfwPairs read_lfw_pairs(const std::filesystem::path& path);

/// "Name/Name_0001.jpg"
std::string lfw_path(std::string_view name, int number, std::string_view extension = ".jpg");

/// Positions in `PairList::items`.
struct IndexPair {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::int8_t same = -1;  ///< 1, 0, or -1 where the list does not say
  std::int32_t fold = 0;
};

/// Pairs of anything (paths, names, numbers); every item is stored once.
struct PairList {
  std::vector<std::string> items;  ///< in the order of their first use
  std::vector<IndexPair> pairs;
};

/// Lines "a b" or "a b label", separated by tabs if a line has any, else by blanks; the label is 0
/// or 1 (or same, different). Blank lines and lines that start with # are skipped; all lines must
/// have the same number of columns. Throws corrupt_data with the line.
PairList parse_pair_list(std::string_view text, std::string_view origin = "pairs");

/// A CSV file with two columns for the items (a, b; path1, path2; left, right; probe, reference,
/// and the like), and optionally same (or label) and fold.
PairList parse_pair_csv(std::span<const std::byte> bytes, std::string origin = "pairs");

/// Any of the above: a .csv or .tsv file by its header, LFW's form by its first line, else a plain
/// list. LFW pairs become items as `lfw_path` makes them.
PairList read_pairs(const std::filesystem::path& path);

/// An image of a template (IJB-B, IJB-C: ijbc_face_tid_mid.txt).
struct TemplateImage {
  std::string path;
  std::int32_t template_id = 0;
  std::int32_t media_id = 0;  ///< images of one video share it
};

/// Two templates to be compared (ijbc_template_pair_label.txt).
struct TemplatePair {
  std::int32_t a = 0;
  std::int32_t b = 0;
  bool same = false;
};

/// Lines "path tid mid". Throws corrupt_data with the line.
std::vector<TemplateImage> parse_template_list(std::string_view text,
                                               std::string_view origin = "templates");
std::vector<TemplateImage> read_template_list(const std::filesystem::path& path);

/// Lines "tid tid label". IJB-C has 15.7 million of them. Throws corrupt_data with the line.
std::vector<TemplatePair> parse_template_pairs(std::string_view text,
                                               std::string_view origin = "template pairs");
std::vector<TemplatePair> read_template_pairs(const std::filesystem::path& path);

}  // namespace sosia::formats
