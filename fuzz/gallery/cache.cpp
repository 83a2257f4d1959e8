// Fuzz target: cache files of galleries. Without checksums, which the fuzzer could not make; with
// them, too, because their own places are read first.

#include "../fuzz_target.hpp"
#include "gallery/cache_file.hpp"

#include <cstring>
#include <optional>

namespace {

using namespace sosia::gallery;

std::string sample(std::size_t rows) {
  const sosia::TemporaryFolder folder;
  const auto path = folder.path() / "sample";
  CacheWriter writer(path, {std::string(32, 'a'), 3, 9, 3, 8, StoredType::f32});
  const std::vector<float> vector(8, 0.25f);
  const auto bytes = std::as_bytes(std::span(vector));
  for (std::size_t i = 0; i < rows; ++i) {
    if (i == 2) {
      writer.add_hole(static_cast<std::int64_t>(i));
    } else {
      writer.add({static_cast<std::int64_t>(i), static_cast<std::int64_t>(i % 3), "camera", 5, i},
                 bytes);
    }
  }
  if (rows > 0) writer.columns().add_centroid(1, vector, 2, 7);
  writer.finish(
      [](std::int64_t id) { return BlockSubject{"tenant", "subject " + std::to_string(id), 1}; });
  return sosia::read_text(path);
}

/// Follows every number that a reader of the block would follow.
std::size_t visit(const Block& block) {
  std::size_t sum = block.live();
  for (std::size_t row = 0; row < block.size(); ++row) {
    if (is_hole(block.ids[row])) continue;
    sum += block.find_row(block.ids[row]).value();
    sum += block.camera_names[block.cameras[row]].size();
    sum += block.label(block.subjects[row]).size() + block.tenant(block.subjects[row]).size();
    sum += static_cast<std::size_t>(block.rows().row(row)[0]);
  }
  for (std::uint32_t i = 0; i < block.subject_ids.size(); ++i) {
    sum += block.rows_of(i).size() + block.find_subject(block.subject_ids[i]).value();
    if (const auto index = block.find_centroid(i)) {
      sum += block.centroid_sum(*index)[0] > 0 ? 1 : 0;
    }
  }
  return sum;
}

void exercise(std::span<const std::byte> data) {
  // A mapped file starts at a page; so does the copy.
  auto copy = std::make_shared<AlignedBytes>(data.size());
  if (!data.empty()) std::memcpy(copy->data(), data.data(), data.size());
  for (const CacheChecks checks : {CacheChecks::structure, CacheChecks::all}) {
    try {
      visit(*parse_cache(copy->view(), copy, checks).block);
    } catch (const sosia::Error&) {
      // An input that is refused.
    }
  }
  damaged_parts(copy->view());
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return sosia::fuzz::add_seeds(argc, argv, {sample(0), sample(7)});
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(exercise, data, size);
}
