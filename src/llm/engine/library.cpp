#include "llm/engine/library.hpp"

#include "sosia/core/text.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>

namespace sosia::llm {
namespace fs = std::filesystem;

namespace {

/// libllama's log is one for the process, and so is its list of backends.
struct Process {
  std::mutex mutex;
  std::string errors;
  ggml_backend_reg_t backend = nullptr;
  std::string variant;
};

Process& process() {
  static Process instance;
  return instance;
}

void on_log(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_ERROR) return;
  Process& p = process();
  const std::lock_guard lock(p.mutex);
  if (p.errors.size() < 2000) p.errors += text;
}

std::string short_name(const fs::path& path) {
  std::string name = path.stem().string();
  constexpr std::string_view kPrefix = "libggml-cpu-";
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  return name;
}

/// What the variant says about this processor: 0 when it cannot run here.
int score_of(const fs::path& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return 0;
  using Score = int (*)();
  const auto score = reinterpret_cast<Score>(::dlsym(library, "ggml_backend_score"));
  const int value = score != nullptr ? score() : 1;
  ::dlclose(library);
  return value;
}

}  // namespace

void begin_log() {
  static const bool once = [] {
    // Threads that spin while they wait stall for minutes where others use the processors too. It
    // has to stand in the environment before the kernels are loaded.
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    llama_log_set(on_log, nullptr);
    llama_backend_init();
    return true;
  }();
  (void)once;
  take_log();
}

std::string take_log() {
  Process& p = process();
  const std::lock_guard lock(p.mutex);
  std::string text = std::move(p.errors);
  p.errors.clear();
  // Lines are for terminals; here they become parts of a sentence.
  std::string joined;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.empty()) continue;
    if (!joined.empty()) joined += "; ";
    joined += line;
  }
  return joined;
}

std::vector<fs::path> cpu_variants(const fs::path& folder) {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("libggml-cpu") || !name.ends_with(".so")) continue;
    if (const int score = score_of(entry.path()); score > 0)
      found.emplace_back(score, entry.path());
  }
  if (found.empty()) {
    throw Error(ErrorCode::missing_feature,
                fmt::format("no CPU kernels of libllama run from {}", quote(folder.string())),
                "`make setup` builds them");
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<fs::path> paths;
  for (auto& [score, path] : found) paths.push_back(std::move(path));
  return paths;
}

void use_variant(const fs::path& variant) {
  begin_log();
  Process& p = process();
  {
    const std::lock_guard lock(p.mutex);
    if (p.backend != nullptr && p.variant == short_name(variant)) return;
    if (p.backend != nullptr) ggml_backend_unload(std::exchange(p.backend, nullptr));
  }
  ggml_backend_reg_t backend = ggml_backend_load(variant.c_str());
  if (backend == nullptr) {
    throw Error(ErrorCode::device,
                fmt::format("the CPU kernels {} cannot be loaded", quote(variant.string())));
  }
  const std::lock_guard lock(p.mutex);
  p.backend = backend;
  p.variant = short_name(variant);
}

std::string variant_in_use() {
  Process& p = process();
  const std::lock_guard lock(p.mutex);
  return p.variant;
}

}  // namespace sosia::llm
