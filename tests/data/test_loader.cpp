#include "data/support.hpp"
#include "errors.hpp"
#include "sosia/data/loader.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace sosia::data {
namespace {

const std::vector<std::string> kSteps{"random_resized_crop height=16 width=12 scale=0.5", "flip",
                                      "colour_jitter", "erase p=0.3"};

std::unique_ptr<Loader> loader(std::shared_ptr<const Dataset> set, int workers, int rank = 0,
                               int processes = 1) {
  LoaderOptions options;
  options.seed = 7;
  options.workers = workers;
  options.rank = rank;
  options.processes = processes;
  return std::make_unique<Loader>(std::move(set), SamplerSpec{.batch = 6},
                                  std::vector<Pipeline>{Pipeline(kSteps), Pipeline(kSteps)},
                                  options);
}

std::vector<Batch> all(Loader& from, int epochs) {
  std::vector<Batch> out;
  for (int e = 0; e < epochs;) {
    if (auto batch = from.next()) {
      out.push_back(std::move(*batch));
    } else {
      ++e;
    }
  }
  return out;
}

void expect_equal(const std::vector<Batch>& a, const std::vector<Batch>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].items, b[i].items);
    EXPECT_EQ(a[i].epoch, b[i].epoch);
    EXPECT_TRUE(a[i].views == b[i].views) << "batch " << i;
  }
}

TEST(Loader, IsTheSameForAnyNumberOfWorkers) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{9, 9, 9, 4});
  const std::vector<Batch> one = all(*loader(set, 1), 2);
  ASSERT_EQ(one.size(), 10u);
  EXPECT_EQ(one[0].shape, (std::array<std::int64_t, 4>{6, 3, 16, 12}));
  EXPECT_FALSE(one[0].views[0] == one[0].views[1]);
  for (const int workers : {2, 3, 8}) expect_equal(one, all(*loader(set, workers), 2));
}

TEST(Loader, GoesOnWhereItWasSoughtTo) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{9, 9, 9, 4});
  const std::vector<Batch> whole = all(*loader(set, 2), 2);
  const auto again = loader(set, 3);
  again->next();  // somewhere else first
  again->seek(1, 2);
  std::vector<Batch> rest;
  while (auto batch = again->next()) rest.push_back(std::move(*batch));
  expect_equal({whole.begin() + 7, whole.end()}, rest);
}

TEST(Loader, ProcessesShareTheRowsOfABatch) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{9, 9, 9, 4});
  const std::vector<Batch> whole = all(*loader(set, 1), 1);
  const std::vector<Batch> first = all(*loader(set, 2, 0, 2), 1),
                           second = all(*loader(set, 2, 1, 2), 1);
  const std::size_t size = 3 * 16 * 12;
  for (std::size_t b = 0; b < whole.size(); ++b) {
    for (std::size_t row = 0; row < 6; ++row) {
      const Batch& part = row % 2 == 0 ? first[b] : second[b];
      EXPECT_EQ(part.items[row / 2], whole[b].items[row]);
      EXPECT_TRUE(
          std::equal(part.views[1].begin() + static_cast<std::ptrdiff_t>(row / 2 * size),
                     part.views[1].begin() + static_cast<std::ptrdiff_t>((row / 2 + 1) * size),
                     whole[b].views[1].begin() + static_cast<std::ptrdiff_t>(row * size)));
    }
  }
}

TEST(Loader, ABrokenPictureIsReplacedCountedAndListed) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{6, 6});
  set->broken = {2, 7};
  const auto from = loader(set, 2);
  for (const Batch& batch : all(*from, 1)) {
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      EXPECT_FALSE(set->broken.contains(batch.items[i]));
      EXPECT_EQ(set->item(batch.items[i]).subject, batch.subjects[i]);
    }
  }
  EXPECT_EQ(from->unreadable_count(), 2u);
  EXPECT_EQ(from->unreadable()[0].name, "0/2");
  EXPECT_EQ(from->unreadable()[0].reason, "broken picture");
}

TEST(Loader, ASetOfWhichNothingCanBeReadIsAnError) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{6, 6});
  for (std::size_t i = 0; i < 12; ++i) set->broken.insert(i);
  const auto from = loader(set, 2);
  EXPECT_THROW(from->next(), Error);
}

TEST(Loader, ViewsNeedOneSize) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{6, 6});
  const auto make = [&](const std::vector<std::vector<std::string>>& views) {
    std::vector<Pipeline> pipelines;
    for (const auto& steps : views) pipelines.emplace_back(steps);
    Loader(set, {.batch = 2}, std::move(pipelines), {});
  };
  EXPECT_THROW(make({{"flip"}}), Error);
  EXPECT_THROW(make({{"resize height=8 width=8"}, {"resize height=8 width=9"}}), Error);
  EXPECT_THROW(make({}), Error);
}

