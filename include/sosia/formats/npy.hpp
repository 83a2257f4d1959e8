#pragma once
// NumPy's .npy (format versions 1 to 3) and .npz files.
// Reference: NEP 1 and numpy/lib/format.py.

#include "sosia/core/files.hpp"
#include "sosia/formats/array.hpp"
#include "sosia/formats/zip.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// What the head of a .npy file says.
struct NpyHeader {
  DType dtype = DType::f32;  ///< meaningless when `object` is set
  bool object = false;  ///< dtype 'O': the data are a pickle, see read_npy_pickle in pickle.hpp
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t data_offset = 0;  ///< where the elements start
};

/// Parses and checks the head: magic, version, dictionary, shape and (unless `object`) that exactly
/// the elements follow. Throws corrupt_data, or unsupported for structured, text and other dtypes
/// that are not f2 f4 f8 c8 i1-i8 u1-u8 b1.
NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view origin = "npy");

/// The array, in C order and little-endian whatever the file holds (Fortran order is transposed,
/// big-endian is swapped). Throws as `parse_npy_header`, and not_found or io.
Array read_npy(const std::filesystem::path& path);
Array parse_npy(std::span<const std::byte> bytes, std::string_view origin = "npy");

/// A memory-mapped .npy file: nothing is read until it is touched.
///
/// Takes only what can be viewed as it lies: little-endian, C order (or at most one dimension).
/// Throws unsupported with the advice to use `read_npy` otherwise. Thread-safety: immutable.
class NpyFile {
 public:
  explicit NpyFile(const std::filesystem::path& path);

  DType dtype() const noexcept { return view_.dtype; }
  const std::vector<std::size_t>& shape() const noexcept { return view_.shape; }
  /// Valid as long as this object.
  const ArrayView& view() const noexcept { return view_; }
  template <class T>
  std::span<const T> as() const {
    return view_.as<T>();
  }

 private:
  MappedFile mapped_;
  ArrayView view_;
};

/// The bytes of a version 1.0 file, as `numpy.save` writes them. Throws unsupported for dtypes that
/// NumPy lacks (bf16 and the 8-bit floats) and for more than 64 dimensions.
std::string npy_bytes(const ArrayView& array);

/// Writes a file that appears whole or not at all. Throws as `AtomicFile`.
void write_npy(const std::filesystem::path& path, const ArrayView& array,
               Overwrite overwrite = Overwrite::refuse);

/// The arrays of an .npz archive by name (without ".npy"). Arrays are read and checked one by one
/// on demand. Thread-safety: const members may be called concurrently.
class NpzReader {
 public:
  explicit NpzReader(const std::filesystem::path& path,
                     std::uint64_t cap_bytes = ZipReader::kDefaultCapBytes);
  NpzReader(std::span<const std::byte> bytes, std::string origin,
            std::uint64_t cap_bytes = ZipReader::kDefaultCapBytes);

  /// In the order of the archive.
  const std::vector<std::string>& names() const noexcept { return names_; }
  bool contains(std::string_view name) const;
  /// Throws not_found with the nearest name, corrupt_data, unsupported, or out_of_memory when the
  /// array is larger than the cap.
  Array read(std::string_view name) const;

 private:
  void list_names();

  std::string origin_;
  ZipReader zip_;
  std::vector<std::string> names_;
};

/// Writes an .npz archive: stored like `numpy.savez`, or deflated like `numpy.savez_compressed`.
/// The same arrays give the same bytes. Throws as `AtomicFile`, and unsupported for an array of
/// 4 GiB or more.
void write_npz(const std::filesystem::path& path, const NamedArrays& arrays, bool compress = false,
               Overwrite overwrite = Overwrite::refuse);
std::string npz_bytes(const NamedArrays& arrays, bool compress = false);

}  // namespace sosia::formats
