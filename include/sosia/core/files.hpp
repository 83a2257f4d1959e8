#pragma once
// Reading with caps, writing without ever leaving half a file.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia {

/// The default cap of `read_file` and `read_text`: 1 GiB.
inline constexpr std::uint64_t kReadCapBytes = std::uint64_t{1} << 30;

/// The whole content of a regular file. Throws not_found (no such file), io (directory, permission,
/// read error) or out_of_memory (larger than `cap_bytes`).
std::vector<std::byte> read_file(const std::filesystem::path& path,
                                 std::uint64_t cap_bytes = kReadCapBytes);

/// The same as text, byte for byte (no newline or encoding conversion).
std::string read_text(const std::filesystem::path& path, std::uint64_t cap_bytes = kReadCapBytes);

/// What to do when the destination exists.
enum class Overwrite { refuse, replace };

/// A file that appears whole or not at all: bytes go to a temporary name in the same folder;
/// `commit` flushes to disk and renames over the destination. Destroying an uncommitted object
/// removes the temporary file, and a killed process leaves at most `.<name>.tmp-<pid>-<n>` behind,
/// which is never taken for the result.
///
/// Throws conflict when the destination exists and `Overwrite::refuse` is given (checked at
/// construction and again, atomically, at commit), io with the system's reason otherwise (disk
/// full, read-only folder, missing folder). Thread-safety: one writer per object.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path destination, Overwrite overwrite = Overwrite::refuse);
  ~AtomicFile();
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) noexcept;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Makes the content durable and visible under the destination's name. Call once.
  void commit();
  /// The temporary name, for libraries that insist on writing to a path of their own.
  const std::filesystem::path& temporary_path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Throws what `AtomicFile` would throw at once for this destination (it exists, its folder is
/// missing or closed), without creating anything: to be asked before hours of work.
void check_writable(const std::filesystem::path& destination, Overwrite overwrite);

/// The same for a folder that is to be created where it is missing: throws io when it cannot be.
void check_writable_folder(const std::filesystem::path& folder);

/// `AtomicFile` in one call.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                Overwrite overwrite = Overwrite::refuse);
void write_file(const std::filesystem::path& path, std::string_view text,
                Overwrite overwrite = Overwrite::refuse);

/// A read-only memory map of a whole file. Views into it die with the object. Throws as
/// `read_file`. A file that shrinks while mapped raises SIGBUS on access (a property of mmap): map
/// only files that are replaced by rename, never truncated in place.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Splits "a,b" style glob lists and folders into files: a path that is a file is taken, a folder
/// is walked recursively (symlinked folders are not entered), a pattern with * ? [ ] is matched
/// against its folder. Sorted by path, duplicates removed. `extensions` (lower case, with dot)
/// filters what a folder walk or pattern yields; empty takes all. Throws not_found for a path or
/// pattern that matches nothing.
std::vector<std::filesystem::path> expand_paths(std::span<const std::string> inputs,
                                                std::span<const std::string_view> extensions = {});

/// Where the user keeps files of one kind, by the XDG base directory specification: the folder that
/// `variable` ("XDG_CACHE_HOME") names, else `beneath_home` (".cache") in HOME; "" when neither is
/// known.
std::filesystem::path user_folder(const char* variable, const char* beneath_home);

/// A fresh folder that is removed with its content when the object dies. For tests and scratch.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sosia