TEST(Loader, GoesOnAtTheEndOfAnEpoch) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>{9, 9, 9, 4});
  const std::vector<Batch> whole = all(*loader(set, 2), 2);
  for (const std::uint64_t number : {5u, 9u}) {  // the epoch has 5 batches
    const auto again = loader(set, 2);
    again->seek(0, number);
    EXPECT_FALSE(again->next().has_value());
    expect_equal({whole.begin() + 5, whole.end()}, all(*again, 1));
  }
}

/// Reading counts and, at one item, fails with what no other picture makes good.
class FragileSet final : public Dataset {
 public:
  explicit FragileSet(std::size_t size, std::size_t bad) : set_({int(size)}), bad_(bad) {}
  std::size_t size() const override { return set_.size(); }
  const Item& item(std::size_t index) const override { return set_.item(index); }
  image::Image read(std::size_t index, const Shrink& shrink) const override {
    ++reads;
    if (index == bad_) throw Error(ErrorCode::internal, "a bug");
    return set_.read(index, shrink);
  }
  std::string described() const override { return "fragile"; }
  mutable std::atomic<int> reads{0};

 private:
  ColourSet set_;
  std::size_t bad_;
};

std::unique_ptr<Loader> in_order(std::shared_ptr<const Dataset> set, LoaderOptions options) {
  return std::make_unique<Loader>(
      std::move(set), SamplerSpec{.kind = SamplerSpec::Kind::ordered, .batch = 4},
      std::vector<Pipeline>{Pipeline({"resize height=8 width=8"})}, options);
}

TEST(Loader, AnErrorTakesThePlaceOfItsBatch) {
  const auto set = std::make_shared<FragileSet>(40, 13);
  for (int i = 0; i < 20; ++i) {
    const auto from = in_order(set, {.workers = 4, .ahead = 8});
    for (int b = 0; b < 3; ++b) ASSERT_EQ(from->next()->number, static_cast<std::uint64_t>(b));
    EXPECT_EQ(code_of([&] { from->next(); }), ErrorCode::internal);
    EXPECT_EQ(code_of([&] { from->next(); }), ErrorCode::internal);
    from->seek(0, 5);
    EXPECT_EQ(from->next()->number, 5u);
  }
}

TEST(Loader, MakesNoMoreAheadThanItMay) {
  for (const bool across : {false, true}) {
    const auto set = std::make_shared<FragileSet>(16, 99);  // 4 batches
    const auto from = in_order(set, {.workers = 2, .ahead = 3, .across_epochs = across});
    for (int b = 0; b < 4; ++b) from->next();
    const int most = across ? 4 * 7 : 4 * 4;  // 3 batches of the next epoch, or none
    for (int wait = 0; wait < 200 && set->reads < most; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(set->reads, most);
    EXPECT_FALSE(from->next().has_value());
    EXPECT_EQ(from->next()->epoch, 1u);
  }
}

/// Reading takes until somebody opens the gate.
class SlowSet final : public Dataset {
 public:
  std::size_t size() const override { return set_.size(); }
  const Item& item(std::size_t index) const override { return set_.item(index); }
  image::Image read(std::size_t index, const Shrink& shrink) const override {
    ++reads;
    while (!open) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return set_.read(index, shrink);
  }
  std::string described() const override { return "slow"; }
  mutable std::atomic<int> reads{0};
  std::atomic<bool> open{false};

 private:
  ColourSet set_{{400}};
};

TEST(Loader, ACancelledRunEndsTheWait) {
  const auto set = std::make_shared<SlowSet>();
  const auto token = std::make_shared<CancelToken>();
  const RunContext run({.cancel = token});
  const auto from = in_order(set, {.workers = 2, .run = &run});
  std::jthread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    token->cancel();
  });
  EXPECT_EQ(code_of([&] { from->next(); }), ErrorCode::cancelled);
  set->open = true;
}

TEST(Loader, DestructionDoesNotWaitForWholeBatches) {
  const auto set = std::make_shared<SlowSet>();
  std::jthread opener;
  {
    const Loader from(set, {.kind = SamplerSpec::Kind::ordered, .batch = 400},
                      {Pipeline({"resize height=8 width=8"})}, {.workers = 2});
    while (set->reads < 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    opener = std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      set->open = true;  // by now the destructor waits for the pictures in the making
    });
  }
  EXPECT_LT(set->reads, 100);  // of 400; 2 were seen
}

// Destruction while workers are busy and batches wait; run under the thread sanitizer too.
TEST(Loader, StopsAtOnce) {
  const auto set = std::make_shared<ColourSet>(std::vector<int>(50, 20));
  for (int i = 0; i < 20; ++i) {
    const auto from = loader(set, 4);
    if (i % 2 == 0) from->next();
    if (i % 3 == 0) from->seek(2, 5);
    if (auto batch = from->next()) from->recycle(std::move(*batch));
  }
}

}  // namespace
}  // namespace sosia::data
