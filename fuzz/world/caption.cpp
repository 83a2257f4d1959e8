// Fuzz target: captions and the attributes of truth files. What is read must print and read back.

#include "sosia/world/caption.hpp"

#include "../fuzz_target.hpp"
#include "sosia/world/face.hpp"

#include <cstdlib>

namespace {

void exercise(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("{")) {
    const sosia::Value value = sosia::parse_json(text);
    (void)sosia::world::face_attributes_from_value(value);
    return;
  }
  const sosia::world::FaceCaption read = sosia::world::parse_caption(text);
  const std::string printed = sosia::world::caption_text(read);
  // What only half a phrase told ("red" of a hat that is not there) is not printed again.
  const sosia::world::FaceCaption again = sosia::world::parse_caption(printed);
  if (sosia::world::caption_text(again) != printed) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::vector<std::string> seeds;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto attributes = sosia::world::random_face_attributes(1, i, 0);
    seeds.push_back(sosia::world::caption_text(sosia::world::caption_of(attributes)));
  }
  seeds.push_back(sosia::to_json(sosia::world::to_value(sosia::world::FaceAttributes())));
  return sosia::fuzz::add_seeds(argc, argv, seeds);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(exercise, data, size);
}
