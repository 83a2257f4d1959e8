#include "sosia/formats/pairs.hpp"

#include "formats/bytes.hpp"
#include "formats/lines.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/csv.hpp"

#include <array>
#include <limits>
#include <unordered_map>

namespace sosia::formats {

namespace {

constexpr std::size_t kMostColumns = 4;

/// The columns of a line: at tabs if it has any, else at runs of blanks. `count` may exceed the
/// number that is kept.
struct Columns {
  std::array<std::string_view, kMostColumns> at;
  std::size_t count = 0;

  explicit Columns(std::string_view line) {
    const bool tabs = line.find('\t') != std::string_view::npos;
    const std::string_view separators = tabs ? "\t" : " ";
    for (std::size_t start = 0; start <= line.size();) {
      const std::size_t end = std::min(line.find_first_of(separators, start), line.size());
      const std::string_view part = trim(line.substr(start, end - start));
      if (!part.empty()) {
        if (count < kMostColumns) at[count] = part;
        ++count;
      }
      start = end + 1;
    }
  }
};

template <class Integer>
bool parse_as(std::string_view text, Integer& out) {
  long long value = 0;
  if (!parse_integer(text, value) || value < std::numeric_limits<Integer>::min() ||
      value > std::numeric_limits<Integer>::max()) {
    return false;
  }
  out = static_cast<Integer>(value);
  return true;
}

std::optional<bool> parse_label(std::string_view text) {
  if (text == "1" || text == "1.0") return true;
  if (text == "0" || text == "0.0" || text == "-1") return false;
  const std::string lower = ascii_lower(text);
  if (lower == "same" || lower == "true" || lower == "match") return true;
  if (lower == "different" || lower == "diff" || lower == "false" || lower == "nonmatch") {
    return false;
  }
  return std::nullopt;
}

/// The numbers of the first line of an LFW list: folds and pairs per kind and fold.
struct LfwHead {
  int folds = 0;
  int pairs = 0;
};

std::optional<LfwHead> parse_lfw_head(const Columns& columns) {
  LfwHead head{1, 0};
  if (columns.count == 1 && parse_as(columns.at[0], head.pairs) && head.pairs > 0) return head;
  if (columns.count == 2 && parse_as(columns.at[0], head.folds) &&
      parse_as(columns.at[1], head.pairs) && head.folds > 0 && head.pairs > 0) {
    return head;
  }
  return std::nullopt;
}

bool parse_lfw_pair(const Columns& columns, LfwPair& pair) {
  const bool same = columns.count == 3;
  if (!same && columns.count != 4) return false;
  pair.same = same;
  pair.name_a = columns.at[0];
  pair.name_b = columns.at[same ? 0 : 2];
  return parse_as(columns.at[1], pair.number_a) &&
         parse_as(columns.at[same ? 2 : 3], pair.number_b) && pair.number_a > 0 &&
         pair.number_b > 0;
}

}  // namespace

LfwPairs parse_lfw_pairs(std::string_view text, std::string_view origin) {
  LfwPairs out;
  std::optional<LfwHead> head;
  LineReader lines(text, origin);
  while (lines.next()) {
    if (trim(lines.line()).empty()) continue;
    const Columns columns(lines.line());
    if (!head && out.pairs.empty() && (head = parse_lfw_head(columns))) continue;
    LfwPair& pair = out.pairs.emplace_back();
    if (!parse_lfw_pair(columns, pair)) {
      lines.fail(quote(lines.line()) + " is neither \"name i j\" nor \"name1 i name2 j\"");
    }
    if (!head) continue;
    const std::size_t position = out.pairs.size() - 1;
    const auto per_kind = static_cast<std::size_t>(head->pairs);
    const std::size_t fold = position / (2 * per_kind);
    const bool same_wanted = position % (2 * per_kind) < per_kind;
    if (fold >= static_cast<std::size_t>(head->folds) || pair.same != same_wanted) {
      lines.fail("the first line announces " + std::to_string(head->folds) + " folds of " +
                 std::to_string(head->pairs) +
                 " pairs of one person and as many of two, but pair " +
                 std::to_string(position + 1) + " does not fit");
    }
    pair.fold = static_cast<int>(fold);
  }
  if (!head) return out;
  out.folds = head->folds;
  const std::size_t announced =
      2 * static_cast<std::size_t>(head->pairs) * static_cast<std::size_t>(head->folds);
  if (out.pairs.size() != announced) {
    fail_corrupt(origin, "the first line announces " + std::to_string(announced) +
                             " pairs, but the file holds " + std::to_string(out.pairs.size()));
  }
  return out;
}

LfwPairs read_lfw_pairs(const std::filesystem::path& path) {
  return parse_lfw_pairs(read_text(path), path.string());
}

std::string lfw_path(std::string_view name, int number, std::string_view extension) {
  std::string digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  std::string path(name);
  path += '/';
  path += name;
  path += '_';
  path += digits;
  path += extension;
  return path;
}

namespace {

/// Stores every item once.
class PairCollector {
 public:
  void add(std::string_view a, std::string_view b, std::int8_t same, std::int32_t fold) {
    const std::uint32_t first = item(a);
    list.pairs.push_back({first, item(b), same, fold});
  }

  PairList list;

 private:
  std::uint32_t item(std::string_view name) {
    const auto next = static_cast<std::uint32_t>(list.items.size());
    const auto [at, added] = numbers_.try_emplace(std::string(name), next);
    if (added) list.items.emplace_back(name);
    return at->second;
  }

