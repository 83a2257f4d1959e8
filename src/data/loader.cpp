#include "sosia/data/loader.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>

namespace sosia::data {

namespace {

constexpr std::size_t kListed = 1000;
constexpr std::size_t kSubstitutes = 50;  // of the subject, and again of the set
constexpr std::chrono::milliseconds kCancelPoll{50};

using Order = std::shared_ptr<const std::vector<std::uint32_t>>;

/// A batch's place in the run, in the order of delivery.
struct Place {
  std::uint64_t epoch = 0, number = 0;
  auto operator<=>(const Place&) const = default;
};

/// A batch, or why there is none.
struct Made {
  Batch batch;
  std::exception_ptr problem;
};

/// Whether the next picture may take the place of one that failed like this.
bool spares_the_run(const Error& error) {
  switch (error.code()) {
    case ErrorCode::corrupt_data:
    case ErrorCode::unsupported:
    case ErrorCode::not_found:
    case ErrorCode::io:
    case ErrorCode::out_of_memory:  // a picture above the decoder's cap
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Loader::Impl {
  // Fixed before the workers start.
  std::shared_ptr<const Dataset> set;
  SamplerSpec sampler;
  std::vector<Pipeline> views;
  LoaderOptions options;
  image::Extent extent;
  std::int64_t rows = 0;  // of this process in a batch
  std::vector<std::vector<std::uint32_t>> of_subject;

  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> generation{0};  // what is made for an older one is dropped

  // Under the mutex.
  mutable std::mutex mutex;
  std::condition_variable wanted, made;
  std::map<std::uint64_t, Order> orders;  // of the epoch that is given and the one that is made
  bool ordering = false;                  // a worker draws the order of make.epoch
  Place make, give;
  std::size_t ahead = 0;  // batches made or in the making, not given
  std::map<Place, Made> ready;
  std::exception_ptr failure;  // was thrown by `next`
  std::vector<Batch> spare;
  std::map<std::string, std::string> unreadable;
  std::vector<std::thread> threads;

  std::size_t batch_items() const { return static_cast<std::size_t>(batch_size(sampler)); }
  std::uint64_t batches_of(const Order& order) const { return order->size() / batch_items(); }

  Order draw_order(std::uint64_t epoch) const {
    return std::make_shared<const std::vector<std::uint32_t>>(
        epoch_order(*set, sampler, options.seed, epoch));
  }

  void go_to(Place place) {
    Order order = draw_order(place.epoch);
    const std::lock_guard lock(mutex);
    ++generation;
    give = place;
    make = place.number < batches_of(order) ? place : Place{place.epoch + 1, 0};
    orders = {{place.epoch, std::move(order)}};
    ordering = false;
    ahead = 0;
    ready.clear();
    failure = nullptr;
    wanted.notify_all();
  }

  bool abandoned(std::uint64_t mine) const {
    return stopping.load(std::memory_order_relaxed) ||
           generation.load(std::memory_order_relaxed) != mine;
  }

  void note(const std::string& name, const std::string& reason) {
    const std::lock_guard lock(mutex);
    if (unreadable.size() < kListed) unreadable.emplace(name, reason);
  }

  void index_subjects() {
    of_subject.resize(static_cast<std::size_t>(set->subjects()));
    for (std::size_t i = 0; i < set->size(); ++i) {
      of_subject[static_cast<std::size_t>(set->item(i).subject)].push_back(
          static_cast<std::uint32_t>(i));
    }
  }

  /// What is tried in place of an item that cannot be read.
  std::vector<std::uint32_t> substitutes(std::uint32_t index) const {
    const auto& same = of_subject[static_cast<std::size_t>(set->item(index).subject)];
    const auto at =
        static_cast<std::size_t>(std::lower_bound(same.begin(), same.end(), index) - same.begin());
    std::vector<std::uint32_t> tries;
    for (std::size_t step = 1; step < same.size() && step <= kSubstitutes; ++step) {
      tries.push_back(same[(at + step) % same.size()]);
    }
    for (std::size_t step = 1; step < set->size() && step <= kSubstitutes; ++step) {
      tries.push_back(static_cast<std::uint32_t>((index + step) % set->size()));
    }
    return tries;
  }

  /// A picture as read, and the extent that it has in the set.
  struct Source {
    image::Image picture;
    image::Extent full = {};
    std::uint32_t item = 0;
  };

  std::optional<Source> try_read(std::uint32_t index, std::span<const RandomStream> streams) {
    Source source;
    source.item = index;
    try {
      source.picture = set->read(index, [&](image::Extent full) {
        source.full = full;
        int least = 8;
        for (std::size_t v = 0; v < views.size(); ++v) {
          least = std::min(least, views[v].shrink(full, streams[v]));
        }
        return least;
      });
      return source;
    } catch (const Error& error) {
      if (!spares_the_run(error)) throw;
      note(set->item(index).name, error.message());
      return std::nullopt;
    }
  }

  Source read(std::uint32_t index, std::span<const RandomStream> streams) {
    if (auto source = try_read(index, streams)) return std::move(*source);
    const std::vector<std::uint32_t> tries = substitutes(index);
    for (const std::uint32_t other : tries) {
      if (auto source = try_read(other, streams)) return std::move(*source);
    }
    throw Error(ErrorCode::corrupt_data,
                fmt::format("none of {} pictures in a row can be read, the first is {}",
                            tries.size() + 1, quote(set->item(index).name)),
                "look at the files", set->described());
  }

  void shape(Batch& batch) const {
    const std::int64_t channels = options.grey ? 1 : 3;
    batch.shape = {rows, channels, extent.height_px, extent.width_px};
    const auto floats =
        static_cast<std::size_t>(rows * channels * extent.height_px * extent.width_px);
    batch.views.resize(views.size());
    for (auto& view : batch.views) view.resize(floats);
    batch.subjects.clear();
    batch.cameras.clear();
    batch.items.clear();
  }

  void add_row(Batch& batch, std::int64_t row, std::uint32_t index, std::uint64_t position) {
    std::vector<RandomStream> streams;
    for (std::size_t v = 0; v < views.size(); ++v) {
      streams.emplace_back(options.seed, fmt::format("view {} of epoch {}", v, batch.epoch),
                           position);
    }
    Source source = read(index, streams);
    batch.subjects.push_back(set->item(source.item).subject);
    batch.cameras.push_back(set->item(source.item).camera);
    batch.items.push_back(source.item);
    const std::size_t size = batch.views[0].size() / static_cast<std::size_t>(rows);
    for (std::size_t v = 0; v < views.size(); ++v) {
      image::Image seen = views[v](source.picture, streams[v], source.full);
      if (options.grey) seen = image::convert(seen, image::Conversion::to_grey);
      image::to_planar(
          seen, std::span(batch.views[v]).subspan(static_cast<std::size_t>(row) * size, size),
          options.planar);
    }
  }

  void fill(Batch& batch, std::span<const std::uint32_t> items, std::uint64_t mine) {
    shape(batch);
    for (std::int64_t row = 0; row < rows && !abandoned(mine); ++row) {
      const std::int64_t place = options.rank + row * options.processes;
      add_row(batch, row, items[static_cast<std::size_t>(place)],
              batch.number * batch_items() + static_cast<std::uint64_t>(place));
    }
  }

  bool may_make() const {
    if (failure || ordering || ahead >= options.ahead) return false;
    return options.across_epochs || make.epoch == give.epoch;
  }

  /// Draws the order of the epoch that is made next. Called and left with the lock held.
  void order_epoch(std::unique_lock<std::mutex>& lock) {
    ordering = true;
    const std::uint64_t mine = generation, epoch = make.epoch;
    lock.unlock();
    Order order;
    std::exception_ptr problem;
    try {
      order = draw_order(epoch);
    } catch (...) {
      problem = std::current_exception();
    }
    lock.lock();
    if (mine != generation) return;
    ordering = false;
    if (problem) {
      ready.emplace(Place{epoch, 0}, Made{{}, problem});
      ahead = options.ahead;  // nothing comes behind it
    } else {
      orders.insert_or_assign(epoch, std::move(order));
    }
    wanted.notify_all();
    made.notify_all();
  }

  /// Makes the batch at `make`. Called and left with the lock held.
  void make_batch(std::unique_lock<std::mutex>& lock, const Order& order) {
    const std::uint64_t mine = generation;
    Made result;
    if (!spare.empty()) {
      result.batch = std::move(spare.back());
      spare.pop_back();
    }
    const Place place = make;
    result.batch.epoch = place.epoch;
    result.batch.number = place.number;
    ++ahead;
    if (++make.number == batches_of(order)) make = {place.epoch + 1, 0};
    lock.unlock();
    try {
      fill(result.batch, std::span(*order).subspan(place.number * batch_items(), batch_items()),
           mine);
    } catch (...) {
      result.problem = std::current_exception();
    }
    lock.lock();
    if (abandoned(mine)) return;
    ready.emplace(place, std::move(result));
    made.notify_all();
  }

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      wanted.wait(lock, [this] { return stopping || may_make(); });
      if (stopping) return;
      const auto order = orders.find(make.epoch);
      if (order == orders.end()) {
        order_epoch(lock);
      } else {
        make_batch(lock, Order(order->second));
      }
    }
  }

  /// Waits for the batch at `give`. Called and left with the lock held.
  void await(std::unique_lock<std::mutex>& lock) {
    while (!ready.contains(give)) {
      if (options.run == nullptr) {
        made.wait(lock);
      } else {
        options.run->check_cancelled();
        made.wait_for(lock, kCancelPoll);
      }
    }
  }
};

Loader::Loader(std::shared_ptr<const Dataset> set, SamplerSpec sampler, std::vector<Pipeline> views,
               const LoaderOptions& options)
    : impl_(std::make_unique<Impl>()) {
  if (views.empty() || views.front().extent().width_px == 0) {
    throw Error(ErrorCode::invalid_argument, "no transform says how large the pictures shall be",
                "add the step \"resize height=112 width=112\"");
  }
  for (const Pipeline& view : views) {
    if (view.extent() != views.front().extent()) {
      throw Error(ErrorCode::invalid_argument, "the views of a picture have different sizes");
    }
  }
  const std::int64_t size = batch_size(sampler);
  if (size % options.processes != 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a batch of {} cannot be shared by {} processes", size, options.processes),
        "take a batch that is a multiple of the processes");
  }
  impl_->extent = views.front().extent();
  impl_->rows = size / options.processes;
  impl_->set = std::move(set);
  impl_->sampler = sampler;
  impl_->views = std::move(views);
  impl_->options = options;
  impl_->index_subjects();
  impl_->go_to({0, 0});
  for (int i = 0; i < std::max(1, options.workers); ++i) {
    impl_->threads.emplace_back([this] { impl_->work(); });
  }
}

Loader::~Loader() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wanted.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

std::uint64_t Loader::batches(std::uint64_t epoch) const {
  {
    const std::lock_guard lock(impl_->mutex);
    const auto known = impl_->orders.find(epoch);
    if (known != impl_->orders.end()) return impl_->batches_of(known->second);
  }
  return impl_->batches_of(impl_->draw_order(epoch));
}

void Loader::seek(std::uint64_t epoch, std::uint64_t number) {
  impl_->go_to({epoch, number});
}

std::optional<Batch> Loader::next() {
  std::unique_lock lock(impl_->mutex);
  if (impl_->failure) std::rethrow_exception(impl_->failure);
  Place& give = impl_->give;
  const auto order = impl_->orders.find(give.epoch);
  if (order != impl_->orders.end() && give.number >= impl_->batches_of(order->second)) {
    impl_->orders.erase(order);
    give = {give.epoch + 1, 0};
    impl_->wanted.notify_all();
    return std::nullopt;
  }
  impl_->await(lock);
  Made result = std::move(impl_->ready.extract(give).mapped());
  if (result.problem) {
    impl_->failure = result.problem;
    std::rethrow_exception(impl_->failure);
  }
  ++give.number;
  --impl_->ahead;
  impl_->wanted.notify_all();
  return std::move(result.batch);
}

void Loader::recycle(Batch&& batch) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->spare.size() < impl_->options.ahead) impl_->spare.push_back(std::move(batch));
}

std::vector<Unreadable> Loader::unreadable() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Unreadable> out;
  for (const auto& [name, reason] : impl_->unreadable) out.push_back({name, reason});
  return out;
}

std::uint64_t Loader::unreadable_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->unreadable.size();
}

}  // namespace sosia::data
