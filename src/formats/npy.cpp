#include "sosia/formats/npy.hpp"

#include "formats/bytes.hpp"
#include "formats/npy_dtype.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstring>

namespace sosia::formats {

namespace {

void swap_bytes(std::span<std::byte> bytes, std::size_t width) {
  for (std::size_t i = 0; i + width <= bytes.size(); i += width) {
    std::reverse(bytes.data() + i, bytes.data() + i + width);
  }
}

/// Copies elements from Fortran order (first index fastest) to C order (last index fastest).
void transpose(std::span<const std::byte> from, std::span<std::byte> to,
               std::span<const std::size_t> shape, std::size_t width) {
  std::vector<std::size_t> strides(shape.size());
  std::size_t stride = width;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    strides[d] = stride;
    stride *= shape[d];
  }
  std::vector<std::size_t> index(shape.size());
  std::size_t source = 0;
  for (std::size_t at = 0; at < to.size(); at += width) {
    std::memcpy(to.data() + at, from.data() + source, width);
    for (std::size_t d = shape.size(); d-- > 0;) {
      source += strides[d];
      if (++index[d] < shape[d]) break;
      source -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

}  // namespace

Array normalised_copy(DType type, std::span<const std::size_t> shape,
                      std::span<const std::byte> bytes, bool fortran_order, bool big_endian) {
  Array array{type, {shape.begin(), shape.end()}, {}};
  if (fortran_order && shape.size() > 1) {
    array.bytes.resize(bytes.size());
    transpose(bytes, array.bytes, shape, item_size(type));
  } else {
    array.bytes.assign(bytes.begin(), bytes.end());
  }
  // A complex number swaps in each of its halves.
  if (big_endian) swap_bytes(array.bytes, type == DType::c64 ? 4 : item_size(type));
  return array;
}

Array parse_npy(std::span<const std::byte> bytes, std::string_view origin) {
  const NpyHeader header = parse_npy_header(bytes, origin);
  if (header.object) {
    fail_unsupported(origin, "the array holds Python objects, not numbers",
                     "read it with read_npy_pickle, or save plain arrays with numpy.savez");
  }
  return normalised_copy(header.dtype, header.shape, bytes.subspan(header.data_offset),
                         header.fortran_order, header.big_endian);
}

Array read_npy(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_npy(file.bytes(), path.string());
}

NpyFile::NpyFile(const std::filesystem::path& path) : mapped_(path) {
  const std::string origin = path.string();
  const NpyHeader header = parse_npy_header(mapped_.bytes(), origin);
  if (header.object || header.big_endian || (header.fortran_order && header.shape.size() > 1)) {
    fail_unsupported(origin,
                     std::string("the array ") +
                         (header.object       ? "holds Python objects"
                          : header.big_endian ? "is big-endian"
                                              : "is in Fortran order") +
                         " and cannot be viewed in place",
                     header.object ? "read it with read_npy_pickle"
                                   : "read it into memory with read_npy, or save it again with "
                                     "numpy.ascontiguousarray");
  }
  view_ = {header.dtype, header.shape, mapped_.bytes().subspan(header.data_offset)};
}

namespace {

/// Everything before the elements, padded so that they start at a multiple of 64 bytes.
std::string npy_head(const ArrayView& array) {
  std::string dict = "{'descr': '" + std::string(npy_dtype_code(array.dtype)) +
                     "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < array.shape.size(); ++i) {
    dict += std::to_string(array.shape[i]);
    if (i + 1 < array.shape.size()) {
      dict += ", ";
    } else if (array.shape.size() == 1) {
      dict += ",";
    }
  }
  dict += "), }";
  if (array_bytes(array.dtype, array.shape, "") != array.bytes.size()) {
    throw Error(ErrorCode::invalid_argument, "the shape " + shape_text(array.shape) + " of " +
                                                 std::string(dtype_name(array.dtype)) +
                                                 " does not take " +
                                                 std::to_string(array.bytes.size()) + " bytes");
  }
  if (array.shape.size() > kNpyMaxDimensions) {
    throw Error(ErrorCode::unsupported,
                "numpy has no arrays of " + std::to_string(array.shape.size()) + " dimensions");
  }
  constexpr std::size_t kAlignment = 64;
  constexpr std::size_t kFixed = 10;
  const std::size_t total = (kFixed + dict.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  std::string head("\x93NUMPY\1\0", 8);
  append_le<std::uint16_t>(head, static_cast<std::uint16_t>(total - kFixed));
  head += dict;
  head.resize(total - 1, ' ');
  return head + '\n';
}

}  // namespace

std::string npy_bytes(const ArrayView& array) {
  return npy_head(array) + std::string(as_text(array.bytes));
}

void write_npy(const std::filesystem::path& path, const ArrayView& array, Overwrite overwrite) {
  const std::string head = npy_head(array);
  AtomicFile file(path, overwrite);
  file.write(head);
  file.write(array.bytes);
  file.commit();
}

NpzReader::NpzReader(const std::filesystem::path& path, std::uint64_t cap_bytes)
    : origin_(path.string()), zip_(path, cap_bytes) {
  list_names();
}

NpzReader::NpzReader(std::span<const std::byte> bytes, std::string origin, std::uint64_t cap_bytes)
    : origin_(std::move(origin)), zip_(bytes, origin_, cap_bytes) {
  list_names();
}

void NpzReader::list_names() {
  for (const ZipEntry& entry : zip_.entries()) {
    if (entry.name.ends_with(".npy")) names_.push_back(entry.name.substr(0, entry.name.size() - 4));
  }
}

bool NpzReader::contains(std::string_view name) const {
  return zip_.find(std::string(name) + ".npy") != nullptr;
}

Array NpzReader::read(std::string_view name) const {
  const ZipEntry* entry = zip_.find(std::string(name) + ".npy");
  if (entry == nullptr) {
    throw Error(ErrorCode::not_found, "there is no array called " + quote(name),
                did_you_mean(name, names_), origin_);
  }
  return parse_npy(zip_.read(*entry), origin_ + ": " + entry->name);
}

namespace {

void write_npz_to(const ZipWriter::Sink& sink, const NamedArrays& arrays, bool compress) {
  ZipWriter zip(sink);
  for (const auto& [name, array] : arrays) {
    zip.add(name + ".npy", as_byte_span(npy_bytes(array)), compress);
  }
  zip.finish();
}

}  // namespace

void write_npz(const std::filesystem::path& path, const NamedArrays& arrays, bool compress,
               Overwrite overwrite) {
  AtomicFile file(path, overwrite);
  write_npz_to([&](std::span<const std::byte> bytes) { file.write(bytes); }, arrays, compress);
  file.commit();
}

std::string npz_bytes(const NamedArrays& arrays, bool compress) {
  std::string out;
  write_npz_to([&](std::span<const std::byte> bytes) { out += as_text(bytes); }, arrays, compress);
  return out;
}

}  // namespace sosia::formats
