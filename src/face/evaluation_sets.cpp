// Sets whose subjects are known, from the forms that the field keeps them in.

#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/face/evaluation.hpp"
#include "sosia/formats/dataset.hpp"
#include "sosia/formats/pairs.hpp"
#include "sosia/formats/recordio.hpp"
#include "sosia/formats/verification_bin.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

/// Items that belong together, by union with path halving.
class Components {
 public:
  explicit Components(std::size_t count) : parents_(count) {
    std::iota(parents_.begin(), parents_.end(), 0U);
  }
  std::uint32_t root(std::uint32_t item) {
    while (parents_[item] != item) item = parents_[item] = parents_[parents_[item]];
    return item;
  }
  void join(std::uint32_t a, std::uint32_t b) { parents_[root(a)] = root(b); }

 private:
  std::vector<std::uint32_t> parents_;
};

/// Subjects by the folders of the photos, when every label agrees with them.
bool subjects_from_folders(EvaluationSet& set) {
  std::vector<std::string> folders;
  for (const SetPhoto& photo : set.photos) {
    folders.push_back(fs::path(photo.name).parent_path().generic_string());
    if (folders.back().empty()) return false;
  }
  const bool agree = std::all_of(set.pairs.begin(), set.pairs.end(), [&](const SetPair& p) {
    return p.same == (folders[p.a] == folders[p.b]);
  });
  if (!agree) return false;
  std::unordered_map<std::string, std::uint32_t> numbers;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const auto next = static_cast<std::uint32_t>(numbers.size());
    const auto [entry, added] = numbers.try_emplace(folders[i], next);
    if (added) set.subjects.push_back(folders[i]);
    set.photos[i].subject = entry->second;
  }
  return true;
}

/// Subjects by joining what the list calls the same.
void subjects_from_pairs(EvaluationSet& set) {
  Components joined(set.photos.size());
  for (const SetPair& p : set.pairs) {
    if (p.same) joined.join(p.a, p.b);
  }
  const auto contradictions = std::count_if(
      set.pairs.begin(), set.pairs.end(),
      [&](const SetPair& p) { return !p.same && joined.root(p.a) == joined.root(p.b); });
  if (contradictions > 0) {
    set.warnings.push_back(fmt::format(
        "{} pairs are called different though other pairs make them one subject; subjects are "
        "unknown, so intervals take comparisons as independent",
        contradictions));
    return;
  }
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < set.photos.size(); ++i) {
    const auto next = static_cast<std::uint32_t>(numbers.size());
    const auto [entry, added] = numbers.try_emplace(joined.root(i), next);
    if (added) set.subjects.push_back(fmt::format("subject {}", next));
    set.photos[i].subject = entry->second;
  }
  set.subjects_derived = true;
}

void warn_of_self_pairs(EvaluationSet& set) {
  const auto self = std::count_if(set.pairs.begin(), set.pairs.end(),
                                  [](const SetPair& p) { return p.a == p.b; });
  if (self > 0) {
    set.warnings.push_back(
        fmt::format("{} pairs compare a photo with itself, which is no test", self));
  }
}

/// The file of an item: as it is named, else with another extension of an image.
fs::path find_photo(const fs::path& images, const std::string& item) {
  fs::path path = images / item;
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  for (const std::string_view extension : formats::image_extensions()) {
    fs::path other = path;
    other.replace_extension(extension);
    if (fs::exists(other, ignored)) return other;
  }
  return path;
}

/// An image of a record set, in place or in `scratch`.
std::span<const std::byte> record_image(const formats::RecordSet& records, std::uint64_t key,
                                        std::vector<std::byte>& scratch) {
  return records.read(key, scratch).image;
}

/// Keys and labels of the pictures, by the identities' ranges where the set has them: then no
/// picture's page is touched.
std::vector<std::pair<std::uint64_t, std::int64_t>> record_labels(
    const formats::RecordSet& records) {
  std::vector<std::pair<std::uint64_t, std::int64_t>> out;
  if (records.identity_count() > 0) {
    for (std::size_t i = 0; i < records.identity_count(); ++i) {
      const formats::IdentityRange range = records.identity(i);
      for (std::uint64_t key = range.begin; key < range.end; ++key) {
        out.emplace_back(key, static_cast<std::int64_t>(i));
      }
    }
    return out;
  }
  std::vector<std::byte> scratch;
  for (const std::uint64_t key : records.image_keys()) {
    const formats::ImageRecord record = records.read(key, scratch);
    const float label = record.labels.empty() ? 0 : record.labels.front();
    if (!(label >= 0 && label < 9e15F)) continue;
    out.emplace_back(key, static_cast<std::int64_t>(label));
  }
  return out;
}

}  // namespace

