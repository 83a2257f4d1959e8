#include "sosia/core/files.hpp"

#include "core/posix.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sosia {

namespace fs = std::filesystem;

namespace posix {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

void Descriptor::close(const fs::path& path) {
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) throw system_error("close", path, errno);
}

Error system_error(std::string_view verb, const fs::path& path, int error_number) {
  const std::string reason = std::generic_category().message(error_number);
  if (error_number == ENOENT) {
    return Error(ErrorCode::not_found, quote(path.string(), 200) + " does not exist",
                 "check the spelling and the folder you are in");
  }
  std::string hint;
  if (error_number == ENOSPC || error_number == EDQUOT) hint = "free some space and run it again";
  if (error_number == EFBIG) hint = "raise the limit on the size of files (ulimit -f)";
  if (error_number == EACCES || error_number == EROFS || error_number == EPERM) {
    hint = "check the permissions, or choose another place";
  }
  return Error(ErrorCode::io,
               "cannot " + std::string(verb) + " " + quote(path.string(), 200) + ": " + reason,
               hint);
}

Descriptor open_for_reading(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw system_error("open", path, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw system_error("examine", path, errno);
  if (S_ISDIR(info.st_mode)) throw system_error("read", path, EISDIR);
  return file;
}

std::size_t read_some(const Descriptor& file, std::span<std::byte> buffer, const fs::path& path) {
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data(), buffer.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw system_error("read", path, errno);
  }
}

