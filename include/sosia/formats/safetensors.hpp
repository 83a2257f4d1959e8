#pragma once
// safetensors files: a JSON header and one buffer. The reader maps the file and reads nothing but
// the header until a tensor is touched. Reference: huggingface/safetensors,
// safetensors/src/tensor.rs.

#include "sosia/core/files.hpp"
#include "sosia/formats/array.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::formats {

/// One entry of the header.
struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::size_t> shape;
  std::size_t begin = 0;  ///< first byte within the buffer
  std::size_t end = 0;    ///< one past the last
};

/// A safetensors file, memory-mapped.
///
/// Checked at opening as the reference validator does: header at most 100 MB and inside the file,
/// valid UTF-8 and JSON, no key twice, every size equal to shape times element size, the tensors
/// cover the buffer without holes or overlaps up to the end of the file. Throws corrupt_data,
/// unsupported (a dtype that is not in the table of array.hpp), not_found, io.
/// Thread-safety: immutable.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  /// Reads from a buffer that outlives the object; `origin` names it in errors.
  SafetensorsFile(std::span<const std::byte> bytes, std::string origin);

  /// In the order of the buffer.
  const std::vector<TensorInfo>& tensors() const noexcept { return tensors_; }
  /// The `__metadata__` entries, sorted by key; empty when there are none.
  const std::vector<std::pair<std::string, std::string>>& metadata() const noexcept {
    return metadata_;
  }

  /// nullptr when there is no such tensor.
  const TensorInfo* find(std::string_view name) const noexcept;
  /// Throws not_found with the nearest name.
  const TensorInfo& info(std::string_view name) const;

  /// The tensor in place. Files written by old programs may hold unaligned tensors, which
  /// `ArrayView::as` refuses: then use `read` or `to_f32(view(name))`.
  ArrayView view(const TensorInfo& tensor) const;
  ArrayView view(std::string_view name) const { return view(info(name)); }
  /// A copy.
  Array read(std::string_view name) const;

 private:
  void parse();
  void validate() const;

  std::optional<MappedFile> mapped_;
  std::span<const std::byte> bytes_;
  std::span<const std::byte> buffer_;
  std::string origin_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::uint32_t> by_name_;  // indices into tensors_, sorted by name
  std::vector<std::pair<std::string, std::string>> metadata_;
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

/// Writes a file that appears whole or not at all: tensors by descending alignment and then by name
/// (the reference's order), metadata sorted by key, header padded to a multiple of 8. The same
/// content gives the same bytes. Throws invalid_argument for a name that is repeated, not UTF-8 or
/// `__metadata__`, or a shape that does not fit its bytes; otherwise as `AtomicFile`.
void write_safetensors(const std::filesystem::path& path, NamedArrays tensors,
                       Metadata metadata = {}, Overwrite overwrite = Overwrite::refuse);
std::string safetensors_bytes(NamedArrays tensors, Metadata metadata = {});

}  // namespace sosia::formats
