#include "gallery/system.hpp"

#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

Error system_error(std::string_view verb, const fs::path& path, int error_number) {
  if (error_number == ENOENT) {
    return Error(ErrorCode::not_found, quote(path.string(), 200) + " does not exist",
                 "check the spelling and the folder you are in");
  }
  std::string hint;
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
    hint = "free some space and run it again";
  }
  if (error_number == EACCES || error_number == EROFS || error_number == EPERM) {
    hint = "check the permissions, or choose another place";
  }
  return Error(ErrorCode::io,
               "cannot " + std::string(verb) + " " + quote(path.string(), 200) + ": " +
                   std::generic_category().message(error_number),
               hint);
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

FileHandle open_in_place(const fs::path& path) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) throw system_error("write", path, errno);
  return file;
}

void write_at(const FileHandle& file, std::uint64_t offset, std::span<const std::byte> bytes,
              const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error("write", path, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

void zero_at(const FileHandle& file, std::uint64_t offset, std::uint64_t size,
             const fs::path& path) {
  static constexpr std::array<std::byte, 1 << 16> kZeros{};
  while (size > 0) {
    const std::uint64_t step = std::min<std::uint64_t>(size, kZeros.size());
    write_at(file, offset, std::span(kZeros).first(static_cast<std::size_t>(step)), path);
    offset += step;
    size -= step;
  }
}

void flush(const FileHandle& file, const fs::path& path) {
  if (::fsync(file.get()) != 0) throw system_error("write", path, errno);
}

void wipe_file(const fs::path& path) {
  const FileHandle file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return;
    throw system_error("write", path, errno);
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw system_error("examine", path, errno);
  zero_at(file, 0, static_cast<std::uint64_t>(info.st_size), path);
  flush(file, path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw system_error("remove", path, errno);
}

std::optional<FileIdentity> file_identity(const fs::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileIdentity{static_cast<std::uint64_t>(info.st_dev),
                      static_cast<std::uint64_t>(info.st_ino)};
}

bool folder_writable(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

namespace {

std::string holder_line(std::string_view who) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> since{};
  std::strftime(since.data(), since.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return "process " + std::to_string(::getpid()) + " on " + host.data() + ", " +
         (who.empty() ? std::string("unnamed") : std::string(who)) + ", since " + since.data() +
         "\n";
}

std::string read_holder(int fd) {
  std::array<char, 512> text{};
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  std::string_view line(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
  line = line.substr(0, line.find('\n'));
  return line.empty() ? "unknown" : std::string(line);
}

/// The locked file, or nothing and in `holder` who has it.
std::optional<FileHandle> lock_once(const fs::path& path, std::string_view who,
                                    std::string& holder) {
  for (;;) {
    FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (file.get() < 0) throw system_error("write", path, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) throw system_error("lock", path, errno);
      holder = read_holder(file.get());
      return std::nullopt;
    }
    // The holder before may have removed the name between our open and our lock: then we hold a
    // file that nobody else will ever see.
    struct stat ours{};
    const auto named = file_identity(path);
    if (::fstat(file.get(), &ours) != 0) throw system_error("examine", path, errno);
    if (!named || named->inode != ours.st_ino || named->device != ours.st_dev) continue;
    // The line is for people: on a full disk the lock holds without it.
    const std::string line = holder_line(who);
    if (::ftruncate(file.get(), 0) == 0) {
      [[maybe_unused]] const auto written = ::pwrite(file.get(), line.data(), line.size(), 0);
    }
    return file;
  }
}

Error held_error(const fs::path& path, const std::string& holder) {
  return Error(ErrorCode::conflict, "another writer holds the gallery: " + holder,
               "wait until it has finished", path.string());
}

}  // namespace

LockFile LockFile::acquire(const fs::path& path, std::string_view who) {
  std::string holder;
  std::optional<FileHandle> file = lock_once(path, who, holder);
  if (!file) throw held_error(path, holder);
  return LockFile(path, std::move(*file));
}

std::optional<LockFile> LockFile::try_acquire(const fs::path& path, std::string_view who) {
  try {
    std::string holder;
    std::optional<FileHandle> file = lock_once(path, who, holder);
    if (!file) return std::nullopt;
    return LockFile(path, std::move(*file));
  } catch (const Error&) {
    return std::nullopt;
  }
}

LockFile LockFile::wait(const fs::path& path, std::string_view who, std::int64_t timeout_ms) {
  const std::int64_t end = now_ms() + timeout_ms;
  for (;;) {
    std::string holder;
    std::optional<FileHandle> file = lock_once(path, who, holder);
    if (file) return LockFile(path, std::move(*file));
    if (now_ms() >= end) throw held_error(path, holder);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

LockFile::~LockFile() {
  if (file_.get() >= 0) ::unlink(path_.c_str());  // while it is locked; see lock_once
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace sosia::gallery
