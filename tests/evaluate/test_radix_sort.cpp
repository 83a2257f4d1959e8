// The radix sort against std::sort, on sizes on both sides of the switch and on awkward values.

#include "evaluate/radix_sort.hpp"
#include "evaluate/support.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sosia::evaluate {
namespace {

std::vector<std::vector<double>> awkward_lists() {
  RandomStream stream(1, "radix");
  std::vector<std::vector<double>> lists{{}, {1.0}, {2.0, 1.0}, {0.0, -0.0, 0.0}};
  for (std::size_t size : {100u, 4095u, 4096u, 20000u}) {
    std::vector<double> normal, floats, few, wide, same(size, -3.25);
    for (std::size_t i = 0; i < size; ++i) {
      normal.push_back(stream.normal());
      floats.push_back(static_cast<float>(stream.normal()));
      few.push_back(static_cast<double>(stream.below(7)) - 3.0);
      wide.push_back(std::ldexp(stream.normal(), static_cast<int>(stream.below(2000)) - 1000));
    }
    few[0] = -0.0;
    wide[0] = std::numeric_limits<double>::infinity();
    wide[1] = -std::numeric_limits<double>::infinity();
    wide[2] = std::numeric_limits<double>::denorm_min();
    lists.insert(lists.end(), {normal, floats, few, wide, same});
  }
  return lists;
}

TEST(RadixSort, EqualsStdSort) {
  for (const std::vector<double>& list : awkward_lists()) {
    std::vector<double> fast = list, slow = list;
    sort_ascending(fast);
    std::sort(slow.begin(), slow.end());
    EXPECT_EQ(fast, slow) << list.size();
  }
}

TEST(RadixSort, OrderEqualsStableSortBothWays) {
  for (const std::vector<double>& list : awkward_lists()) {
    for (bool descending : {false, true}) {
      std::vector<std::uint32_t> slow(list.size());
      std::iota(slow.begin(), slow.end(), 0u);
      std::stable_sort(slow.begin(), slow.end(), [&](std::uint32_t a, std::uint32_t b) {
        return descending ? list[a] > list[b] : list[a] < list[b];
      });
      EXPECT_EQ(stable_order(list, descending), slow) << list.size();
    }
  }
}

}  // namespace
}  // namespace sosia::evaluate
