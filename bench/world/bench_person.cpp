// Person crops a second on one thread, streamed as a training loop would draw them: enumerate,
// render, use, forget. Checked first: the same crop gives the same pixels, and the resident memory
// of this process does not grow while 20,000 crops pass.

#include "sosia/version.hpp"
#include "sosia/world/organisation.hpp"
#include "sosia/world/person.hpp"
#include "sosia/world/record.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace {

using namespace sosia;
using namespace sosia::world;

constexpr std::uint64_t kSeed = 1;

/// Resident pages of this process.
long resident_pages() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return resident;
}

/// All stills of a world without end, one after the other.
class Stream {
 public:
  explicit Stream(const PersonWorld& world) : world_(world) {}
  const PersonCrop& next() {
    while (at_ == crops_.size()) {
      crops_ = world_.stills(subject_++);
      at_ = 0;
    }
    return crops_[at_++];
  }

 private:
  const PersonWorld& world_;
  std::int64_t subject_ = 1;
  std::size_t at_ = 0;
  std::vector<PersonCrop> crops_;
};

void fail(const char* what) {
  std::fprintf(stderr, "bench_person: %s\n", what);
  std::exit(1);
}

void check() {
  const PersonWorld world({.seed = kSeed});
  Stream stream(world);
  std::uint64_t sum = 0;
  long before = 0;
  for (int i = 0; i < 20'000; ++i) {
    const PersonCrop& crop = stream.next();
    const image::Image picture = world.render(crop, {32, 64});
    sum += *picture.pixel(16, 32);
    if (i % 1000 == 0 &&
        !image::same_pixels(picture, PersonWorld({.seed = kSeed}).render(crop, {32, 64}))) {
      fail("the same crop gave other pixels");
    }
    if (i == 2000) before = resident_pages();
  }
  if (sum / 20'000 < 30 || sum / 20'000 > 225) fail("the pictures are black or white");
  const long grown = resident_pages() - before;
  fmt::print("20,000 crops: resident memory grew by {} pages\n", grown);
  if (grown > 64) fail("memory is not flat");
}

void bench_crops(benchmark::State& state) {
  const PersonWorld world({.seed = kSeed});
  const int width = static_cast<int>(state.range(0));
  Stream stream(world);
  image::Image picture(width, 2 * width, 3);
  for (auto _ : state) {
    world.render_into(stream.next(), picture.mutable_view());
    benchmark::DoNotOptimize(picture.row(0));
  }
  state.SetItemsProcessed(state.iterations());
}

void bench_truth(benchmark::State& state) {
  const PersonWorld world({.seed = kSeed});
  Stream stream(world);
  for (auto _ : state) benchmark::DoNotOptimize(world.truth(stream.next(), {32, 64}));
  state.SetItemsProcessed(state.iterations());
}

void bench_tracklets(benchmark::State& state) {
  const PersonWorld world({.seed = kSeed});
  int video = 0;
  std::int64_t frames = 0;
  for (auto _ : state) {
    for (const PersonTracklet& t : world.tracklets(video++ % world.options().videos)) {
      frames += static_cast<std::int64_t>(t.frames.size());
    }
  }
  state.SetItemsProcessed(frames);
}

void bench_organisations(benchmark::State& state) {
  std::int64_t entity = 0;
  for (auto _ : state) benchmark::DoNotOptimize(organisation({.seed = kSeed}, ++entity));
  state.SetItemsProcessed(state.iterations());
}

void bench_records(benchmark::State& state) {
  std::int64_t entity = 0;
  for (auto _ : state) benchmark::DoNotOptimize(person_entity({.seed = kSeed}, ++entity));
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  check();
  benchmark::AddCustomContext("sosia", std::string(version()));
  benchmark::AddCustomContext("commit", std::string(version_commit()));
  benchmark::AddCustomContext("device", "cpu, one thread");
  benchmark::AddCustomContext("seed", std::to_string(kSeed));
  benchmark::RegisterBenchmark("person_crop_width", bench_crops)->Arg(32)->Arg(64)->Arg(128);
  benchmark::RegisterBenchmark("truth_of_a_crop", bench_truth);
  benchmark::RegisterBenchmark("tracklet_frames", bench_tracklets);
  benchmark::RegisterBenchmark("organisations", bench_organisations);
  benchmark::RegisterBenchmark("person_entities", bench_records);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
