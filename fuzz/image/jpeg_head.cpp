// Fuzz target: the marker segments of a JPEG file and the EXIF block in one of them.

#include "../fuzz_target.hpp"
#include "exercise.hpp"

namespace {

/// A directory of an image width (a decoy) and the orientation, in both byte orders.
std::vector<std::string> blocks() {
  using std::string;
  const char little[] =
      "II*\0\10\0\0\0\2\0\0\1\3\0\1\0\0\0\7\0\0\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0";
  const char big[] = "MM\0*\0\0\0\10\0\2\1\0\0\3\0\0\0\1\0\7\0\0\1\x12\0\3\0\0\0\1\0\3\0\0\0\0\0";
  return {string(little, sizeof little), string(big, sizeof big)};
}

std::vector<std::string> samples() {
  std::vector<std::string> out = blocks();
  for (const std::string& block : blocks()) {
    const auto segment = sosia::fuzz::exif_segment(std::as_bytes(std::span(block)));
    out.emplace_back(reinterpret_cast<const char*>(segment.data()), segment.size());
  }
  out.emplace_back("\xff\xfe\0\4hm", 6);                    // a comment
  out.emplace_back("\xff\xff\xff\1", 4);                    // fill bytes, no length
  out.emplace_back("\xff\xee\0\16Adobe\0d\0\0\0\0\2", 16);  // Adobe's colour transform
  out.emplace_back("\xff\xdd\0\4\0\1", 6);                  // a restart interval
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return sosia::fuzz::add_seeds(argc, argv, samples());
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(sosia::fuzz::exercise_jpeg_head, data, size);
}
