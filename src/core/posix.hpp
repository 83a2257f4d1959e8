#pragma once
// The few system calls that core needs, with the system's reason in every error.

#include "sosia/core/error.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

namespace sosia::posix {

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const noexcept { return fd_; }
  /// Closes now; throws io when the system reports a delayed write error.
  void close(const std::filesystem::path& path);

 private:
  int fd_ = -1;
};

/// An `Error` for errno: not_found for ENOENT, io otherwise. "cannot <verb>: <reason>".
Error system_error(std::string_view verb, const std::filesystem::path& path, int error_number);

/// Opens an existing regular file (or pipe) for reading; a folder is an io error.
Descriptor open_for_reading(const std::filesystem::path& path);

/// Up to buffer.size() bytes; 0 at the end. Retries on EINTR.
std::size_t read_some(const Descriptor& file, std::span<std::byte> buffer,
                      const std::filesystem::path& path);

/// All of `bytes`.
void write_all(const Descriptor& file, std::span<const std::byte> bytes,
               const std::filesystem::path& path);

}  // namespace sosia::posix
