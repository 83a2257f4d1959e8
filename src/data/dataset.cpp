#include "sosia/data/dataset.hpp"

#include "data/sources.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

namespace sosia::data {

std::int64_t Dataset::subjects() const {
  std::int64_t most = -1;
  for (std::size_t i = 0; i < size(); ++i) most = std::max(most, item(i).subject);
  return most + 1;
}

void describe(Fields& f, DataSpec& o) {
  f.choice({.name = "kind", .help = "where the pictures come from"}, o.kind,
           {{"folder", DataSpec::Kind::folder},
            {"reid", DataSpec::Kind::reid},
            {"recordio", DataSpec::Kind::recordio},
            {"world_faces", DataSpec::Kind::world_faces},
            {"world_persons", DataSpec::Kind::world_persons}});
  f({.name = "path", .help = "folder or file of the set; the worlds have none"}, o.path);
  f({.name = "layout", .help = "layout of a reid set; auto finds it out"}, o.layout);
  f({.name = "part", .help = "part of a reid set", .choices = {"train", "val", "query", "gallery"}},
    o.part);
  f({.name = "subjects", .help = "rendered subjects", .min = 1, .max = 1e7}, o.subjects);
  f({.name = "pictures", .help = "pictures of a rendered face", .min = 1, .max = 1e5}, o.pictures);
  f({.name = "size_px",
     .help = "height of a rendered picture",
     .unit = "px",
     .min = 32,
     .max = 256},
    o.size_px);
  f({.name = "world_seed", .help = "seed of the world", .min = 0}, o.world_seed);
  f({.name = "first_subject", .help = "number of the first rendered subject", .min = 0},
    o.first_subject);
}

std::shared_ptr<const Dataset> open_dataset(const DataSpec& spec) {
  const bool world =
      spec.kind == DataSpec::Kind::world_faces || spec.kind == DataSpec::Kind::world_persons;
  if (!world && spec.path.empty()) {
    throw Error(ErrorCode::usage, "the data set has no path",
                "set data.path, or data.kind = \"world_faces\" for rendered faces");
  }
  switch (spec.kind) {
    case DataSpec::Kind::folder:
      return open_folder(spec);
    case DataSpec::Kind::reid:
      return open_reid(spec);
    case DataSpec::Kind::recordio:
      return open_recordio(spec);
    case DataSpec::Kind::world_faces:
      return open_world_faces(spec);
    case DataSpec::Kind::world_persons:
      return open_world_persons(spec);
  }
  throw Error(ErrorCode::internal, "a kind of data set that nobody opens");
}

namespace {

class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> set, std::span<const std::uint32_t> items)
      : set_(std::move(set)), index_(items.begin(), items.end()) {
    std::map<std::int64_t, std::int64_t> numbers;
    for (const std::uint32_t i : index_) numbers.emplace(set_->item(i).subject, 0);
    std::int64_t next = 0;
    for (auto& [old, now] : numbers) now = next++;
    for (const std::uint32_t i : index_) {
      items_.push_back(set_->item(i));
      items_.back().subject = numbers.at(items_.back().subject);
    }
  }
  std::size_t size() const override { return items_.size(); }
  const Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const Shrink& shrink) const override {
    return set_->read(index_[index], shrink);
  }
  std::string described() const override {
    return fmt::format("{} pictures of {} subjects out of {}", size(), subjects(),
                       set_->described());
  }

 private:
  std::shared_ptr<const Dataset> set_;
  std::vector<std::uint32_t> index_;
  std::vector<Item> items_;
};

}  // namespace

std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> set,
                                      std::span<const std::uint32_t> items) {
  for (const std::uint32_t i : items) {
    if (i >= set->size()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("there is no item {} in a set of {}", i, set->size()));
    }
  }
  return std::make_shared<Subset>(std::move(set), items);
}

std::pair<std::shared_ptr<const Dataset>, std::shared_ptr<const Dataset>> split_subjects(
    std::shared_ptr<const Dataset> set, double share, std::uint64_t seed) {
  const auto subjects = static_cast<std::size_t>(set->subjects());
  const auto held = static_cast<std::size_t>(std::lround(share * static_cast<double>(subjects)));
  if (held == 0 || held >= subjects) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} subjects cannot be split with {} of them held out", subjects, share),
        "a part needs at least one subject");
  }
  std::vector<std::size_t> order(subjects);
  std::iota(order.begin(), order.end(), std::size_t{0});
  RandomStream stream(seed, "held out");
  stream.shuffle(std::span(order));
  std::vector<bool> out(subjects, false);
  for (std::size_t i = 0; i < held; ++i) out[order[i]] = true;
  std::vector<std::uint32_t> first, second;
  for (std::uint32_t i = 0; i < set->size(); ++i) {
    (out[static_cast<std::size_t>(set->item(i).subject)] ? second : first).push_back(i);
  }
  return {subset(set, first), subset(set, second)};
}

}  // namespace sosia::data
