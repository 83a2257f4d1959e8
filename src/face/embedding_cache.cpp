#include "face/embedding_cache.hpp"

#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace sosia::face {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

constexpr std::array<char, 8> kMagic{'S', 'O', 'S', 'I', 'A', 'E', 'M', 'B'};
constexpr std::uint32_t kVersion = 1;

struct FileHead {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t dimension;
  std::uint64_t rows;
  std::array<std::uint8_t, 32> pipeline;
};
static_assert(sizeof(FileHead) == 56);

struct RowHead {
  CacheKey key;
  std::uint32_t state;
  std::uint32_t faces;
  float norm;
};
static_assert(sizeof(RowHead) == 28);

std::array<std::uint8_t, 32> digest(std::string_view text) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(text)));
  return sha.finish();
}

}  // namespace

CacheKey cache_key(std::string_view text) {
  const auto full = digest(text);
  CacheKey key;
  std::copy_n(full.begin(), key.size(), key.begin());
  return key;
}

std::size_t EmbeddingCache::KeyHash::operator()(const CacheKey& key) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

EmbeddingCache::EmbeddingCache(const std::filesystem::path& folder, std::string_view pipeline,
                               std::size_t dimension)
    : pipeline_(digest(pipeline)), dimension_(dimension) {
  path_ = folder / (to_hex(std::span(pipeline_).first(8)) + ".embeddings");
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) return;
  try {
    read(read_file(path_));
  } catch (const Error& error) {
    complaint_ = error.message();
  }
}

void EmbeddingCache::read(std::span<const std::byte> bytes) {
  const auto refuse = [&](const char* why) { complaint_ = why; };
  FileHead head;
  std::uint64_t hash = 0;
  if (bytes.size() < sizeof head + sizeof hash) return refuse("it is cut off");
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != kMagic) return refuse("it is no file of embeddings");
  if (head.version != kVersion) return refuse("it is of another version");
  // Another key under the same name can only be a renamed file.
  if (head.pipeline != pipeline_ || head.dimension != dimension_) {
    return refuse("it belongs to another pipeline");
  }
  const std::size_t row_bytes = sizeof(RowHead) + dimension_ * sizeof(float);
  const std::size_t body = bytes.size() - sizeof head - sizeof hash;
  if (head.rows != body / row_bytes || body % row_bytes != 0) return refuse("it is cut off");
  std::memcpy(&hash, bytes.data() + bytes.size() - sizeof hash, sizeof hash);
  if (hash != xxh3_64(bytes.first(bytes.size() - sizeof hash))) {
    return refuse("its checksum is wrong");
  }
  vectors_.resize(head.rows * dimension_);
  for (std::size_t i = 0; i < head.rows; ++i) {
    const std::byte* at = bytes.data() + sizeof head + i * row_bytes;
    RowHead row;
    std::memcpy(&row, at, sizeof row);
    if (row.state > static_cast<std::uint32_t>(PhotoState::not_aligned)) {
      return discard("it holds a state that there is not");
    }
    std::memcpy(vectors_.data() + i * dimension_, at + sizeof row, dimension_ * sizeof(float));
    heads_.push_back({static_cast<PhotoState>(row.state), row.faces, row.norm});
    keys_.push_back(row.key);
    rows_.emplace(row.key, i);
  }
  const bool finite =
      std::all_of(vectors_.begin(), vectors_.end(), [](float v) { return std::isfinite(v); });
  if (!finite || rows_.size() != keys_.size()) discard("its rows make no sense");
}

void EmbeddingCache::discard(const char* why) {
  complaint_ = why;
  rows_.clear();
  keys_.clear();
  heads_.clear();
  vectors_.clear();
}

std::optional<EmbeddingCache::Row> EmbeddingCache::find(const CacheKey& photo) const {
  const auto found = rows_.find(photo);
  if (found == rows_.end()) return std::nullopt;
  const Head& head = heads_[found->second];
  return Row{head.state, head.faces, head.norm,
             std::span(vectors_).subspan(found->second * dimension_, dimension_)};
}

void EmbeddingCache::add(const CacheKey& photo, const Row& row) {
  if (!rows_.try_emplace(photo, keys_.size()).second) return;
  keys_.push_back(photo);
  heads_.push_back({row.state, row.faces, row.norm});
  vectors_.resize(keys_.size() * dimension_, 0.0F);
  std::copy(row.vector.begin(), row.vector.end(),
            vectors_.end() - static_cast<std::ptrdiff_t>(dimension_));
  changed_ = true;
}

void EmbeddingCache::save() {
  if (!changed_) return;
  const std::size_t row_bytes = sizeof(RowHead) + dimension_ * sizeof(float);
  const FileHead head{kMagic, kVersion, static_cast<std::uint32_t>(dimension_), keys_.size(),
                      pipeline_};
  std::vector<std::byte> bytes(sizeof head + keys_.size() * row_bytes + sizeof(std::uint64_t));
  std::memcpy(bytes.data(), &head, sizeof head);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    std::byte* at = bytes.data() + sizeof head + i * row_bytes;
    const RowHead row{keys_[i], static_cast<std::uint32_t>(heads_[i].state), heads_[i].faces,
                      heads_[i].norm};
    std::memcpy(at, &row, sizeof row);
    std::memcpy(at + sizeof row, vectors_.data() + i * dimension_, dimension_ * sizeof(float));
  }
  const std::size_t end = bytes.size() - sizeof(std::uint64_t);
  const std::uint64_t hash = xxh3_64(std::span(bytes).first(end));
  std::memcpy(bytes.data() + end, &hash, sizeof hash);
  std::error_code failed;
  std::filesystem::create_directories(path_.parent_path(), failed);
  write_file(path_, bytes, Overwrite::replace);
  changed_ = false;
}

}  // namespace sosia::face
