#include "world/output_set.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace sosia::world {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, int code) {
  throw Error(ErrorCode::io,
              fmt::format("cannot write {}: {}", quote(path.string(), 200),
                          std::generic_category().message(code)),
              "make room or choose another folder; the same command goes on afterwards");
}

int open_file(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail(path, errno);
  return file;
}

void write_all(int file, const fs::path& path, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(file, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(path, written < 0 ? errno : ENOSPC);
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace

bool check_output_folder(const fs::path& folder, const Value& settings) {
  std::error_code failed;
  if (!fs::exists(folder, failed)) return false;
  if (!fs::is_directory(folder, failed)) {
    throw Error(ErrorCode::conflict, quote(folder.string(), 200) + " is a file, not a folder",
                "choose another name for --out");
  }
  if (fs::is_empty(folder, failed)) return false;
  const fs::path marker = folder / kUnfinishedMarker;
  if (!fs::exists(marker, failed)) {
    throw Error(ErrorCode::conflict,
                fmt::format("the folder {} is not empty", quote(folder.string(), 200)),
                "choose another folder for --out, or empty this one");
  }
  if (read_text(marker, 1 << 20) != to_json(settings) + "\n") {
    throw Error(ErrorCode::conflict,
                fmt::format("the folder {} holds an unfinished run with other options",
                            quote(folder.string(), 200)),
                fmt::format("finish it with the options in {}, or empty the folder",
                            quote(marker.string(), 200)));
  }
  return true;
}

OutputSet::OutputSet(fs::path folder, const Value& settings) : folder_(std::move(folder)) {
  resumed_ = check_output_folder(folder_, settings);
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) fail(folder_, failed.value());
  if (!resumed_) write_file(folder_ / kUnfinishedMarker, to_json(settings) + "\n");
}

OutputSet::~OutputSet() {
  for (const auto& [name, file] : open_) ::close(file);
}

void OutputSet::write(const fs::path& relative, std::span<const std::byte> bytes) {
  const fs::path path = folder_ / relative;
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) fail(path.parent_path(), failed.value());
  const int file = open_file(path);
  try {
    write_all(file, path, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } catch (...) {
    ::close(file);
    fs::remove(path, failed);
    throw;
  }
  if (::close(file) != 0) {
    const int code = errno;
    fs::remove(path, failed);
    fail(path, code);
  }
}

void OutputSet::write(const fs::path& relative, std::string_view text) {
  write(relative, std::as_bytes(std::span(text)));
}

void OutputSet::append(const std::string& relative, std::string_view text) {
  const fs::path path = folder_ / relative;
  auto found = open_.find(relative);
  if (found == open_.end()) found = open_.emplace(relative, open_file(path)).first;
  write_all(found->second, path, text.data(), text.size());
}

void OutputSet::finish(RunContext& run, std::span<const std::string> noted) {
  for (auto& [name, file] : open_) {
    const int code = ::close(file) == 0 ? 0 : errno;
    file = -1;
    if (code != 0) {
      open_.erase(name);
      fail(folder_ / name, code);
    }
  }
  open_.clear();
  for (const std::string& name : noted) run.note_output(folder_ / name);
  std::error_code failed;
  fs::remove(folder_ / kUnfinishedMarker, failed);
  if (failed) fail(folder_ / kUnfinishedMarker, failed.value());
}

void stream_in_order(RunContext& run, std::string_view phase, std::uint64_t count,
                     const std::function<std::string(std::uint64_t)>& produce,
                     const std::function<void(std::uint64_t, std::string&)>& consume) {
  const auto batch = static_cast<std::uint64_t>(std::max(32, 16 * run.threads()));
  std::vector<std::string> texts;
  for (std::uint64_t first = 0; first < count; first += batch) {
    run.progress(phase, first, count);
    const std::uint64_t size = std::min(batch, count - first);
    texts.assign(size, {});
    run.parallel_for(0, size, 1, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) {
        run.check_cancelled();
        texts[i] = produce(first + i);
      }
    });
    for (std::uint64_t i = 0; i < size; ++i) consume(first + i, texts[i]);
  }
  run.progress(phase, count, count);
}

}  // namespace sosia::world
