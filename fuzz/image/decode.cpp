// Fuzz target: pictures of every format. The kept inputs in corpus/decode were written by
// tests/image/samples.cpp.

#include "../fuzz_target.hpp"
#include "exercise.hpp"

namespace {

using namespace sosia::image;

std::string text_of(const Encoded& file) {
  return {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()};
}

std::vector<std::string> samples() {
  Image picture(9, 7, 3);
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 9; ++x) picture.pixel(x, y)[x % 3] = static_cast<std::uint8_t>(29 * x + y);
  }
  std::vector<std::string> files;
  for (const Format format : {Format::jpeg, Format::png, Format::webp, Format::pnm}) {
    files.push_back(text_of(encode(picture, format)));
  }
  EncodeOptions other;
  other.progressive = true;
  other.lossless = true;
  files.push_back(text_of(encode(picture, Format::jpeg, other)));
  files.push_back(text_of(encode(convert(picture, Conversion::to_rgba), Format::webp, other)));
  files.push_back("P5\n# grey\n2 2\n255\nabcd");
  files.push_back("P3 2 1 9\n0 1 2 9 8 7\n");
  return files;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return sosia::fuzz::add_seeds(argc, argv, samples());
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(sosia::fuzz::exercise_decode, data, size);
}
