// Fuzz target: JSON lines of templates, and the times in them.

#include "../fuzz_target.hpp"
#include "gallery/enrol.hpp"
#include "gallery/row_source.hpp"
#include "gallery/verb_parts.hpp"

namespace {

using namespace sosia::gallery;

void exercise(std::span<const std::byte> data) {
  const auto source = open_jsonl(data, "input");
  SourceRow row;
  while (source->next(row)) {
    Enrolment enrolment;
    if (row.problem.empty()) (void)check_template(row.content, 4, StoredType::f16, enrolment);
  }
  if (const auto time = parse_time({reinterpret_cast<const char*>(data.data()), data.size()})) {
    (void)format_time(*time);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return sosia::fuzz::add_seeds(
      argc, argv,
      {"{\"label\": \"a\", \"vector\": [1, 2, 3, 4], \"time\": \"2024-05-01T12:00:00Z\"}\n"
       "{\"label\": \"b\", \"vector\": [0.5, 0, 0, 1], \"quality\": 0.5, \"metadata\": {\"k\": 1}}",
       "2024-05-01T12:00:00.5+02:00", "1709209815"});
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sosia::fuzz::run(exercise, data, size);
}
