// A writer that is killed at a random point: nothing that it acknowledged is lost, and the gallery
// opens as it is. The writer is this program itself, started anew with --writer.

#include "store_support.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sosia::gallery {
namespace {

using namespace test;

#ifndef SOSIA_CRASH_ROUNDS
#define SOSIA_CRASH_ROUNDS 20
#endif

constexpr std::size_t kDimension = 32;

/// What the writer does in step `step` of its life is a function of (seed, step): the parent knows
/// it too.
struct Step {
  std::size_t add = 0;  ///< templates to be added
  std::optional<std::string> forget = {};
  bool search = false;
};

Step step_of(std::uint64_t seed, std::uint64_t step) {
  RandomStream random(seed, "step", step);
  Step s;
  s.add = 1 + random.below(40);
  s.search = random.below(4) == 0;
  if (step > 2 && random.below(5) == 0) {
    // A subject that an earlier step added.
    s.forget = "s" + std::to_string(seed) + "-" + std::to_string(random.below(step - 1)) + "-0";
  }
  return s;
}

/// The same for the same step; made once.
const std::vector<Template>& batch_of(std::uint64_t seed, std::uint64_t step) {
  static std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Template>> made;
  const auto known = made.find({seed, step});
  if (known != made.end()) return known->second;
  std::vector<Template>& batch = made[{seed, step}];
  for (std::size_t i = 0; i < step_of(seed, step).add; ++i) {
    Template t;
    t.label = "s" + std::to_string(seed) + "-" + std::to_string(step) + "-" + std::to_string(i / 4);
    t.vector = random_vector(kDimension, step * 1000 + i, seed);
    t.origin = std::to_string(seed) + "/" + std::to_string(step) + "/" + std::to_string(i);
    batch.push_back(std::move(t));
  }
  return batch;
}

void say(char what, std::uint64_t step) {
  std::array<char, 9> line{};
  line[0] = what;
  std::memcpy(line.data() + 1, &step, sizeof step);
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(1);
}

int write_forever(const std::string& path, std::uint64_t seed) {
  RunContext run({.threads = 1});
  const auto gallery = open_gallery(path, {.access = Access::write, .who = "crash test"});
  for (std::uint64_t step = 0;; ++step) {
    const Step s = step_of(seed, step);
    gallery->add(batch_of(seed, step), "", run);
    say('a', step);
    if (s.forget) {
      say('?', step);  // begun
      try {
        gallery->forget(*s.forget, "", run);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) return 1;
      }
      say('f', step);
    }
    if (s.search) search(*gallery, random_vector(kDimension, step), 3);
  }
}

struct Known {
  std::map<std::string, std::size_t> steps = {};  ///< "seed/step" -> templates that were given
  std::set<std::string> forgotten = {};
  std::set<std::string> doubtful = {};  ///< forgetting was begun, but not acknowledged
};

