#pragma once
// A folder of many files, written so that a broken run can be told from a whole one: a marker file
// stands in it until all is done.

#include "sosia/core/run.hpp"
#include "sosia/core/value.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace sosia::world {

inline constexpr std::string_view kUnfinishedMarker = "UNFINISHED";

/// Thread-safety: `write` may be called from several threads for different files, everything else
/// from one.
class OutputSet {
 public:
  /// Takes `folder` over: it must be missing, empty, or hold the marker of a run with the same
  /// `settings` (which is then rendered again over what is there). Throws conflict otherwise, io
  /// where it cannot be written.
  OutputSet(std::filesystem::path folder, const Value& settings);
  ~OutputSet();
  OutputSet(const OutputSet&) = delete;
  OutputSet& operator=(const OutputSet&) = delete;

  /// Writes a whole file; folders are made as needed. Throws io with the system's reason (disk
  /// full, ...) and removes what was written of it.
  void write(const std::filesystem::path& relative, std::span<const std::byte> bytes);
  void write(const std::filesystem::path& relative, std::string_view text);
  /// Appends to a file that stays open; the first call truncates it.
  void append(const std::string& relative, std::string_view text);
  /// Closes everything, tells `run` about `noted` (files for the manifest) and takes the marker
  /// away.
  void finish(RunContext& run, std::span<const std::string> noted);

  bool resumed() const noexcept { return resumed_; }
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path folder_;
  std::map<std::string, int> open_;
  bool resumed_ = false;
};

/// Throws as OutputSet's constructor does, and changes nothing. Returns whether a run is resumed.
bool check_output_folder(const std::filesystem::path& folder, const Value& settings);

/// Calls produce(i) for all i in [0, count) on the run's threads and consume(i, text) in order with
/// what it returned: a few hundred at a time, so that memory does not grow with `count`.
void stream_in_order(RunContext& run, std::string_view phase, std::uint64_t count,
                     const std::function<std::string(std::uint64_t)>& produce,
                     const std::function<void(std::uint64_t, std::string&)>& consume);

}  // namespace sosia::world
