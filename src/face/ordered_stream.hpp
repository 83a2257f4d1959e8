#pragma once
// Work on a list by several threads, results delivered in order, few in memory.

#include "sosia/core/run.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace sosia::face {

/// Calls `work(i)` for i = 0 .. count - 1 on `workers` threads and `each(result)` in that order
/// from the calling thread, until it returns false. No index is begun that is `2 * workers` or more
/// ahead of the one that is delivered next, so memory is bounded. The first exception of `work` or
/// `each` ends everything and is thrown, as is `cancelled`.
template <class Result, class Work, class Each>
void ordered_stream(std::size_t count, int workers, const Work& work, const Each& each,
                    std::string_view phase, RunContext& run) {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::size_t, Result> ready;
  std::size_t next = 0, delivered = 0;
  bool stop = false;
  std::exception_ptr failure;
  const std::size_t window = 2 * static_cast<std::size_t>(workers);

  const auto body = [&] {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return stop || next >= count || next < delivered + window; });
      if (stop || next >= count) return;
      const std::size_t index = next++;
      lock.unlock();
      try {
        Result result = work(index);
        lock.lock();
        ready.emplace(index, std::move(result));
      } catch (...) {
        if (!lock.owns_lock()) lock.lock();
        if (!failure) failure = std::current_exception();
        stop = true;
      }
      changed.notify_all();
    }
  };

  std::vector<std::thread> threads;
  const auto finish = [&] {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    for (std::thread& thread : threads) thread.join();
  };
  try {
    for (int i = 0; i < workers; ++i) threads.emplace_back(body);
    while (delivered < count) {
      run.progress(phase, delivered, count);  // throws when cancelled
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::milliseconds(50),
                       [&] { return failure || ready.contains(delivered); });
      if (failure) break;
      const auto found = ready.find(delivered);
      if (found == ready.end()) continue;
      Result result = std::move(found->second);
      ready.erase(found);
      lock.unlock();
      const bool more = each(std::move(result));
      lock.lock();
      ++delivered;
      lock.unlock();
      changed.notify_all();
      if (!more) break;
    }
  } catch (...) {
    finish();
    throw;
  }
  finish();
  if (failure) std::rethrow_exception(failure);
  run.progress(phase, delivered, count);
}

}  // namespace sosia::face
