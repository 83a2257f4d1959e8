#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace sosia {

/// A module whose border is a C table of functions: a library that is too heavy or too foreign to
/// load with a room (Arrow, FFmpeg, OpenSSL) lives in one, beside libsosia_core.so, and is opened
/// on first use.
///
/// Thread-safe. Never closed: such libraries keep threads, memory pools and exit handlers.
class CModuleFile {
 public:
  /// `file`: its name in the modules' folder. `factory`: the symbol that returns the table.
  /// `abi`: what the first 32 bits of the table must hold. The texts must outlive the object.
  constexpr CModuleFile(const char* file, const char* factory, std::uint32_t abi) noexcept
      : file_(file), factory_(factory), abi_(abi) {}

  /// The table, or nullptr with the `reason` why there is none. A module that could not be opened
  /// is looked for again by the next call.
  const void* open(std::string& reason);

 private:
  const char* file_;
  const char* factory_;
  std::uint32_t abi_;
  std::mutex mutex_;
  const void* table_ = nullptr;
};

/// The same with the type of the table.
template <class Api>
class CModule {
 public:
  constexpr CModule(const char* file, const char* factory, std::uint32_t abi) noexcept
      : file_(file, factory, abi) {}

  const Api* open(std::string& reason) { return static_cast<const Api*>(file_.open(reason)); }

 private:
  CModuleFile file_;
};

}  // namespace sosia
