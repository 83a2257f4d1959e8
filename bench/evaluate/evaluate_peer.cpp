// Our side of compare_sklearn.py. Reads two .npy files (scores as f8, labels as u1) into memory,
// then computes the ROC curve, AUC and EER once for every line on standard input and answers with
// one line of JSON: seconds of that computation alone, and the figures.

#include "sosia/core/error.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/formats/npy.hpp"
#include "sosia/version.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <fmt/format.h>

namespace {

using namespace sosia;
using namespace sosia::evaluate;
using Clock = std::chrono::steady_clock;

void answer(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  const Clock::time_point begin = Clock::now();
  const Roc roc(split_scores(scores, labels));
  const double auc = roc.auc();
  const Eer crossing = roc.eer();
  const Eer nearest = roc.eer(EerRule::nearest);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  fmt::print(
      "{{\"seconds\":{},\"auc\":{},\"eer\":{},\"eer_nearest\":{},\"points\":{},\"commit\":\"{}\"}}"
      "\n",
      seconds, auc, crossing.rate, nearest.rate, roc.points().size(), version_commit());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: evaluate_peer SCORES.npy LABELS.npy\n");
    return 2;
  }
  try {
    const formats::Array scores = formats::read_npy(argv[1]);
    const formats::Array labels = formats::read_npy(argv[2]);
    for (std::string line; std::getline(std::cin, line);) {
      answer(scores.as<double>(), labels.as<std::uint8_t>());
    }
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.render());
    return error_traits(error.code()).exit_status;
  }
  return 0;
}