  std::unordered_map<std::string, std::uint32_t> numbers_;
};

}  // namespace

PairList parse_pair_list(std::string_view text, std::string_view origin) {
  PairCollector collector;
  std::size_t wanted = 0;
  for (LineReader lines(text, origin); lines.next();) {
    const std::string_view line = trim(lines.line());
    if (line.empty() || line.starts_with('#')) continue;
    const Columns columns(line);
    if (wanted == 0) wanted = columns.count;
    if (columns.count != wanted || wanted < 2 || wanted > 3) {
      lines.fail(quote(line) + " has " + std::to_string(columns.count) + " columns; " +
                     (wanted == 2 || wanted == 3 ? std::to_string(wanted) + " are wanted as before"
                                                 : std::string("two items and a label are wanted")),
                 "separate items that hold blanks with tabs");
    }
    std::int8_t same = -1;
    if (wanted == 3) {
      const std::optional<bool> label = parse_label(columns.at[2]);
      if (!label) lines.fail(quote(columns.at[2]) + " is no label; 0 or 1 is wanted");
      same = *label ? 1 : 0;
    }
    collector.add(columns.at[0], columns.at[1], same, 0);
  }
  return std::move(collector.list);
}

PairList parse_pair_csv(std::span<const std::byte> bytes, std::string origin) {
  CsvReader csv(bytes, std::move(origin));
  constexpr std::string_view kNames[][2] = {{"a", "b"},
                                            {"path1", "path2"},
                                            {"path_a", "path_b"},
                                            {"image1", "image2"},
                                            {"image_a", "image_b"},
                                            {"file1", "file2"},
                                            {"id1", "id2"},
                                            {"name1", "name2"},
                                            {"left", "right"},
                                            {"probe", "reference"},
                                            {"probe", "gallery"},
                                            {"first", "second"}};
  std::optional<std::size_t> a, b;
  for (const auto& names : kNames) {
    a = csv.find_column(names[0]);
    b = csv.find_column(names[1]);
    if (a && b) break;
  }
  if (!a || !b) {
    const std::string_view wanted[] = {"a", "b"};
    csv.columns(wanted);  // throws, naming the columns that are there
  }
  const auto same = csv.find_column_of({"same", "label", "match", "is_same", "issame"});
  const auto fold = csv.find_column("fold");
  PairCollector collector;
  while (csv.next()) {
    if (csv[*a].empty()) csv.fail(*a, "names nothing");
    if (csv[*b].empty()) csv.fail(*b, "names nothing");
    std::int8_t label = -1;
    if (same) {
      const std::optional<bool> value = parse_label(trim(csv[*same]));
      if (!value) csv.fail(*same, "is no label; 0 or 1 is wanted");
      label = *value ? 1 : 0;
    }
    std::int32_t number = 0;
    if (fold && !parse_as(trim(csv[*fold]), number)) csv.fail(*fold, "is no number of a fold");
    collector.add(csv[*a], csv[*b], label, number);
  }
  return std::move(collector.list);
}

PairList read_pairs(const std::filesystem::path& path) {
  const std::string extension = ascii_lower(path.extension().string());
  const std::string origin = path.string();
  const std::vector<std::byte> bytes = read_file(path);
  if (extension == ".csv" || extension == ".tsv") return parse_pair_csv(bytes, origin);

  const std::string_view text = as_text(bytes);
  LineReader lines(text, origin);
  while (lines.next() && trim(lines.line()).empty()) {
  }
  const Columns columns(lines.line());
  LfwPair first;
  if (!parse_lfw_head(columns) && !(columns.count == 4 && parse_lfw_pair(columns, first))) {
    return parse_pair_list(text, origin);
  }
  PairCollector collector;
  for (const LfwPair& pair : parse_lfw_pairs(text, origin).pairs) {
    collector.add(lfw_path(pair.name_a, pair.number_a), lfw_path(pair.name_b, pair.number_b),
                  pair.same ? 1 : 0, pair.fold);
  }
  return std::move(collector.list);
}

std::vector<TemplateImage> parse_template_list(std::string_view text, std::string_view origin) {
  std::vector<TemplateImage> images;
  for (LineReader lines(text, origin); lines.next();) {
    const std::string_view line = trim(lines.line());
    if (line.empty()) continue;
    const Columns columns(line);
    TemplateImage& image = images.emplace_back();
    if (columns.count != 3 || !parse_as(columns.at[1], image.template_id) ||
        !parse_as(columns.at[2], image.media_id)) {
      lines.fail(quote(line) + " is not \"path template media\"");
    }
    image.path = columns.at[0];
  }
  return images;
}

std::vector<TemplateImage> read_template_list(const std::filesystem::path& path) {
  return parse_template_list(read_text(path), path.string());
}

std::vector<TemplatePair> parse_template_pairs(std::string_view text, std::string_view origin) {
  std::vector<TemplatePair> pairs;
  for (LineReader lines(text, origin); lines.next();) {
    const std::string_view line = trim(lines.line());
    if (line.empty()) continue;
    const Columns columns(line);
    TemplatePair& pair = pairs.emplace_back();
    const std::optional<bool> same = columns.count == 3 ? parse_label(columns.at[2]) : std::nullopt;
    if (!same || !parse_as(columns.at[0], pair.a) || !parse_as(columns.at[1], pair.b)) {
      lines.fail(quote(line) + " is not \"template template label\"");
    }
    pair.same = *same;
  }
  return pairs;
}

std::vector<TemplatePair> read_template_pairs(const std::filesystem::path& path) {
  return parse_template_pairs(read_text(path), path.string());
}

}  // namespace sosia::formats
