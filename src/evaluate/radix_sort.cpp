#include "evaluate/radix_sort.hpp"

#include "evaluate/checks.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <limits>
#include <utility>

namespace sosia::evaluate {
namespace {

// Eight bits beat eleven and sixteen here: 256 write streams stay within the cache and the TLB.
constexpr unsigned kDigitBits = 8;
constexpr std::size_t kBuckets = std::size_t{1} << kDigitBits;
constexpr unsigned kPasses = 64 / kDigitBits;
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
// Below this the histograms cost more than comparisons do.
constexpr std::size_t kRadixFrom = 4096;

using Histograms = std::array<std::array<std::size_t, kBuckets>, kPasses>;

std::uint64_t key_of(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

double value_of(std::uint64_t key) {
  return std::bit_cast<double>((key & kSign) != 0 ? key & ~kSign : ~key);
}

struct KeyIndex {
  std::uint64_t key;
  std::uint32_t index;
};

std::uint64_t key_of(const KeyIndex& item) {
  return item.key;
}
std::uint64_t key_of(std::uint64_t key) {
  return key;
}

std::size_t digit(std::uint64_t key, unsigned pass) {
  return static_cast<std::size_t>(key >> (pass * kDigitBits)) & (kBuckets - 1);
}

// A pass whose digit is the same for all items moves nothing and is left out: scores that came from
// 32-bit floats, or that share sign and exponent, need fewer passes.
template <class Item>
void radix_sort(std::vector<Item>& items) {
  const std::size_t count = items.size();
  Histograms histograms{};
  for (const Item& item : items) {
    const std::uint64_t key = key_of(item);
    for (unsigned pass = 0; pass < kPasses; ++pass) ++histograms[pass][digit(key, pass)];
  }
  std::vector<Item> scratch(count);
  Item* from = items.data();
  Item* to = scratch.data();
  for (unsigned pass = 0; pass < kPasses; ++pass) {
    auto& histogram = histograms[pass];
    if (histogram[digit(key_of(from[0]), pass)] == count) continue;
    std::size_t start = 0;
    for (std::size_t& slot : histogram) start += std::exchange(slot, start);
    for (std::size_t i = 0; i < count; ++i) {
      to[histogram[digit(key_of(from[i]), pass)]++] = from[i];
    }
    std::swap(from, to);
  }
  if (from != items.data()) items.swap(scratch);
}

}  // namespace

void sort_ascending(std::vector<double>& values) {
  if (values.size() < kRadixFrom) {
    std::sort(values.begin(), values.end());
    return;
  }
  std::vector<std::uint64_t> keys(values.size());
  std::transform(values.begin(), values.end(), keys.begin(),
                 [](double value) { return key_of(value); });
  radix_sort(keys);
  std::transform(keys.begin(), keys.end(), values.begin(), value_of);
}

std::vector<std::uint32_t> stable_order(std::span<const double> values, bool descending) {
  if (values.size() > std::numeric_limits<std::uint32_t>::max()) {
    refuse("more than 4294967295 values cannot be ordered by index");
  }
  std::vector<KeyIndex> items(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    // Adding +0.0 turns -0.0 into +0.0, so that the two zeros tie.
    const std::uint64_t key = key_of(values[i] + 0.0);
    items[i] = {descending ? ~key : key, static_cast<std::uint32_t>(i)};
  }
  if (items.size() < kRadixFrom) {
    std::stable_sort(items.begin(), items.end(),
                     [](const KeyIndex& a, const KeyIndex& b) { return a.key < b.key; });
  } else {
    radix_sort(items);
  }
  std::vector<std::uint32_t> order(items.size());
  std::transform(items.begin(), items.end(), order.begin(),
                 [](const KeyIndex& item) { return item.index; });
  return order;
}

}  // namespace sosia::evaluate
