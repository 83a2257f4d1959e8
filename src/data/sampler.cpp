#include "sosia/data/sampler.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

namespace sosia::data {

void describe(Fields& f, SamplerSpec& o) {
  f.choice({.name = "kind", .help = "order of the pictures"}, o.kind,
           {{"shuffle", SamplerSpec::Kind::shuffle},
            {"ordered", SamplerSpec::Kind::ordered},
            {"pk", SamplerSpec::Kind::pk}});
  f({.name = "batch",
     .help = "pictures of a batch (pk: subjects times pictures)",
     .min = 1,
     .max = 1e6},
    o.batch);
  f({.name = "subjects", .help = "pk: subjects of a batch", .symbol = "P", .min = 1, .max = 1e5},
    o.subjects);
  f({.name = "pictures",
     .help = "pk: pictures of a subject in a batch",
     .symbol = "K",
     .min = 1,
     .max = 1e4},
    o.pictures);
  f({.name = "other_cameras", .help = "pk: pictures of a subject from several cameras"},
    o.other_cameras);
  f.choice({.name = "balance", .help = "what every batch holds a fixed part of"}, o.balance,
           {{"none", SamplerSpec::Balance::none},
            {"domain", SamplerSpec::Balance::domain},
            {"camera", SamplerSpec::Balance::camera}});
  f({.name = "parts",
     .help = "pictures (pk: subjects) of each domain or camera in a batch; none: equal parts",
     .min = 0,
     .max = 1e6},
    o.parts);
}

std::int64_t batch_size(const SamplerSpec& spec) {
  return spec.kind == SamplerSpec::Kind::pk ? spec.subjects * spec.pictures : spec.batch;
}

namespace {

using Groups = std::vector<std::vector<std::uint32_t>>;

/// `items` in groups of k: shuffled, filled up with replacement when there are fewer than k.
Groups plain_groups(std::vector<std::uint32_t> items, std::size_t k, RandomStream& stream) {
  const std::size_t known = items.size();
  while (items.size() < k) items.push_back(items[stream.below(known)]);
  if (known >= k) stream.shuffle(std::span(items));
  Groups groups;
  for (std::size_t i = 0; i + k <= items.size(); i += k) {
    groups.emplace_back(items.begin() + static_cast<std::ptrdiff_t>(i),
                        items.begin() + static_cast<std::ptrdiff_t>(i + k));
  }
  return groups;
}

/// Each item anchors one group in turn, as long as whole groups are left; the others come from
/// other cameras where the subject has any.
Groups camera_groups(const Dataset& set, std::vector<std::uint32_t> items, std::size_t k,
                     RandomStream& stream) {
  stream.shuffle(std::span(items));
  Groups groups;
  const std::size_t count = std::max<std::size_t>(1, items.size() / k);
  for (std::size_t g = 0; g < count; ++g) {
    const std::uint32_t anchor = items[g];
    std::vector<std::uint32_t> others, rest;
    for (const std::uint32_t i : items) {
      if (i == anchor) continue;
      (set.item(i).camera != set.item(anchor).camera ? others : rest).push_back(i);
    }
    std::vector<std::uint32_t>& pool = others.empty() ? (rest.empty() ? items : rest) : others;
    std::vector<std::uint32_t> group{anchor};
    stream.shuffle(std::span(pool));
    for (std::size_t i = 0; group.size() < k; ++i) {
      group.push_back(i < pool.size() ? pool[i] : pool[stream.below(pool.size())]);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

[[noreturn]] void refuse(const Dataset& set, const std::string& what, const std::string& help) {
  throw Error(ErrorCode::invalid_argument, what, help, set.described());
}

/// Subjects that are drawn without replacement, each as long as it has a group of K left.
class Subjects {
 public:
  Subjects(const Dataset& set, const SamplerSpec& spec, std::span<const std::uint32_t> items)
      : set_(set), spec_(spec) {
    std::map<std::int64_t, std::vector<std::uint32_t>> of;
    for (const std::uint32_t i : items) of[set.item(i).subject].push_back(i);
    for (auto& [subject, own] : of) of_.push_back(std::move(own));
  }
  std::size_t size() const { return of_.size(); }

  /// Cuts new groups of all subjects. Returns how many.
  std::size_t fill(RandomStream& stream) {
    const auto k = static_cast<std::size_t>(spec_.pictures);
    groups_.clear();
    std::size_t count = 0;
    for (const auto& items : of_) {
      groups_.push_back(spec_.other_cameras ? camera_groups(set_, items, k, stream)
                                            : plain_groups(items, k, stream));
      count += groups_.back().size();
    }
    left_.resize(of_.size());
    std::iota(left_.begin(), left_.end(), std::size_t{0});
    return count;
  }

  /// How many subjects have groups left.
  std::size_t left() const { return left_.size(); }

  /// Appends a group of each of `count` different subjects.
  void draw(std::size_t count, RandomStream& stream, std::vector<std::uint32_t>& order) {
    for (std::size_t i = 0; i < count; ++i) {  // the first of a shuffle
      const std::size_t other = i + stream.below(left_.size() - i);
      std::swap(left_[i], left_[other]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      Groups& mine = groups_[left_[i]];
      order.insert(order.end(), mine.back().begin(), mine.back().end());
      mine.pop_back();
    }
    std::erase_if(left_, [&](std::size_t s) { return groups_[s].empty(); });
    std::sort(left_.begin(), left_.end());
  }

 private:
  const Dataset& set_;
  const SamplerSpec& spec_;
  Groups of_;
  std::vector<Groups> groups_;
  std::vector<std::size_t> left_;
};

/// Items that are drawn without replacement.
class Pictures {
 public:
  explicit Pictures(std::span<const std::uint32_t> items) : items_(items.begin(), items.end()) {}
  std::size_t size() const { return items_.size(); }
  std::size_t fill(RandomStream& stream) {
    stream.shuffle(std::span(items_));
    next_ = 0;
    return items_.size();
  }
  std::size_t left() const { return items_.size() - next_; }
  void draw(std::size_t count, RandomStream&, std::vector<std::uint32_t>& order) {
    order.insert(order.end(), items_.begin() + static_cast<std::ptrdiff_t>(next_),
                 items_.begin() + static_cast<std::ptrdiff_t>(next_ + count));
    next_ += count;
  }

 private:
  std::vector<std::uint32_t> items_;
  std::size_t next_ = 0;
};

std::vector<std::uint32_t> all_items(const Dataset& set) {
  std::vector<std::uint32_t> items(set.size());
  std::iota(items.begin(), items.end(), 0u);
  return items;
}

std::vector<std::uint32_t> pk_order(const Dataset& set, const SamplerSpec& spec,
                                    RandomStream& stream) {
  const auto p = static_cast<std::size_t>(spec.subjects);
  Subjects subjects(set, spec, all_items(set));
  if (subjects.size() < p) {
    refuse(set, fmt::format("a batch wants {} subjects, but the set has {}", p, subjects.size()),
           "lower sampler.subjects or take a larger set");
  }
  subjects.fill(stream);
  std::vector<std::uint32_t> order;
  while (subjects.left() >= p) subjects.draw(p, stream, order);
  return order;
}

/// The items of each domain or camera, by its number.
std::map<int, std::vector<std::uint32_t>> divide(const Dataset& set, const SamplerSpec& spec) {
  std::map<int, std::vector<std::uint32_t>> of;
  for (std::uint32_t i = 0; i < set.size(); ++i) {
    const Item& item = set.item(i);
    if (spec.balance == SamplerSpec::Balance::camera && item.camera < 0) {
      refuse(set, "the camera of " + quote(item.name) + " is not known",
             "sampler.balance = \"camera\" needs a set with cameras");
    }
    of[spec.balance == SamplerSpec::Balance::camera ? item.camera : item.domain].push_back(i);
  }
  return of;
}

/// What each of `count` domains or cameras gives to a batch.
std::vector<std::size_t> parts_of(const Dataset& set, const SamplerSpec& spec, std::size_t count) {
  const bool pk = spec.kind == SamplerSpec::Kind::pk;
  const std::int64_t whole = pk ? spec.subjects : spec.batch;
  const char* what = pk ? "subjects" : "pictures";
  const char* groups = spec.balance == SamplerSpec::Balance::camera ? "cameras" : "domains";
  if (spec.parts.empty()) {
    const auto n = static_cast<std::int64_t>(count);
    if (whole % n != 0) {
      refuse(set,
             fmt::format("{} {} of a batch cannot be parted among {} {}", whole, what, n, groups),
             "take a multiple of that number, or set sampler.parts");
    }
    return std::vector<std::size_t>(count, static_cast<std::size_t>(whole / n));
  }
  if (spec.parts.size() != count) {
    refuse(set,
           fmt::format("sampler.parts has {} numbers, but the set {} {}", spec.parts.size(), count,
                       groups),
           "name one number for each");
  }
  const std::int64_t sum = std::accumulate(spec.parts.begin(), spec.parts.end(), std::int64_t{0});
  if (sum != whole) {
    refuse(set, fmt::format("sampler.parts makes {} {}, but a batch has {}", sum, what, whole),
           "let the parts add up to the batch");
  }
  return {spec.parts.begin(), spec.parts.end()};
}

template <class Pool>
std::vector<std::uint32_t> balanced_order(const Dataset& set, const SamplerSpec& spec,
                                          RandomStream& stream, std::vector<Pool> pools,
                                          const std::vector<int>& names) {
  const std::vector<std::size_t> parts = parts_of(set, spec, pools.size());
  const std::size_t whole = std::accumulate(parts.begin(), parts.end(), std::size_t{0});
  std::size_t all = 0;
  for (std::size_t g = 0; g < pools.size(); ++g) {
    if (pools[g].size() < parts[g]) {
      refuse(set,
             fmt::format("a batch wants {} {} of {} {}, which has {}", parts[g],
                         spec.kind == SamplerSpec::Kind::pk ? "subjects" : "pictures",
                         spec.balance == SamplerSpec::Balance::camera ? "camera" : "domain",
                         names[g], pools[g].size()),
             "set sampler.parts, or lower the batch");
    }
    if (parts[g] > 0) all += pools[g].fill(stream);
  }
  std::vector<std::uint32_t> order;
  for (std::size_t batch = 0; batch < all / whole; ++batch) {
    for (std::size_t g = 0; g < pools.size(); ++g) {
      if (pools[g].left() < parts[g]) pools[g].fill(stream);
      pools[g].draw(parts[g], stream, order);
    }
  }
  return order;
}

std::vector<std::uint32_t> balanced(const Dataset& set, const SamplerSpec& spec,
                                    RandomStream& stream) {
  const bool pk = spec.kind == SamplerSpec::Kind::pk;
  if (spec.kind == SamplerSpec::Kind::ordered) {
    refuse(set, "an ordered sampler cannot balance its batches", "sampler.kind = \"shuffle\"");
  }
  if (pk && spec.balance == SamplerSpec::Balance::camera) {
    refuse(set, "pk does not balance cameras",
           "sampler.other_cameras = true takes a subject's pictures from several cameras");
  }
  std::vector<int> names;
  std::vector<Subjects> subjects;
  std::vector<Pictures> pictures;
  for (const auto& [name, items] : divide(set, spec)) {
    names.push_back(name);
    if (pk) {
      subjects.emplace_back(set, spec, items);
    } else {
      pictures.emplace_back(items);
    }
  }
  return pk ? balanced_order(set, spec, stream, std::move(subjects), names)
            : balanced_order(set, spec, stream, std::move(pictures), names);
}

}  // namespace

std::vector<std::uint32_t> epoch_order(const Dataset& set, const SamplerSpec& spec,
                                       std::uint64_t seed, std::uint64_t epoch) {
  RandomStream stream(seed, "order", epoch);
  if (spec.balance == SamplerSpec::Balance::none && spec.kind == SamplerSpec::Kind::pk) {
    return pk_order(set, spec, stream);
  }
  const auto batch = static_cast<std::size_t>(batch_size(spec));
  if (spec.kind != SamplerSpec::Kind::pk && set.size() < batch) {
    refuse(set, fmt::format("a batch of {} pictures from a set of {}", batch, set.size()),
           "lower sampler.batch or take a larger set");
  }
  if (spec.balance != SamplerSpec::Balance::none) return balanced(set, spec, stream);
  std::vector<std::uint32_t> order = all_items(set);
  if (spec.kind == SamplerSpec::Kind::shuffle) stream.shuffle(std::span(order));
  order.resize(order.size() / batch * batch);
  return order;
}

}  // namespace sosia::data