EvaluationSet read_pair_set(const fs::path& list, const fs::path& images) {
  const formats::PairList read = formats::read_pairs(list);
  if (read.pairs.empty()) {
    throw Error(ErrorCode::corrupt_data, "the list holds no pairs",
                "write lines \"photo photo label\", or LFW's \"name i j\" and \"name i name j\"",
                list.string());
  }
  EvaluationSet set;
  set.name = list.string();
  set.listed = true;
  std::int32_t last_fold = 0;
  for (const formats::IndexPair& p : read.pairs) {
    if (p.same < 0) {
      throw Error(ErrorCode::corrupt_data, "the list does not say which pairs are the same",
                  "add a third column with 1 (same) or 0 (different)", list.string());
    }
    if (p.fold < 0) {
      throw Error(ErrorCode::corrupt_data, fmt::format("{} is no number of a fold", p.fold),
                  "number folds from 0", list.string());
    }
    last_fold = std::max(last_fold, p.fold);
    set.pairs.push_back({p.a, p.b, p.same == 1, static_cast<std::uint32_t>(p.fold)});
  }
  if (last_fold > 0) set.folds = static_cast<std::uint32_t>(last_fold) + 1;
  std::size_t present = 0;
  for (const std::string& item : read.items) {
    fs::path file = find_photo(images, item);
    std::error_code ignored;
    present += fs::exists(file, ignored) ? 1 : 0;
    set.photos.push_back({.name = item, .file = std::move(file)});
  }
  if (present == 0) {
    throw Error(ErrorCode::not_found,
                fmt::format("none of the {} photos of the list is below {}", read.items.size(),
                            quote(images.string())),
                "give the folder that " + quote(read.items.front()) + " is relative to",
                list.string());
  }
  warn_of_self_pairs(set);
  if (!subjects_from_folders(set)) subjects_from_pairs(set);
  return set;
}

EvaluationSet read_folder_set(const fs::path& root) {
  formats::SubjectListing listing = formats::list_subjects(root);
  EvaluationSet set;
  set.name = root.string();
  set.warnings = std::move(listing.warnings);
  for (formats::SubjectFolder& subject : listing.subjects) {
    const auto number = static_cast<std::uint32_t>(set.subjects.size());
    for (std::string& image : subject.images) {
      set.photos.push_back({.name = fs::path(image).lexically_relative(root).generic_string(),
                            .file = std::move(image),
                            .subject = number});
    }
    set.subjects.push_back(std::move(subject.name));
  }
  return set;
}

EvaluationSet read_bin_set(const fs::path& file) {
  const auto bin = std::make_shared<const formats::VerificationBin>(file);
  EvaluationSet set;
  set.name = set.container = file.string();
  set.aligned = set.listed = true;
  std::vector<std::uint32_t> photo_of(2 * bin->pairs());
  std::unordered_multimap<std::uint64_t, std::uint32_t> seen;
  for (std::size_t i = 0; i < photo_of.size(); ++i) {
    const std::span<const std::byte> bytes = bin->image(i);
    const std::uint64_t hash = xxh3_64(bytes);
    auto [at, end] = seen.equal_range(hash);
    at = std::find_if(at, end, [&](const auto& entry) {
      const auto other = bin->image(set.photos[entry.second].key);
      return std::equal(bytes.begin(), bytes.end(), other.begin(), other.end());
    });
    if (at != end) {
      photo_of[i] = at->second;
      continue;
    }
    photo_of[i] = static_cast<std::uint32_t>(set.photos.size());
    seen.emplace(hash, photo_of[i]);
    set.photos.push_back({.name = fmt::format("picture {}", i), .key = i});
  }
  for (std::size_t i = 0; i < bin->pairs(); ++i) {
    set.pairs.push_back({photo_of[2 * i], photo_of[2 * i + 1], bin->same(i), 0});
  }
  if (set.pairs.empty()) {
    throw Error(ErrorCode::corrupt_data, "the set holds no pairs", "", file.string());
  }
  set.encoded = [bin](std::uint64_t key, std::vector<std::byte>&) {
    return bin->image(static_cast<std::size_t>(key));
  };
  warn_of_self_pairs(set);
  subjects_from_pairs(set);
  return set;
}

EvaluationSet read_record_set(const fs::path& file) {
  const auto records = std::make_shared<const formats::RecordSet>(file);
  EvaluationSet set;
  set.name = set.container = file.string();
  set.aligned = true;
  std::unordered_map<std::int64_t, std::uint32_t> numbers;
  for (const auto& [key, label] : record_labels(*records)) {
    const auto next = static_cast<std::uint32_t>(numbers.size());
    const auto [entry, added] = numbers.try_emplace(label, next);
    if (added) set.subjects.push_back(std::to_string(label));
    set.photos.push_back(
        {.name = fmt::format("record {}", key), .key = key, .subject = entry->second});
  }
  if (set.photos.empty()) {
    throw Error(ErrorCode::corrupt_data, "the record set holds no labelled pictures", "",
                file.string());
  }
  set.encoded = [records](std::uint64_t key, std::vector<std::byte>& scratch) {
    return record_image(*records, key, scratch);
  };
  return set;
}

void keep_subjects(EvaluationSet& set, std::size_t most, const RunContext& run) {
  if (set.listed || set.subjects.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "subjects can be drawn from folders and record sets only, not from a list of pairs",
                "cut the list instead");
  }
  if (set.subjects.size() <= most) return;
  std::vector<std::uint32_t> order(set.subjects.size());
  std::iota(order.begin(), order.end(), 0U);
  RandomStream random = run.random("subjects");
  random.shuffle(std::span(order));
  order.resize(most);
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> renumbered(set.subjects.size(), kNobody);
  std::vector<std::string> names;
  for (const std::uint32_t s : order) {
    renumbered[s] = static_cast<std::uint32_t>(names.size());
    names.push_back(std::move(set.subjects[s]));
  }
  std::erase_if(set.photos, [&](SetPhoto& photo) {
    photo.subject = renumbered[photo.subject];
    return photo.subject == kNobody;
  });
  set.subjects = std::move(names);
}

}  // namespace sosia::face
