// Damages small valid files of every format in several hundred reproducible ways: each reader
// either succeeds or throws sosia::Error, and never asks for much memory.

#include "../../fuzz/formats/exercise.hpp"
#include "../../fuzz/formats/samples.hpp"
#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/rng.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <new>

#include <malloc.h>

namespace {

std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

#if SOSIA_COUNTS_ALLOCATIONS  // the sanitizers bring an allocator of their own
void* counted(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t live = live_bytes += malloc_usable_size(memory);
  std::size_t peak = peak_bytes;
  while (live > peak && !peak_bytes.compare_exchange_weak(peak, live)) {
  }
  return memory;
}

void uncounted(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
#endif

}  // namespace

#if SOSIA_COUNTS_ALLOCATIONS
void* operator new(std::size_t size) {
  return counted(size);
}
void* operator new[](std::size_t size) {
  return counted(size);
}
void operator delete(void* memory) noexcept {
  uncounted(memory);
}
void operator delete[](void* memory) noexcept {
  uncounted(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  uncounted(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  uncounted(memory);
}
#endif

namespace sosia::formats {
namespace {

constexpr std::size_t kMostBytes = 64u << 20;
constexpr int kDamages = 300;  // of each sample, besides every truncation

/// Cuts, flips, overwrites with extreme lengths, repeats and removes.
std::string damaged(std::string text, RandomStream& random) {
  const std::uint64_t rounds = 1 + random.below(3);
  for (std::uint64_t round = 0; round < rounds && !text.empty(); ++round) {
    const std::size_t at = random.below(text.size());
    const std::size_t left = text.size() - at;
    switch (random.below(6)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
        break;
      case 1:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 2: {  // a length that is far too large, of 1 to 8 bytes
        const std::size_t width = std::min<std::size_t>(left, std::size_t{1} << random.below(4));
        text.replace(at, width, width, random.below(2) == 0 ? '\xff' : '\x7f');
        break;
      }
      case 3:
        text.erase(at, 1 + random.below(std::min<std::size_t>(left, 16)));
        break;
      case 4:
        text.insert(at, text.substr(at, random.below(32)));
        break;
      default:
        text.insert(at, 1 + random.below(20), "9\"{[(\xff"[random.below(6)]);
    }
  }
  return text;
}

template <class Exercise>
void survive(const std::string& input, Exercise exercise, const std::string& which) {
  const std::size_t before = live_bytes;
  peak_bytes = before;
  try {
    exercise(bytes_of(input));
  } catch (const Error&) {
    // Refused: as good as read.
  } catch (const std::exception& other) {
    ADD_FAILURE() << which << " lets out " << other.what();
  }
  EXPECT_LT(peak_bytes - before, kMostBytes) << which;
}

template <class Exercise>
void damage_all(const fuzz::Samples& samples, Exercise exercise, const char* format) {
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const std::string& sample = samples[s];
    const std::string which = std::string(format) + " sample " + std::to_string(s);
    survive(sample, exercise, which);
    const std::size_t step = std::max<std::size_t>(1, sample.size() / 200);
    for (std::size_t length = 0; length < sample.size(); length += step) {
      survive(sample.substr(0, length), exercise, which + " cut at " + std::to_string(length));
    }
    for (int i = 0; i < kDamages; ++i) {
      RandomStream random(s, format, static_cast<std::uint64_t>(i));
      survive(damaged(sample, random), exercise, which + " damage " + std::to_string(i));
    }
  }
}

TEST(Corrupted, Csv) {
  damage_all(fuzz::csv_samples(), fuzz::exercise_csv, "csv");
}
TEST(Corrupted, Npy) {
  damage_all(fuzz::npy_samples(), fuzz::exercise_npy, "npy");
}
TEST(Corrupted, Zip) {
  damage_all(fuzz::zip_samples(), fuzz::exercise_zip, "zip");
}
TEST(Corrupted, Safetensors) {
  damage_all(fuzz::safetensors_samples(), fuzz::exercise_safetensors, "safetensors");
}
TEST(Corrupted, Pickle) {
  damage_all(fuzz::pickle_samples(), fuzz::exercise_pickle, "pickle");
}
TEST(Corrupted, VerificationBin) {
  damage_all(fuzz::verification_samples(), fuzz::exercise_verification, "verification");
}
TEST(Corrupted, RecordIo) {
  damage_all(fuzz::recordio_samples(), fuzz::exercise_recordio, "recordio");
}
TEST(Corrupted, Lists) {
  damage_all(fuzz::list_samples(), fuzz::exercise_lists, "lists");
}

// What a fuzz target once stumbled over stays read in every run of the tests.
TEST(Corrupted, KeptInputsOfTheFuzzTargets) {
  const std::map<std::string, void (*)(fuzz::Bytes)> targets{
      {"csv", fuzz::exercise_csv},
      {"lists", fuzz::exercise_lists},
      {"npy", fuzz::exercise_npy},
      {"npz", fuzz::exercise_zip},
      {"pickle", fuzz::exercise_pickle},
      {"recordio", fuzz::exercise_recordio},
      {"safetensors", fuzz::exercise_safetensors},
      {"verification", fuzz::exercise_verification}};
  const auto corpus = std::filesystem::path(SOSIA_SOURCE_DIR) / "fuzz" / "formats" / "corpus";
  std::size_t files = 0;
  for (const auto& folder : std::filesystem::directory_iterator(corpus)) {
    const auto target = targets.find(folder.path().filename().string());
    ASSERT_NE(target, targets.end()) << folder.path() << " belongs to no fuzz target";
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      const std::vector<std::byte> bytes = read_file(file.path());
      survive({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, target->second,
              file.path().string());
      ++files;
    }
  }
  EXPECT_GT(files, 0u);
}

#if SOSIA_COUNTS_ALLOCATIONS
// The counter itself must count, or the limit above would say nothing.
TEST(Corrupted, LargeAllocationsAreSeen) {
  const std::size_t before = live_bytes;
  peak_bytes = before;
  const CsvReader csv(bytes_of("a\n" + std::string(100, 'x')), "x.csv");
  EXPECT_GT(peak_bytes - before, 100u);  // allocated inside of the library
}
#endif

}  // namespace
}  // namespace sosia::formats
