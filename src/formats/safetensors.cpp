#include "sosia/formats/safetensors.hpp"

#include "formats/bytes.hpp"
#include "formats/npy_dtype.hpp"
#include "formats/safetensors_header.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace sosia::formats {

namespace {

constexpr std::uint64_t kHeaderCapBytes = 100'000'000;  // as the reference

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : mapped_(path), bytes_(mapped_->bytes()), origin_(path.string()) {
  parse();
}

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, std::string origin)
    : bytes_(bytes), origin_(std::move(origin)) {
  parse();
}

void SafetensorsFile::parse() {
  ByteCursor cursor(bytes_, origin_);
  const auto length = cursor.read<std::uint64_t>("the header length");
  if (length > kHeaderCapBytes) {
    fail_corrupt(origin_,
                 "the header claims " + std::to_string(length) + " bytes; the format allows " +
                     std::to_string(kHeaderCapBytes),
                 "this is probably no safetensors file");
  }
  SafetensorsHeader header =
      parse_safetensors_header(as_text(cursor.take(length, "the header")), origin_);
  buffer_ = bytes_.subspan(cursor.position());
  if (header.tensors.size() > std::numeric_limits<std::uint32_t>::max()) {
    fail_cap(origin_, "the file holds more than 2^32 tensors");
  }

  tensors_ = std::move(header.tensors);
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(),
            [&](auto a, auto b) { return tensors_[a].name < tensors_[b].name; });
  metadata_ = std::move(header.metadata);
  std::sort(metadata_.begin(), metadata_.end());
  validate();
}

void SafetensorsFile::validate() const {
  for (std::size_t i = 1; i < by_name_.size(); ++i) {
    if (tensors_[by_name_[i - 1]].name == tensors_[by_name_[i]].name) {
      fail_corrupt(origin_, "the tensor " + quote(tensors_[by_name_[i]].name) + " appears twice");
    }
  }
  for (std::size_t i = 1; i < metadata_.size(); ++i) {
    if (metadata_[i - 1].first == metadata_[i].first) {
      fail_corrupt(origin_, "the metadata key " + quote(metadata_[i].first) + " appears twice");
    }
  }
  std::size_t expected = 0;
  for (const TensorInfo& tensor : tensors_) {
    const std::string offsets =
        "[" + std::to_string(tensor.begin) + ", " + std::to_string(tensor.end) + "]";
    if (tensor.begin != expected || tensor.end < tensor.begin) {
      fail_corrupt(origin_, "the tensor " + quote(tensor.name) + " at " + offsets +
                                " leaves a hole or overlaps another one: it should start at " +
                                std::to_string(expected));
    }
    expected = tensor.end;
    const std::size_t bytes =
        array_bytes(tensor.dtype, tensor.shape, origin_ + ": " + quote(tensor.name));
    if (bytes != tensor.end - tensor.begin) {
      fail_corrupt(origin_, "the tensor " + quote(tensor.name) + " of " +
                                std::string(dtype_name(tensor.dtype)) + " " +
                                shape_text(tensor.shape) + " takes " + std::to_string(bytes) +
                                " bytes, not those at " + offsets);
    }
  }
  if (expected != buffer_.size()) {
    fail_corrupt(origin_,
                 "the tensors take " + std::to_string(expected) + " bytes, but the file holds " +
                     std::to_string(buffer_.size()),
                 "the file may be cut short; copy it again");
  }
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [&](auto i, auto wanted) { return tensors_[i].name < wanted; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

const TensorInfo& SafetensorsFile::info(std::string_view name) const {
  if (const TensorInfo* tensor = find(name)) return *tensor;
  std::vector<std::string> names;
  constexpr std::size_t kLongest = 256;  // the edit distance to a name of megabytes is costly
  for (const TensorInfo& tensor : tensors_) {
    if (tensor.name.size() <= kLongest) names.push_back(tensor.name);
  }
  throw Error(ErrorCode::not_found, "there is no tensor called " + quote(name),
              did_you_mean(name, names), origin_);
}

ArrayView SafetensorsFile::view(const TensorInfo& tensor) const {
  return {tensor.dtype, tensor.shape, buffer_.subspan(tensor.begin, tensor.end - tensor.begin)};
}

Array SafetensorsFile::read(std::string_view name) const {
  const ArrayView in_place = view(name);
  return {in_place.dtype, in_place.shape, {in_place.bytes.begin(), in_place.bytes.end()}};
}

namespace {

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorCode::invalid_argument, std::move(message));
}

void check_names(const NamedArrays& tensors, const Metadata& metadata) {
  std::vector<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (name == "__metadata__" || !valid_utf8(name)) {
      refuse(quote(name) + " cannot be the name of a tensor");
    }
    if (array_bytes(tensor.dtype, tensor.shape, "") != tensor.bytes.size()) {
      refuse("the tensor " + quote(name) + " has " + std::to_string(tensor.bytes.size()) +
             " bytes, which is not what " + std::string(dtype_name(tensor.dtype)) + " " +
             shape_text(tensor.shape) + " takes");
    }
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) refuse("two tensors are called " + quote(*twice));
  for (const auto& [key, value] : metadata) {
    if (!valid_utf8(key) || !valid_utf8(value)) {
      refuse("the metadata entry " + quote(key) + " is not UTF-8");
    }
  }
  for (std::size_t i = 1; i < metadata.size(); ++i) {  // sorted by the caller
    if (metadata[i - 1].first == metadata[i].first) {
      refuse("two metadata entries are called " + quote(metadata[i].first));
    }
  }
}

std::string json_string(const std::string& text) {
  return to_json(Value(text), -1);
}

/// Sorts both lists as they are written and returns the length field and the header.
std::string safetensors_head(NamedArrays& tensors, Metadata& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    if (a.second.dtype != b.second.dtype) return a.second.dtype > b.second.dtype;
    return a.first < b.first;
  });
  std::sort(metadata.begin(), metadata.end());
  check_names(tensors, metadata);

  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (json.back() != '{') json += ',';
      json += json_string(key) + ":" + json_string(value);
    }
    json += '}';
  }
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    if (json.size() > 1) json += ',';
    json += json_string(name) + ":{\"dtype\":\"";
    json += safetensors_dtype_name(tensor.dtype);
    json += "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      json += (i == 0 ? "" : ",") + std::to_string(tensor.shape[i]);
    }
    json += "],\"data_offsets\":[" + std::to_string(offset) + ",";
    offset += tensor.bytes.size();
    json += std::to_string(offset) + "]}";
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > kHeaderCapBytes) refuse("the header would exceed the 100 MB of the format");
  std::string head;
  append_le<std::uint64_t>(head, json.size());
  return head + json;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, NamedArrays tensors, Metadata metadata,
                       Overwrite overwrite) {
  const std::string head = safetensors_head(tensors, metadata);
  AtomicFile file(path, overwrite);
  file.write(head);
  for (const auto& [name, tensor] : tensors) file.write(tensor.bytes);
  file.commit();
}

std::string safetensors_bytes(NamedArrays tensors, Metadata metadata) {
  std::string out = safetensors_head(tensors, metadata);
  for (const auto& [name, tensor] : tensors) out += as_text(tensor.bytes);
  return out;
}

}  // namespace sosia::formats