/// Starts a writer, kills it, notes what it acknowledged.
void one_round(const std::string& path, std::uint64_t seed, Known& known,
               std::uint64_t& last_step) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    const std::string number = std::to_string(seed);
    ::execl("/proc/self/exe", "crash", "--writer", path.c_str(), number.c_str(), nullptr);
    std::_Exit(127);
  }
  ::close(ends[1]);
  RandomStream random(seed, "delay");
  // From its first acknowledgement on: how long starting takes depends on the machine.
  std::vector<char> heard(1);
  ASSERT_EQ(::read(ends[0], heard.data(), 1), 1);
  ::usleep(static_cast<useconds_t>(random.below(150'000)));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    heard.insert(heard.end(), buffer.begin(), buffer.begin() + n);
  }
  ::close(ends[0]);
  last_step = 0;
  for (std::size_t at = 0; at + 9 <= heard.size(); at += 9) {
    std::uint64_t step = 0;
    std::memcpy(&step, heard.data() + at + 1, sizeof step);
    last_step = step;
    const Step s = step_of(seed, step);
    switch (heard[at]) {
      case 'a':
        known.steps[std::to_string(seed) + "/" + std::to_string(step)] = s.add;
        break;
      case '?':
        known.doubtful.insert(*s.forget);
        break;
      default:
        known.doubtful.erase(*s.forget);
        known.forgotten.insert(*s.forget);
    }
  }
}

void check(const std::string& path, std::uint64_t seed, Known& known, std::uint64_t last_step) {
  RunContext run({.threads = 1});
  const auto gallery = open_gallery(path, {});
  std::map<std::string, std::size_t> found;
  std::size_t wrong = 0;
  gallery->scan(
      {},
      [&](const StoredTemplate& t) {
        // Every template is what its origin says, to the last bit.
        std::uint64_t of_seed = 0, step = 0;
        std::size_t item = 0;
        EXPECT_EQ(std::sscanf(t.origin.c_str(), "%lu/%lu/%zu", &of_seed, &step, &item), 3);
        const auto& batch = batch_of(of_seed, step);
        double dot = 0, norm = 0;
        for (std::size_t i = 0; i < kDimension; ++i) {
          dot += static_cast<double>(t.vector[i]) * batch[item].vector[i];
          norm += static_cast<double>(batch[item].vector[i]) * batch[item].vector[i];
        }
        if (t.label != batch[item].label || dot / std::sqrt(norm) < 0.999) ++wrong;
        EXPECT_FALSE(known.forgotten.contains(t.label)) << t.label;
        ++found[std::to_string(of_seed) + "/" + std::to_string(step)];
        return true;
      },
      run);
  EXPECT_EQ(wrong, 0u);
  const auto gone = [&](std::uint64_t of_seed, std::uint64_t step, bool doubtful) {
    std::size_t count = 0;
    for (const Template& t : batch_of(of_seed, step)) {
      count += known.forgotten.contains(t.label) || (doubtful && known.doubtful.contains(t.label));
    }
    return count;
  };
  for (const auto& [name, count] : known.steps) {
    std::uint64_t of_seed = 0, step = 0;
    std::sscanf(name.c_str(), "%lu/%lu", &of_seed, &step);
    const std::size_t present = found[name];
    EXPECT_LE(present, count - gone(of_seed, step, false)) << name;
    EXPECT_GE(present, count - gone(of_seed, step, true)) << "lost from " << name;
    found.erase(name);
  }
  // What was not acknowledged is there whole or not at all.
  for (const auto& [name, present] : found) {
    if (present == 0) continue;
    EXPECT_EQ(name, std::to_string(seed) + "/" + std::to_string(last_step + 1));
    EXPECT_EQ(present, batch_of(seed, last_step + 1).size());
    known.steps[name] = present;
  }
  for (const Damage& damage : gallery->verify(run)) {
    // A forget that was cut off is finished by the next writer.
    EXPECT_TRUE(damage.what.find("forget was not finished") != std::string::npos ||
                damage.file.ends_with(".cache") || damage.file.ends_with(".index"))
        << damage.file << ": " << damage.what;
  }
  const auto answer = search(*gallery, batch_of(seed, 0)[0].vector, 1);
  if (gallery->info().templates > 0) {
    EXPECT_EQ(answer.results[0].templates.size(), 1u);
  }
}

TEST(Crash, NothingAcknowledgedIsLost) {
  const Place place({.dimension = kDimension});
  Known known;
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= SOSIA_CRASH_ROUNDS; ++seed) {
    std::uint64_t last_step = 0;
    one_round(place.path(), seed, known, last_step);
    if (HasFatalFailure()) return;
    check(place.path(), seed, known, last_step);
    ASSERT_FALSE(HasFailure()) << "round " << seed;
    // Every writer completes what the one before had begun.
    RunContext run;
    place.write();
    EXPECT_TRUE(place.read()->verify(run).empty());
    // A forget without an answer has happened or not; from now on it is known which.
    std::set<std::string> present;
    place.read()->scan(
        {},
        [&](const StoredTemplate& t) {
          present.insert(t.label);
          return true;
        },
        run);
    for (const std::string& label : known.doubtful) {
      if (!present.contains(label)) known.forgotten.insert(label);
    }
    known.doubtful.clear();
  }
  for (const auto& [name, count] : known.steps) acknowledged += count;
  EXPECT_GT(acknowledged, 20u * SOSIA_CRASH_ROUNDS);
}

}  // namespace
}  // namespace sosia::gallery

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--writer") {
    return sosia::gallery::write_forever(argv[2], std::strtoull(argv[3], nullptr, 10));
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
