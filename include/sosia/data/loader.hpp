#pragma once
// Batches, made ahead by worker threads. What is in them depends on seed, epoch and place alone,
// never on the number of workers.

#include "sosia/core/run.hpp"
#include "sosia/data/dataset.hpp"
#include "sosia/data/sampler.hpp"
#include "sosia/data/transform.hpp"
#include "sosia/image/planar.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sosia::data {

struct LoaderOptions {
  std::uint64_t seed = 0;
  int workers = 1;        ///< threads; each makes whole batches
  std::size_t ahead = 4;  ///< batches that may wait
  image::PlanarOptions planar = {};
  bool grey = false;  ///< one channel instead of three
  /// Of several processes with a common seed, this one takes rows rank, rank + processes, ... of
  /// each batch.
  int rank = 0, processes = 1;
  /// Make the first batches of the next epoch while the last ones of this are used. False for a
  /// single pass, where they would be made for nothing.
  bool across_epochs = true;
  /// `next` throws cancelled soon after this run was cancelled. May be null; outlives the loader.
  const RunContext* run = nullptr;
};

/// A batch. float32 views [n, channels, height, width].
struct Batch {
  std::uint64_t epoch = 0, number = 0;  ///< within the epoch
  std::array<std::int64_t, 4> shape{};
  std::vector<std::vector<float>> views;  ///< one for each pipeline
  std::vector<std::int64_t> subjects;
  std::vector<int> cameras;
  std::vector<std::uint32_t> items;
};

/// A picture that could not be read. The next one of its subject that can be read, in the order of
/// the set and around its end, took its place; without such a one the next of the set.
struct Unreadable {
  std::string name;
  std::string reason;
};

/// Thread-safety: one caller. The destructor waits for the pictures that are being read, not for
/// the batches that they belong to.
class Loader {
 public:
  /// `views`: one pipeline for each view of a picture, all of one extent. Throws invalid_argument
  /// when they give none or different ones, and as `epoch_order`.
  Loader(std::shared_ptr<const Dataset> set, SamplerSpec sampler, std::vector<Pipeline> views,
         const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Batches of an epoch; epochs of pk may differ.
  std::uint64_t batches(std::uint64_t epoch) const;
  /// Goes to a batch: what comes next is what came next when the loader was there before. A number
  /// beyond the last batch is the end of that epoch.
  void seek(std::uint64_t epoch, std::uint64_t number);
  /// The next batch; nothing at the end of the epoch, after which the next epoch begins. An error
  /// of a worker is thrown here, in place of the batch that it spoiled and then again until `seek`.
  /// A set of which nothing can be read: corrupt_data.
  std::optional<Batch> next();
  /// Gives a batch's memory back for later ones.
  void recycle(Batch&& batch);

  /// All pictures that could not be read so far, each once, by name; at most 1,000.
  std::vector<Unreadable> unreadable() const;
  std::uint64_t unreadable_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::data
