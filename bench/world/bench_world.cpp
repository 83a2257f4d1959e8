// Rendered faces and attacks per second on one thread. A second pass must give the same pixels.
// Times are processor seconds of this thread, so that a busy machine disturbs them less; the
// resident memory at the end shows that streaming does not grow it.

#include "sosia/core/hash.hpp"
#include "sosia/world/attack.hpp"
#include "sosia/world/face.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace sosia;

double thread_seconds() {
  std::timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::uint64_t fingerprint(image::ImageView v, std::uint64_t seed) {
  for (int y = 0; y < v.height_px; ++y) {
    const auto bytes = static_cast<std::size_t>(v.width_px) * static_cast<std::size_t>(v.channels);
    seed = xxh3_64(std::as_bytes(std::span(v.row(y), bytes)), seed);
  }
  return seed;
}

std::string resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return line.substr(7);
  }
  return "unknown";
}

// Renders `count` pictures, three rounds; returns whether all rounds agree.
bool bench(const char* name, std::uint64_t count,
           const std::function<image::ImageView(std::uint64_t)>& render) {
  std::vector<double> rates;
  std::vector<std::uint64_t> prints;
  for (int round = 0; round < 4; ++round) {  // the first warms up and is the reference
    std::uint64_t print = 0;
    const double start = thread_seconds();
    for (std::uint64_t i = 0; i < count; ++i) {
      const image::ImageView view = render(i);
      if (round < 2) print = fingerprint(view, print);
    }
    const double seconds = thread_seconds() - start;
    if (round < 2) prints.push_back(print);
    if (round > 0) rates.push_back(static_cast<double>(count) / seconds);
  }
  std::sort(rates.begin(), rates.end());
  const bool same = prints[0] == prints[1];
  std::fputs(fmt::format("{:<28} {:>8.0f}/s  (rounds {:.0f} to {:.0f})  {}\n", name, rates[1],
                         rates.front(), rates.back(), same ? "same pixels" : "PIXELS DIFFER")
                 .c_str(),
             stdout);
  return same;
}

}  // namespace

int main() {
  using namespace sosia::world;
  FaceRenderer faces;
  FaceImage face;
  AttackRenderer attacks;
  AttackImage attack;
  bool good = true;
  for (const int size : {32, 64, 128, 256}) {
    const auto count = static_cast<std::uint64_t>(size <= 64 ? 1500 : 200);
    good &= bench(fmt::format("face {} px", size).c_str(), count, [&](std::uint64_t i) {
      faces.render(random_face_identity(1, i), random_face_attributes(1, i, 0), size, face);
      return face.picture.view();
    });
  }
  good &= bench("attack 64 px", 300, [&](std::uint64_t i) {
    const AttackScene scene{random_face_identity(1, i), random_enrolment_attributes(1, i, 0),
                            random_face_identity(2, i), random_enrolment_attributes(2, i, 0)};
    attacks.render(scene, random_attack(1, i, 0, static_cast<AttackKind>(i % kAttackKinds)), 64,
                   attack);
    return attack.picture.view();
  });
  std::fputs(fmt::format("resident memory at the end: {}\n", resident_kib()).c_str(), stdout);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
