// Fuzz target: InsightFace verification sets.

#include "../fuzz_target.hpp"
#include "exercise.hpp"
#include "samples.hpp"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return sosia::fuzz::add_seeds(argc, argv, sosia::fuzz::verification_samples());
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(sosia::fuzz::exercise_verification, data, size);
}
