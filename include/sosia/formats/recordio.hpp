#pragma once
// MXNet RecordIO as InsightFace packs face training sets: train.rec (records), train.idx (where
// each key's record starts) and a property file ("ids,height,width"). Reference: dmlc-core
// src/recordio.cc, mxnet/recordio.py (pack, unpack), insightface
// recognition/arcface_torch/dataset.py.

#include "sosia/core/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::formats {

/// The header in front of an image ('IfQQ', 24 bytes).
struct RecordHeader {
  std::uint32_t flag = 0;  ///< 0: `label` is the label; n: n float labels follow the header
  float label = 0;
  std::uint64_t id = 0;
  std::uint64_t id2 = 0;
};

/// A record taken apart. Valid as long as its source and the scratch buffer it was read with.
struct ImageRecord {
  RecordHeader header;
  std::vector<float> labels;         ///< one, or `flag` of them
  std::span<const std::byte> image;  ///< encoded; empty in the records of identities
};

/// A record's payload and where the next record starts.
struct RawRecord {
  std::span<const std::byte> payload;
  std::size_t next_offset = 0;
};

/// The record at `offset` of a .rec file. A record that was split because its payload contains the
/// magic number is joined in `scratch`, with the magic number put back; others stay in place.
/// Throws corrupt_data.
RawRecord read_record(std::span<const std::byte> rec, std::size_t offset,
                      std::vector<std::byte>& scratch, std::string_view origin = "rec");

/// Splits a payload into header, labels and image. Throws corrupt_data.
ImageRecord parse_image_record(std::span<const std::byte> payload, std::string_view origin = "rec");

struct RecordIndexEntry {
  std::uint64_t key = 0;
  std::uint64_t offset = 0;
};

/// Lines "key<TAB>offset", sorted by key. Throws corrupt_data with the line, also for a key that
/// appears twice.
std::vector<RecordIndexEntry> parse_record_index(std::string_view text,
                                                 std::string_view origin = "idx");

/// The property file: number of identities and the size of the images.
struct RecordProperty {
  std::uint64_t identities = 0;
  int height_px = 0;
  int width_px = 0;
};
RecordProperty parse_record_property(std::string_view text, std::string_view origin = "property");

/// The images [begin, end) by key of one identity.
struct IdentityRange {
  std::uint64_t key = 0;  ///< of the identity's own record
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// A record set opened for random access; the .rec file is mapped. Thread-safety: immutable; give
/// each thread a scratch buffer of its own.
class RecordSet {
 public:
  /// Opens PATH.rec with PATH.idx and PATH.property (or `property` in the same folder) beside it. A
  /// missing index is made by walking the records (key = position); a missing property is fine.
  /// Throws not_found, io, corrupt_data.
  explicit RecordSet(const std::filesystem::path& rec_path);
  /// The same from buffers that outlive the object. Without `idx` the records are walked.
  RecordSet(std::span<const std::byte> rec, std::optional<std::string_view> idx,
            std::string origin);

  /// All keys with their offsets, sorted by key.
  const std::vector<RecordIndexEntry>& index() const noexcept { return index_; }
  const std::optional<RecordProperty>& property() const noexcept { return property_; }

  /// Reads one record. Throws not_found for an unknown key.
  ImageRecord read(std::uint64_t key, std::vector<std::byte>& scratch) const;

  /// Keys of the images in order. Where record 0 carries two labels (a, b) they are 1 to a - 1;
  /// where it carries none, every key is an image.
  const std::vector<std::uint64_t>& image_keys() const noexcept { return image_keys_; }
  /// Whether record 0 announces records a to b - 1 that hold the identities' ranges.
  std::size_t identity_count() const noexcept { return last_identity_ - first_identity_; }
  /// Range of identity `index` in [0, identity_count()). Throws corrupt_data when its record does
  /// not hold two keys within the images.
  IdentityRange identity(std::size_t index) const;

 private:
  void index_by_walking();
  void read_record_zero();
  const RecordIndexEntry* find(std::uint64_t key) const noexcept;

  std::optional<MappedFile> mapped_;
  std::span<const std::byte> rec_;
  std::string origin_;
  std::vector<RecordIndexEntry> index_;
  std::optional<RecordProperty> property_;
  std::vector<std::uint64_t> image_keys_;
  std::uint64_t first_identity_ = 0;
  std::uint64_t last_identity_ = 0;
};

/// Appends one framed record to `out`, split where the payload contains the magic number at a
/// multiple of four, as dmlc-core does. Throws invalid_argument for 2^29 bytes or more between two
/// such places.
void append_record(std::string& out, std::span<const std::byte> payload);

/// The payload of an image: header (flag 0), then the encoded image.
std::string image_payload(float label, std::uint64_t id, std::span<const std::byte> image);
/// A payload with several labels (flag = their number) and no image.
std::string labels_payload(std::span<const float> labels, std::uint64_t id);

/// Writes PATH.rec, PATH.idx and PATH.property in the layout of InsightFace: record 0, then the
/// images grouped by identity (label = number of the identity), then one record per identity. The
/// three files appear at `commit`. Throws as `AtomicFile`, invalid_argument for a size that is not
/// in 1 to 65536, and unsupported for 2^24 records or more (the totals are 32-bit floats).
class RecordSetWriter {
 public:
  /// `images_per_identity` must be known in advance because record 0 states the totals.
  RecordSetWriter(const std::filesystem::path& rec_path,
                  std::vector<std::uint64_t> images_per_identity, int height_px, int width_px,
                  Overwrite overwrite = Overwrite::refuse);
  ~RecordSetWriter();
  RecordSetWriter(RecordSetWriter&&) noexcept;
  RecordSetWriter& operator=(RecordSetWriter&&) noexcept;

  /// The next encoded image, in the order of the identities. Throws invalid_argument when there are
  /// more than announced.
  void add(std::span<const std::byte> image);
  /// Throws invalid_argument when images are missing.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::formats
