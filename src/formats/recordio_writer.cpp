#include "formats/bytes.hpp"
#include "sosia/formats/recordio.hpp"

#include <numeric>

namespace sosia::formats {

namespace {

constexpr std::uint32_t kMagic = 0xced7230a;
constexpr std::size_t kMaxPartBytes = (std::size_t{1} << 29) - 1;

void append_part(std::string& out, std::uint32_t kind, std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxPartBytes) {
    throw Error(ErrorCode::invalid_argument,
                "a record of " + std::to_string(bytes.size()) + " bytes is too large for RecordIO");
  }
  append_le<std::uint32_t>(out, kMagic);
  append_le<std::uint32_t>(out, (kind << 29) | static_cast<std::uint32_t>(bytes.size()));
  out += as_text(bytes);
}

void append_header(std::string& out, const RecordHeader& header) {
  append_le(out, header.flag);
  append_le(out, header.label);
  append_le(out, header.id);
  append_le(out, header.id2);
}

}  // namespace

void append_record(std::string& out, std::span<const std::byte> payload) {
  std::size_t from = 0;
  bool split = false;
  for (std::size_t i = 0; i + 4 <= payload.size(); i += 4) {
    if (load_le<std::uint32_t>(payload.data() + i) != kMagic) continue;
    append_part(out, split ? 2 : 1, payload.subspan(from, i - from));
    split = true;
    from = i + 4;  // the magic number itself is left out
  }
  append_part(out, split ? 3 : 0, payload.subspan(from));
  out.append((4 - (payload.size() - from) % 4) % 4, '\0');
}

std::string image_payload(float label, std::uint64_t id, std::span<const std::byte> image) {
  std::string out;
  append_header(out, {0, label, id, 0});
  out += as_text(image);
  return out;
}

std::string labels_payload(std::span<const float> labels, std::uint64_t id) {
  std::string out;
  append_header(out, {static_cast<std::uint32_t>(labels.size()), 0, id, 0});
  out += as_text(std::as_bytes(labels));
  return out;
}

namespace {

/// The sizes that `parse_record_property` takes.
void check_size(int height_px, int width_px) {
  constexpr int kMaxSide = 65536;
  if (height_px < 1 || width_px < 1 || height_px > kMaxSide || width_px > kMaxSide) {
    throw Error(ErrorCode::invalid_argument,
                "images of " + std::to_string(height_px) + " x " + std::to_string(width_px) +
                    " pixels; both sides must lie in 1 to " + std::to_string(kMaxSide));
  }
}

}  // namespace

struct RecordSetWriter::Impl {
  Impl(const std::filesystem::path& rec_path, Overwrite overwrite)
      : rec(rec_path, overwrite),
        idx(std::filesystem::path(rec_path).replace_extension(".idx"), overwrite),
        property(std::filesystem::path(rec_path).replace_extension(".property"), overwrite) {}

  void write(std::uint64_t key, const std::string& payload) {
    buffer.clear();
    append_record(buffer, as_byte_span(payload));
    index += std::to_string(key) + "\t" + std::to_string(offset) + "\n";
    offset += buffer.size();
    rec.write(buffer);
  }

  AtomicFile rec, idx, property;
  std::vector<std::uint64_t> images_per_identity;
  std::uint64_t images = 0;  // announced
  std::uint64_t written = 0;
  std::size_t identity = 0;  // of the next image
  std::uint64_t within = 0;  // images of that identity already written
  std::uint64_t offset = 0;
  std::string index;
  std::string buffer;
};

RecordSetWriter::RecordSetWriter(const std::filesystem::path& rec_path,
                                 std::vector<std::uint64_t> images_per_identity, int height_px,
                                 int width_px, Overwrite overwrite) {
  check_size(height_px, width_px);
  impl_ = std::make_unique<Impl>(rec_path, overwrite);
  Impl& self = *impl_;
  self.images =
      std::accumulate(images_per_identity.begin(), images_per_identity.end(), std::uint64_t{0});
  self.images_per_identity = std::move(images_per_identity);
  self.property.write(std::to_string(self.images_per_identity.size()) + "," +
                      std::to_string(height_px) + "," + std::to_string(width_px) + "\n");
  const std::uint64_t first_identity = self.images + 1;
  constexpr std::uint64_t kExactInFloat = std::uint64_t{1} << 24;
  if (first_identity + self.images_per_identity.size() > kExactInFloat) {
    throw Error(ErrorCode::unsupported,
                "record sets state their totals as 32-bit floats, which end at 16,777,216",
                "write several sets");
  }
  const float totals[] = {static_cast<float>(first_identity),
                          static_cast<float>(first_identity + self.images_per_identity.size())};
  self.write(0, labels_payload(totals, 0));
}

RecordSetWriter::~RecordSetWriter() = default;
RecordSetWriter::RecordSetWriter(RecordSetWriter&&) noexcept = default;
RecordSetWriter& RecordSetWriter::operator=(RecordSetWriter&&) noexcept = default;

void RecordSetWriter::add(std::span<const std::byte> image) {
  Impl& self = *impl_;
  if (self.written == self.images) {
    throw Error(ErrorCode::invalid_argument,
                "only " + std::to_string(self.images) + " images were announced");
  }
  while (self.within == self.images_per_identity[self.identity]) {
    ++self.identity;
    self.within = 0;
  }
  const std::uint64_t key = ++self.written;
  ++self.within;
  self.write(key, image_payload(static_cast<float>(self.identity), key, image));
}

void RecordSetWriter::commit() {
  Impl& self = *impl_;
  if (self.written != self.images) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(self.images - self.written) + " announced images are missing");
  }
  std::uint64_t begin = 1;
  for (std::size_t i = 0; i < self.images_per_identity.size(); ++i) {
    const std::uint64_t end = begin + self.images_per_identity[i];
    const float range[] = {static_cast<float>(begin), static_cast<float>(end)};
    const std::uint64_t key = self.images + 1 + i;
    self.write(key, labels_payload(range, key));
    begin = end;
  }
  self.idx.write(self.index);
  self.rec.commit();
  self.idx.commit();
  self.property.commit();
}

}  // namespace sosia::formats
