#pragma once
// Vectors of photos that were computed before, in one file per pipeline and way to embed. It holds
// nothing that cannot be computed again: whoever finds it damaged computes again.
//
//   0    "SOSIAEMB", u32 version, u32 dimension, u64 rows, 32 bytes key of the pipeline
//   56   rows: 16 bytes key of the photo, u32 state, u32 faces, f32 norm, dimension x f32
//   ...  u64 xxh3 of everything before

#include "sosia/face/evaluation.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sosia::face {

/// The first half of a SHA-256.
using CacheKey = std::array<std::uint8_t, 16>;
CacheKey cache_key(std::string_view text);

/// Thread-safety: none.
class EmbeddingCache {
 public:
  struct Row {
    PhotoState state = PhotoState::no_face;
    std::uint32_t faces = 0;
    float norm = 0;
    std::span<const float> vector = {};  ///< zeros unless found
  };

  /// Reads FOLDER/<start of the key>.embeddings when it is there. `pipeline`: all that decides the
  /// vectors, in one text.
  EmbeddingCache(const std::filesystem::path& folder, std::string_view pipeline,
                 std::size_t dimension);

  /// Why the file could not be used; "" when it could, or was not there.
  const std::string& complaint() const noexcept { return complaint_; }
  const std::filesystem::path& path() const noexcept { return path_; }

  /// The row of a photo, valid until the next `add`; nothing when it is not known.
  std::optional<Row> find(const CacheKey& photo) const;
  void add(const CacheKey& photo, const Row& row);
  /// Writes the file when rows were added, whole or not at all. Throws io.
  void save();

 private:
  struct KeyHash {
    std::size_t operator()(const CacheKey& key) const noexcept;
  };
  struct Head {
    PhotoState state;
    std::uint32_t faces;
    float norm;
  };

  void read(std::span<const std::byte> bytes);
  /// Forgets what was read of a file whose checksum is right and whose content is not.
  void discard(const char* why);

  std::filesystem::path path_;
  std::array<std::uint8_t, 32> pipeline_{};
  std::size_t dimension_;
  std::unordered_map<CacheKey, std::size_t, KeyHash> rows_;
  std::vector<CacheKey> keys_;
  std::vector<Head> heads_;
  std::vector<float> vectors_;
  std::string complaint_;
  bool changed_ = false;
};

}  // namespace sosia::face
