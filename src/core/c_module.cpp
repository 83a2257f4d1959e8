#include "sosia/core/c_module.hpp"

#include "sosia/core/catalogue.hpp"

#include <cstring>

#include <dlfcn.h>

namespace sosia {

const void* CModuleFile::open(std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (table_ != nullptr) return table_;
  void* handle = ::dlopen((Catalogue::module_folder() / file_).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    reason = why == nullptr ? "unknown reason" : why;
    return nullptr;
  }
  const auto factory = reinterpret_cast<const void* (*)()>(::dlsym(handle, factory_));
  const void* table = factory == nullptr ? nullptr : factory();
  std::uint32_t abi = 0;
  if (table != nullptr) std::memcpy(&abi, table, sizeof abi);
  if (table == nullptr || abi != abi_) {
    reason = "it belongs to another version of sosia";
    return nullptr;
  }
  return table_ = table;
}

}  // namespace sosia
