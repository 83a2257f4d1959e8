#pragma once
// InsightFace's verification sets (lfw.bin, cfp_fp.bin, agedb_30.bin, ...): a pickled pair of 2N
// encoded images and N booleans; pair i is images 2i and 2i + 1. Both flavours are read: byte
// strings (written by Python 2) and NumPy uint8 arrays.

#include "sosia/core/files.hpp"
#include "sosia/formats/pickle.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// A verification set. The images stay encoded (JPEG or PNG), in the mapped file.
/// Thread-safety: immutable.
class VerificationBin {
 public:
  /// Throws not_found, io, corrupt_data (no such structure, or not twice as many images as labels),
  /// and what `parse_pickle` throws.
  explicit VerificationBin(const std::filesystem::path& path);
  /// Reads from a buffer that outlives the object.
  VerificationBin(std::span<const std::byte> bytes, std::string_view origin);

  std::size_t pairs() const noexcept { return same_.size(); }
  /// The encoded bytes of image `index` in [0, 2 * pairs()); throws invalid_argument beyond.
  std::span<const std::byte> image(std::size_t index) const;
  /// Whether pair `index` shows one subject; throws invalid_argument beyond the end.
  bool same(std::size_t index) const;

 private:
  void collect(std::string_view origin);

  Pickle pickle_;
  std::vector<std::span<const std::byte>> images_;
  std::vector<bool> same_;
};

enum class VerificationFlavour {
  numpy,  ///< protocol 3, images as numpy uint8 arrays: what InsightFace writes today
  bytes,  ///< protocol 2, images as byte strings: what Python 2 wrote
};

/// The bytes of a set. `images` holds two entries per entry of `same`; throws invalid_argument
/// otherwise, and for an image of 2 GiB or more.
std::string verification_bin_bytes(std::span<const std::span<const std::byte>> images,
                                   const std::vector<bool>& same,
                                   VerificationFlavour flavour = VerificationFlavour::numpy);

/// Writes a set to a file that appears whole or not at all.
void write_verification_bin(const std::filesystem::path& path,
                            std::span<const std::span<const std::byte>> images,
                            const std::vector<bool>& same,
                            VerificationFlavour flavour = VerificationFlavour::numpy,
                            Overwrite overwrite = Overwrite::refuse);

}  // namespace sosia::formats
