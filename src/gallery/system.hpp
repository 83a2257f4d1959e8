#pragma once
// The few system calls that the gallery needs beyond core's files: locks between processes, and
// overwriting in place.

#include "sosia/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::gallery {

/// An `Error` for errno, as core makes it: "cannot <verb> <path>: <reason>".
Error system_error(std::string_view verb, const std::filesystem::path& path, int error_number);

/// Owns a file descriptor.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  ~FileHandle();
  FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_ = -1;
};

/// Opens for reading and writing in place. Throws not_found or io.
FileHandle open_in_place(const std::filesystem::path& path);

/// Writes all of `bytes` at `offset`.
void write_at(const FileHandle& file, std::uint64_t offset, std::span<const std::byte> bytes,
              const std::filesystem::path& path);
/// Overwrites `size` bytes at `offset` with zeros.
void zero_at(const FileHandle& file, std::uint64_t offset, std::uint64_t size,
             const std::filesystem::path& path);
/// Makes what was written durable.
void flush(const FileHandle& file, const std::filesystem::path& path);
/// Overwrites a whole file with zeros and removes it. A file that is not there is all right.
void wipe_file(const std::filesystem::path& path);

/// Which file a path names at the moment; two equal values are the same file.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
std::optional<FileIdentity> file_identity(const std::filesystem::path& path);

/// Whether this process may make files in the folder of `path`.
bool folder_writable(const std::filesystem::path& path);

/// A lock between processes: an exclusive flock on a file that says who holds it. The system takes
/// it back when a process dies, however it dies. The file is removed on release.
class LockFile {
 public:
  /// Throws conflict with the holder's line when it is held, io when the file cannot be made.
  static LockFile acquire(const std::filesystem::path& path, std::string_view who);
  /// Empty when it is held by another or cannot be made.
  static std::optional<LockFile> try_acquire(const std::filesystem::path& path,
                                             std::string_view who);
  /// Waits until it is free. Throws conflict after `timeout_ms`.
  static LockFile wait(const std::filesystem::path& path, std::string_view who,
                       std::int64_t timeout_ms);
  ~LockFile();
  LockFile(LockFile&&) noexcept = default;
  LockFile& operator=(LockFile&&) = delete;

 private:
  LockFile(std::filesystem::path path, FileHandle file)
      : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  FileHandle file_;
};

/// Milliseconds since 1970-01-01 UTC.
std::int64_t now_ms();

}  // namespace sosia::gallery
