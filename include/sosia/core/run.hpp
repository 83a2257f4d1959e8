#pragma once
// The surroundings of one run: seed, threads, device, progress, log, cancel, outputs. There are no
// globals: two runs live in one process.

#include "sosia/core/files.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/settings.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sosia {

/// A flag that one thread raises and others look at. Safe to raise from a signal handler.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

enum class LogLevel { debug, info, warning };

/// Where progress, log lines and text that comes bit by bit go. Rendering belongs to the front-end.
/// Calls are serialised by `RunContext`.
class RunSink {
 public:
  virtual ~RunSink() = default;
  /// `done` of `total` units of `phase`; `total` 0 means unknown.
  virtual void progress(std::string_view phase, std::uint64_t done, std::uint64_t total) = 0;
  virtual void log(LogLevel level, std::string_view line) = 0;
  /// The next part of what will be the report's verdict, whole UTF-8 characters. A front-end that
  /// shows it as it comes leaves the verdict out afterwards.
  virtual void verdict_part(std::string_view /*part*/) {}
};

/// What a front-end decides about a run.
struct RunConfig {
  std::uint64_t seed = 0;
  int threads = 0;             ///< at most this many; 0: all processors this process may use
  std::string device = "cpu";  ///< "cpu", "cuda" or "cuda:<number>"
  Overwrite overwrite = Overwrite::refuse;
  std::shared_ptr<CancelToken> cancel = {};  ///< may be null
  std::shared_ptr<RunSink> sink = {};        ///< may be null: silence
  Settings given = {};  ///< the options of every verb that were set, with their sources
};

/// Passed to every verb.
///
/// Thread-safety: all members may be called from any thread of the run.
class RunContext {
 public:
  explicit RunContext(RunConfig config = {});
  ~RunContext();
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  std::uint64_t seed() const noexcept { return config_.seed; }
  /// The number of threads that this run may use, at least 1.
  int threads() const noexcept { return threads_; }
  const std::string& device() const noexcept { return config_.device; }
  Overwrite overwrite() const noexcept { return config_.overwrite; }
  const Settings& given() const noexcept { return config_.given; }

  /// Stream `index` of the named family, independent of thread count and order.
  RandomStream random(std::string_view name, std::uint64_t index = 0) const {
    return RandomStream(config_.seed, name, index);
  }

  /// Reports progress and throws `cancelled` when the run was cancelled.
  void progress(std::string_view phase, std::uint64_t done, std::uint64_t total = 0);
  /// Throws `cancelled` when the run was cancelled. Call it at least every 100 ms of work.
  void check_cancelled() const;
  void log(LogLevel level, std::string_view line);
  /// Hands out the next part of a verdict that comes bit by bit. Does not throw when cancelled: a
  /// verb that has a part of its result keeps it, asking `cancelled`.
  void verdict_part(std::string_view part);
  bool cancelled() const noexcept { return config_.cancel && config_.cancel->cancelled(); }

  /// Calls `body(first, last)` on disjoint ranges that cover [begin, end), on the run's own arena
  /// of `threads()` threads (nested calls run in the same arena, so they cannot deadlock and never
  /// exceed the limit). `grain` is the smallest range worth a task. The first exception is thrown
  /// to the caller; a cancelled run throws `cancelled`. Results must not depend on how the range is
  /// cut.
  void parallel_for(std::size_t begin, std::size_t end, std::size_t grain,
                    const std::function<void(std::size_t, std::size_t)>& body);

  /// Says that this process is one of several that make one run together, and not the first: from
  /// now on it writes no output and no manifest, shows no progress and prints no report, for the
  /// first one does.
  void follow() noexcept { follows_.store(true, std::memory_order_relaxed); }
  bool follows() const noexcept { return follows_.load(std::memory_order_relaxed); }

  /// Writes one result file atomically, honouring `overwrite()`, and notes it for the manifest.
  /// Nothing where the process follows another.
  void write_output(const std::filesystem::path& path, std::span<const std::byte> bytes);
  void write_output(const std::filesystem::path& path, std::string_view text);
  /// Notes a file that was written by other means (a gallery, a checkpoint).
  void note_output(const std::filesystem::path& path);
  /// Notes a file that was read, so that its hash enters the manifest.
  void note_input(const std::filesystem::path& path);
  std::vector<std::filesystem::path> outputs() const;
  std::vector<std::filesystem::path> inputs() const;

 private:
  struct Impl;
  RunConfig config_;
  int threads_;
  std::atomic<bool> follows_{false};
  std::unique_ptr<Impl> impl_;
};

/// Whether `device` is spelled like one: "cpu", "cuda" or "cuda:<number>".
bool valid_device(std::string_view device);

/// The number of processors this process may run on (affinity and cgroup quota), at least 1.
int usable_processors();

}  // namespace sosia
