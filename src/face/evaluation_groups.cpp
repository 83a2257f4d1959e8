// Groups of people, from a CSV file.

#include "sosia/core/text.hpp"
#include "sosia/face/evaluation.hpp"
#include "sosia/formats/csv.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

using Numbers = std::unordered_map<std::string, std::uint32_t>;

/// Whom a row speaks of: photos by name, or subjects.
struct Keys {
  std::size_t column = 0;
  bool subjects = false;
  Numbers known = {};  ///< photo or subject by name
};

Keys find_keys(const EvaluationSet& set, const formats::CsvReader& csv) {
  Keys keys;
  if (const auto path = csv.find_column_of({"path", "file", "image", "photo"})) {
    keys.column = *path;
    for (std::uint32_t i = 0; i < set.photos.size(); ++i) keys.known.emplace(set.photos[i].name, i);
    return keys;
  }
  const auto subject = csv.find_column_of({"subject", "label", "name", "identity"});
  if (!subject) {
    throw Error(ErrorCode::corrupt_data,
                "no column names photos (path) or subjects (subject); the columns are " +
                    enumerate(csv.header()),
                "write a line path,group or subject,group at the top", csv.origin());
  }
  if (set.subjects.empty() || set.subjects_derived) {
    throw Error(ErrorCode::invalid_argument,
                "this set does not name its subjects, so groups cannot be given by subject",
                "name the photos in a column path", csv.origin());
  }
  keys.column = *subject;
  keys.subjects = true;
  for (std::uint32_t i = 0; i < set.subjects.size(); ++i) keys.known.emplace(set.subjects[i], i);
  return keys;
}

/// The group of each photo or subject by a file's rows.
struct Rows {
  std::vector<std::uint32_t> group = {};
  std::vector<std::string> names = {};
  std::size_t strangers = 0;
  std::string first_stranger = {};
};

Rows read_rows(formats::CsvReader& csv, const Keys& keys, std::size_t column, std::size_t count) {
  Rows rows;
  rows.group.assign(count, kNobody);
  Numbers numbers;
  while (csv.next()) {
    const std::string who(trim(csv[keys.column]));
    const std::string group(trim(csv[column]));
    if (who.empty()) csv.fail(keys.column, "is empty");
    if (group.empty()) continue;  // belongs to no group
    const auto found = keys.known.find(who);
    if (found == keys.known.end()) {
      if (rows.strangers++ == 0) rows.first_stranger = who;
      continue;
    }
    const auto next = static_cast<std::uint32_t>(numbers.size());
    const auto [entry, added] = numbers.try_emplace(group, next);
    if (added) rows.names.push_back(group);
    std::uint32_t& place = rows.group[found->second];
    if (place != kNobody && place != entry->second) {
      csv.fail(column, "differs from an earlier row of " + quote(who));
    }
    place = entry->second;
  }
  return rows;
}

/// Groups in the order of their names, whatever the order of the rows.
void sort_groups(Rows& rows) {
  std::vector<std::uint32_t> order(rows.names.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return rows.names[a] < rows.names[b]; });
  std::vector<std::uint32_t> place(order.size());
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    names.push_back(std::move(rows.names[order[i]]));
  }
  rows.names = std::move(names);
  for (std::uint32_t& g : rows.group) {
    if (g != kNobody) g = place[g];
  }
}

}  // namespace

void assign_groups(EvaluationSet& set, const std::filesystem::path& path,
                   const std::string& column) {
  formats::CsvReader csv(path);
  const Keys keys = find_keys(set, csv);
  const std::size_t group = csv.column(column);
  if (group == keys.column) {
    throw Error(ErrorCode::invalid_argument,
                "the column " + quote(column) + " names who, not which group",
                "name the column of the groups", csv.origin());
  }
  Rows rows = read_rows(csv, keys, group, keys.subjects ? set.subjects.size() : set.photos.size());
  if (rows.names.empty()) {
    throw Error(ErrorCode::corrupt_data,
                rows.strangers == 0
                    ? "the file puts nobody into a group"
                    : fmt::format("none of the {} rows is of this set: {}, for one, is not in it",
                                  rows.strangers, quote(rows.first_stranger)),
                keys.subjects ? "subjects are named as their folders"
                              : "photos are named by their path below the set's folder",
                path.string());
  }
  sort_groups(rows);
  std::size_t without = 0;
  for (std::uint32_t i = 0; i < set.photos.size(); ++i) {
    SetPhoto& photo = set.photos[i];
    const std::uint32_t key = keys.subjects ? photo.subject : i;
    photo.group = key == kNobody ? kNobody : rows.group[key];
    without += photo.group == kNobody ? 1 : 0;
  }
  set.groups = std::move(rows.names);
  if (without > 0) {
    set.warnings.push_back(fmt::format("{} of {} photos belong to no group of {}", without,
                                       set.photos.size(), path.string()));
  }
  if (rows.strangers > 0) {
    set.warnings.push_back(fmt::format("{} rows of {} are of nobody in the set ({}, for one)",
                                       rows.strangers, path.string(), quote(rows.first_stranger)));
  }
}

}  // namespace sosia::face