void write_all(const Descriptor& file, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error("write", path, errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace posix

namespace {

/// Reads everything into `out` (a byte container with resize). The size that the system states is
/// only a hint: pipes and /proc files state none.
template <class Container>
void read_into(Container& out, const fs::path& path, std::uint64_t cap_bytes) {
  const posix::Descriptor file = posix::open_for_reading(path);
  struct stat info{};
  std::uint64_t expected = 0;
  if (::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode)) {
    expected = static_cast<std::uint64_t>(info.st_size);
  }
  const auto refuse = [&](std::uint64_t size) {
    throw Error(ErrorCode::out_of_memory,
                quote(path.string(), 200) + " holds " + std::to_string(size) +
                    " bytes or more; the limit here is " + std::to_string(cap_bytes));
  };
  if (expected > cap_bytes) refuse(expected);
  std::size_t filled = 0;
  out.resize(static_cast<std::size_t>(expected) + 1);  // one more, so that the end is seen at once
  for (;;) {
    if (filled == out.size()) out.resize(out.size() + std::max<std::size_t>(out.size(), 1 << 16));
    auto* data = reinterpret_cast<std::byte*>(out.data());
    const std::size_t n =
        posix::read_some(file, std::span(data + filled, out.size() - filled), path);
    if (n == 0) break;
    filled += n;
    if (filled > cap_bytes) refuse(filled);
  }
  out.resize(filled);
}

}  // namespace

std::vector<std::byte> read_file(const fs::path& path, std::uint64_t cap_bytes) {
  std::vector<std::byte> bytes;
  read_into(bytes, path, cap_bytes);
  return bytes;
}

std::string read_text(const fs::path& path, std::uint64_t cap_bytes) {
  std::string text;
  read_into(text, path, cap_bytes);
  return text;
}

struct AtomicFile::Impl {
  fs::path destination;
  fs::path temporary;
  Overwrite overwrite;
  posix::Descriptor file;
  bool committed = false;

  ~Impl() {
    if (!committed && !temporary.empty()) {
      std::error_code ignored;
      fs::remove(temporary, ignored);
    }
  }
};

namespace {

Error exists_already(const fs::path& path) {
  return Error(ErrorCode::conflict, quote(path.string(), 200) + " exists already",
               "choose another name, or overwrite it with --force");
}

Error cannot_create(const fs::path& destination, int reason) {
  if (reason != ENOENT) return posix::system_error("create", destination, reason);
  return Error(ErrorCode::io,
               "cannot create " + quote(destination.string(), 200) + ": its folder does not exist",
               "make the folder first");
}

/// 0 when files can be made in `folder` ("" is the current one), otherwise errno.
int refusal_of(const fs::path& folder) {
  const fs::path place = folder.empty() ? fs::path(".") : folder;
  struct stat info{};
  if (::stat(place.c_str(), &info) != 0) return errno;
  if (!S_ISDIR(info.st_mode)) return ENOTDIR;
  return ::faccessat(AT_FDCWD, place.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

void refuse_bad_destination(const fs::path& destination, Overwrite overwrite) {
  std::error_code ignored;
  if (destination.filename().empty() || fs::is_directory(destination, ignored)) {
    throw Error(ErrorCode::io, quote(destination.string(), 200) + " is a folder, not a file name");
  }
  if (overwrite == Overwrite::refuse && fs::exists(fs::symlink_status(destination, ignored))) {
    throw exists_already(destination);
  }
}

}  // namespace

void check_writable(const fs::path& destination, Overwrite overwrite) {
  refuse_bad_destination(destination, overwrite);
  const int reason = refusal_of(destination.parent_path());
  if (reason != 0) throw cannot_create(destination, reason);
}

void check_writable_folder(const fs::path& folder) {
  fs::path place = folder;
  int reason = refusal_of(place);
  while (reason == ENOENT && !place.empty()) {  // then the nearest one that exists counts
    place = place.has_filename() ? place.parent_path() : place.parent_path().parent_path();
    reason = refusal_of(place);
  }
  if (reason != 0) throw posix::system_error("create the folder", folder, reason);
}

AtomicFile::AtomicFile(fs::path destination, Overwrite overwrite)
    : impl_(std::make_unique<Impl>()) {
  static std::atomic<unsigned> serial{0};
  impl_->overwrite = overwrite;
  refuse_bad_destination(destination, overwrite);
  const std::string name = "." + destination.filename().string() + ".tmp-" +
                           std::to_string(::getpid()) + "-" + std::to_string(serial++);
  const fs::path temporary = destination.parent_path() / name;
  impl_->file =
      posix::Descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (impl_->file.get() < 0) throw cannot_create(destination, errno);
  impl_->temporary = temporary;
  impl_->destination = std::move(destination);
}

AtomicFile::~AtomicFile() = default;
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;

void AtomicFile::write(std::span<const std::byte> bytes) {
  posix::write_all(impl_->file, bytes, impl_->destination);
}

void AtomicFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void AtomicFile::commit() {
  Impl& self = *impl_;
  if (::fsync(self.file.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    throw posix::system_error("write", self.destination, errno);
  }
  self.file.close(self.destination);
  if (self.overwrite == Overwrite::refuse) {
    // link() fails when the name exists: no window between a check and a rename.
    if (::link(self.temporary.c_str(), self.destination.c_str()) == 0) {
      ::unlink(self.temporary.c_str());
    } else if (errno == EEXIST) {
      throw exists_already(self.destination);
    } else if (::rename(self.temporary.c_str(), self.destination.c_str()) != 0) {
      // File systems without hard links (FAT, some network mounts) get the plain rename.
      throw posix::system_error("write", self.destination, errno);
    }
  } else if (::rename(self.temporary.c_str(), self.destination.c_str()) != 0) {
    throw posix::system_error("write", self.destination, errno);
  }
  self.committed = true;
  fs::path folder = self.destination.parent_path();
  if (folder.empty()) folder = ".";
  const posix::Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() >= 0) ::fsync(handle.get());  // makes the new name durable where supported
}

const fs::path& AtomicFile::temporary_path() const {
  return impl_->temporary;
}

void write_file(const fs::path& path, std::span<const std::byte> bytes, Overwrite overwrite) {
  AtomicFile file(path, overwrite);
  file.write(bytes);
  file.commit();
}

void write_file(const fs::path& path, std::string_view text, Overwrite overwrite) {
  write_file(path, std::as_bytes(std::span(text)), overwrite);
}

MappedFile::MappedFile(const fs::path& path) {
  const posix::Descriptor file = posix::open_for_reading(path);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw posix::system_error("examine", path, errno);
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) throw posix::system_error("map", path, errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

namespace {

bool has_extension(const fs::path& path, std::span<const std::string_view> extensions) {
  if (extensions.empty()) return true;
  const std::string extension = ascii_lower(path.extension().string());
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

void walk(const fs::path& folder, std::span<const std::string_view> extensions,
          std::vector<fs::path>& out) {
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(folder, kOptions);
       it != fs::recursive_directory_iterator(); ++it) {
    std::error_code ignored;
    if (is_hidden(it->path())) {
      if (it->is_directory(ignored)) it.disable_recursion_pending();
    } else if (it->is_regular_file(ignored) && has_extension(it->path(), extensions)) {
      out.push_back(it->path());
    }
  }
}

void match_pattern(const fs::path& pattern, std::span<const std::string_view> extensions,
                   std::vector<fs::path>& out) {
  const fs::path folder = pattern.has_parent_path() ? pattern.parent_path() : fs::path(".");
  const std::string name = pattern.filename().string();
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string candidate = entry.path().filename().string();
    if (entry.is_regular_file(ignored) && has_extension(entry.path(), extensions) &&
        ::fnmatch(name.c_str(), candidate.c_str(), FNM_PERIOD) == 0) {
      out.push_back(pattern.has_parent_path() ? entry.path() : fs::path(candidate));
    }
  }
}

}  // namespace

std::vector<fs::path> expand_paths(std::span<const std::string> inputs,
                                   std::span<const std::string_view> extensions) {
  std::vector<fs::path> files;
  for (const std::string& input : inputs) {
    const fs::path path(input);
    std::error_code ignored;
    const std::size_t before = files.size();
    if (fs::is_directory(path, ignored)) {
      walk(path, extensions, files);
    } else if (fs::exists(path, ignored)) {
      files.push_back(path);
    } else if (input.find_first_of("*?[") != std::string::npos) {
      match_pattern(path, extensions, files);
    } else {
      throw posix::system_error("open", path, ENOENT);
    }
    if (files.size() == before) {
      std::string wanted;
      for (const std::string_view extension : extensions) wanted += " " + std::string(extension);
      throw Error(ErrorCode::not_found,
                  quote(input, 200) + " holds no file" +
                      (wanted.empty() ? std::string() : " that ends in one of" + wanted));
    }
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

fs::path user_folder(const char* variable, const char* beneath_home) {
  if (const char* own = std::getenv(variable); own != nullptr && *own != '\0') return own;
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path() : fs::path(home) / beneath_home;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "sosia-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw posix::system_error("create", pattern, errno);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace sosia
