#pragma once
// What all fuzz targets share: only sosia::Error may leave a reader, and the seeds
// come from our own writers instead of committed binaries.

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sosia::fuzz {

/// Runs a reader on one input. Any exception other than `Error` ends the program: a finding.
template <class Reader>
int run(Reader reader, const std::uint8_t* data, std::size_t size) {
  try {
    reader(std::as_bytes(std::span(data, size)));
  } catch (const Error&) {
    // An input that is refused.
  }
  return 0;
}

/// Writes `seeds` to a scratch folder and adds it to the corpora on the command line, unless single
/// files are to be replayed. Call from LLVMFuzzerInitialize.
inline int add_seeds(int* argc, char*** argv, const std::vector<std::string>& seeds) {
  static std::unique_ptr<TemporaryFolder> folder;
  static std::vector<char*> arguments;
  static std::string name;
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    std::error_code ignored;
    if (!argument.starts_with('-') && std::filesystem::is_regular_file(argument, ignored)) return 0;
  }
  folder = std::make_unique<TemporaryFolder>();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    write_file(folder->path() / ("seed-" + std::to_string(i)), seeds[i]);
  }
  name = folder->path().string();
  arguments.assign(*argv, *argv + *argc);
  arguments.push_back(name.data());
  arguments.push_back(nullptr);
  *argv = arguments.data();
  ++*argc;
  return 0;
}

}  // namespace sosia::fuzz
