#include "sosia/core/run.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <sched.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace sosia {

struct RunContext::Impl {
  explicit Impl(int threads) : arena(threads) {}
  tbb::task_arena arena;
  std::mutex sink_mutex;
  mutable std::mutex files_mutex;
  std::vector<std::filesystem::path> inputs, outputs;
};

namespace {

/// Whole processors that the cgroup's quota allows ("max 100000" or "200000 100000"), or a large
/// number.
int quota_processors() {
  std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file == nullptr) return 1 << 20;
  long long quota = 0, period = 0;
  const int read = std::fscanf(file, "%lld %lld", &quota, &period);
  std::fclose(file);
  if (read != 2 || quota <= 0 || period <= 0) return 1 << 20;
  return static_cast<int>(std::max(1LL, (quota + period - 1) / period));
}

/// Tells the thread sanitizer that what one thread wrote before `give` is seen behind `take` by
/// another: the atomics that order them are inside oneTBB, where it does not look.
struct Handover {
#ifdef __SANITIZE_THREAD__
  void give() { __tsan_release(this); }
  void take() { __tsan_acquire(this); }
#else
  void give() {}
  void take() {}
#endif
};

void add_once(std::vector<std::filesystem::path>& paths, const std::filesystem::path& path) {
  if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
}

}  // namespace

bool valid_device(std::string_view device) {
  if (device == "cpu" || device == "cuda") return true;
  long long number = 0;
  return device.starts_with("cuda:") && parse_integer(device.substr(5), number) && number >= 0;
}

int usable_processors() {
  cpu_set_t set;
  int processors = static_cast<int>(std::thread::hardware_concurrency());
  if (::sched_getaffinity(0, sizeof set, &set) == 0) processors = CPU_COUNT(&set);
  return std::max(1, std::min(processors, quota_processors()));
}

RunContext::RunContext(RunConfig config) : config_(std::move(config)) {
  if (config_.threads < 0 || config_.threads > 4096) {
    throw Error(ErrorCode::invalid_argument,
                "threads is " + std::to_string(config_.threads) + "; it must be 0 to 4096");
  }
  if (!valid_device(config_.device)) {
    throw Error(ErrorCode::invalid_argument, "the device " + quote(config_.device) + " is unknown",
                "use cpu, cuda or cuda:<number>");
  }
  // More threads than processors would only wait for each other, and oneTBB warns on stderr.
  threads_ = usable_processors();
  if (config_.threads > 0) threads_ = std::min(threads_, config_.threads);
  impl_ = std::make_unique<Impl>(threads_);
}

RunContext::~RunContext() = default;

void RunContext::check_cancelled() const {
  if (cancelled()) {
    throw Error(ErrorCode::cancelled, "cancelled", "what was finished has been kept");
  }
}

void RunContext::progress(std::string_view phase, std::uint64_t done, std::uint64_t total) {
  check_cancelled();
  if (!config_.sink || follows()) return;
  const std::lock_guard lock(impl_->sink_mutex);
  config_.sink->progress(phase, done, total);
}

void RunContext::log(LogLevel level, std::string_view line) {
  if (!config_.sink || follows()) return;
  const std::lock_guard lock(impl_->sink_mutex);
  config_.sink->log(level, line);
}

void RunContext::verdict_part(std::string_view part) {
  if (!config_.sink) return;
  const std::lock_guard lock(impl_->sink_mutex);
  config_.sink->verdict_part(part);
}

void RunContext::parallel_for(std::size_t begin, std::size_t end, std::size_t grain,
                              const std::function<void(std::size_t, std::size_t)>& body) {
  check_cancelled();
  if (begin >= end) return;
  Handover start, finish;
  const auto run = [&](const tbb::blocked_range<std::size_t>& range) {
    start.take();
    check_cancelled();
    body(range.begin(), range.end());
    finish.give();
  };
  const tbb::blocked_range<std::size_t> whole(begin, end, std::max<std::size_t>(grain, 1));
  start.give();
  impl_->arena.execute([&] { tbb::parallel_for(whole, run); });
  finish.take();
}

void RunContext::write_output(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (follows()) return;
  write_file(path, bytes, config_.overwrite);
  note_output(path);
}

void RunContext::write_output(const std::filesystem::path& path, std::string_view text) {
  write_output(path, std::as_bytes(std::span(text)));
}

void RunContext::note_output(const std::filesystem::path& path) {
  if (follows()) return;
  const std::lock_guard lock(impl_->files_mutex);
  add_once(impl_->outputs, path);
}

void RunContext::note_input(const std::filesystem::path& path) {
  const std::lock_guard lock(impl_->files_mutex);
  add_once(impl_->inputs, path);
}

std::vector<std::filesystem::path> RunContext::outputs() const {
  const std::lock_guard lock(impl_->files_mutex);
  return impl_->outputs;
}

std::vector<std::filesystem::path> RunContext::inputs() const {
  const std::lock_guard lock(impl_->files_mutex);
  return impl_->inputs;
}

}  // namespace sosia
