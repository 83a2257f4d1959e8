// The file of a graph index: its links, not its vectors.
//
// Little-endian:
//   "SOSIAHNS"  u32 version (1)  u32 links  u32 build_width  u32 top level  u32 entry element
//   u64 rows  u64 dimension  u64 seed  u64 hash of the codes  u64 measured
//   measured times: u64 k  u64 width  f64 recall  u64 probes
//   for each element: u32 row (0xffffffff: erased)  u8 level
//                     level + 1 times, from level 0 up: u16 count  count times u32 element
//   u32 CRC-32C of everything before
//
// Codes are made anew from the rows, which is faster than reading them, leaves nothing of a
// forgotten vector in the file, and, by their hash, tells when the rows are others.

#include "gallery/hnsw.hpp"
#include "gallery/scan_parts.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"

#include <array>
#include <cstring>
#include <string_view>

namespace sosia::gallery {

namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::string_view kMagic = "SOSIAHNS";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kMostLevels = 64;

/// Buffers what is written and reckons its checksum.
class Writer {
 public:
  explicit Writer(AtomicFile& file) : file_(file) { buffer_.reserve(kBuffer); }
  void bytes(const void* data, std::size_t size) {
    const auto* at = static_cast<const std::byte*>(data);
    buffer_.insert(buffer_.end(), at, at + size);
    if (buffer_.size() >= kBuffer) flush();
  }
  template <class T>
  void number(T value) {
    bytes(&value, sizeof value);
  }
  void finish() {
    flush();
    number(checksum_);
    flush();
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20;
  void flush() {
    checksum_ = crc32c(buffer_, checksum_);
    file_.write(buffer_);
    buffer_.clear();
  }
  AtomicFile& file_;
  std::vector<std::byte> buffer_;
  std::uint32_t checksum_ = 0;
};

[[noreturn]] void broken(const std::string& what) {
  throw Error(ErrorCode::corrupt_data, "the graph index is damaged: " + what,
              "build it anew: sosia gallery compact");
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> take(std::size_t size) {
    if (size > bytes_.size() - at_) broken("it ends too early");
    at_ += size;
    return bytes_.subspan(at_ - size, size);
  }
  template <class T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::size_t left() const noexcept { return bytes_.size() - at_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

void require(bool holds, const char* what) {
  if (!holds) broken(what);
}

using Graph = hnswlib::HierarchicalNSW<float>;

void write_element(Writer& out, const Graph& graph, std::uint32_t element) {
  const int level = graph.element_levels_[element];
  out.number(static_cast<std::uint32_t>(graph.getExternalLabel(element)));
  out.number(static_cast<std::uint8_t>(level));
  for (int l = 0; l <= level; ++l) {
    auto* links = graph.get_linklist_at_level(element, l);
    const std::uint16_t count = graph.getListCount(links);
    out.number(count);
    out.bytes(links + 1, count * sizeof(std::uint32_t));
  }
}

/// One element's levels and links into memory. Their targets are checked when all are there.
void read_element(Reader& in, GraphIndex::Impl& index, std::uint32_t element) {
  Graph& graph = *index.graph;
  const auto row = in.number<std::uint32_t>();
  const int level = in.number<std::uint8_t>();
  require(level <= graph.maxlevel_, "a level is above the top");
  std::memset(graph.get_linklist0(element), 0, graph.size_data_per_element_);
  graph.setExternalLabel(element, row);
  graph.element_levels_[element] = level;
  if (level > 0) {
    const std::size_t size = graph.size_links_per_element_ * static_cast<std::size_t>(level);
    graph.linkLists_[element] = static_cast<char*>(std::calloc(size + 1, 1));
    if (graph.linkLists_[element] == nullptr) throw std::bad_alloc();
  }
  for (int l = 0; l <= level; ++l) {
    auto* links = graph.get_linklist_at_level(element, l);
    const auto count = in.number<std::uint16_t>();
    require(count <= (l == 0 ? graph.maxM0_ : graph.maxM_), "an element has too many links");
    graph.setListCount(links, count);
    const auto ids = in.take(count * sizeof(std::uint32_t));
    std::memcpy(links + 1, ids.data(), ids.size());
  }
  if (row == GraphIndex::Impl::kNone) {
    graph.markDeletedInternal(element);
    return;
  }
  require(row < index.element_of.size() && index.element_of[row] == GraphIndex::Impl::kNone,
          "a row appears twice or does not exist");
  index.element_of[row] = element;
}

void check_links(const Graph& graph) {
  const auto count = static_cast<std::uint32_t>(graph.cur_element_count);
  require(graph.enterpoint_node_ < count &&
              graph.element_levels_[graph.enterpoint_node_] == graph.maxlevel_,
          "its entry is not at the top");
  for (std::uint32_t element = 0; element < count; ++element) {
    for (int level = 0; level <= graph.element_levels_[element]; ++level) {
      auto* links = graph.get_linklist_at_level(element, level);
      for (std::size_t i = 1; i <= graph.getListCount(links); ++i) {
        require(links[i] < count && graph.element_levels_[links[i]] >= level,
                "a link leads nowhere");
      }
    }
  }
}

/// Codes of all elements that are not erased.
void fill_codes(GraphIndex::Impl& index, const Rows& rows) {
  AlignedArray<float> row(index.space->layout().padded);
  for (std::uint32_t element = 0; element < index.graph->cur_element_count; ++element) {
    const std::uint32_t at = index.row_of(element);
    if (at == GraphIndex::Impl::kNone) continue;
    load_padded(rows, at, row.size(), row.data());
    index.space->encode(row.data(),
                        reinterpret_cast<std::byte*>(index.graph->getDataByInternalId(element)));
    index.codes_hash += index.code_hash(element, at);
  }
}

/// Checks what stands around the content; gives the content.
Reader open_content(std::span<const std::byte> bytes) {
  require(bytes.size() >= kMagic.size() + 2 * sizeof(std::uint32_t) &&
              std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0,
          "it is not such a file");
  Reader in(bytes.first(bytes.size() - sizeof(std::uint32_t)));
  in.take(kMagic.size());
  const auto version = in.number<std::uint32_t>();
  if (version != kVersion) {
    throw Error(ErrorCode::unsupported,
                "the graph index has version " + std::to_string(version) + "; this program knows " +
                    std::to_string(kVersion),
                "build it anew: sosia gallery compact");
  }
  const std::uint32_t wanted = Reader(bytes.last(sizeof(std::uint32_t))).number<std::uint32_t>();
  require(crc32c(bytes.first(bytes.size() - sizeof wanted)) == wanted, "its checksum is wrong");
  return in;
}

std::unique_ptr<GraphIndex::Impl> read(Reader in, const Rows& rows) {
  GraphIndex::Options options;
  options.links = in.number<std::uint32_t>();
  options.build_width = in.number<std::uint32_t>();
  const auto top = in.number<std::uint32_t>();
  const auto entry = in.number<std::uint32_t>();
  const auto count = in.number<std::uint64_t>();
  const auto dimension = in.number<std::uint64_t>();
  options.seed = in.number<std::uint64_t>();
  const auto codes_hash = in.number<std::uint64_t>();
  const auto measured = in.number<std::uint64_t>();
  require(options.links >= 2 && options.links <= 512, "links is out of range");
  require(measured <= in.left() / 32, "it ends too early");
  require(dimension == rows.dimension && count <= rows.count, "it belongs to other rows");
  std::vector<GraphIndex::Measured> table(measured);
  for (auto& m : table) {
    m.k = in.number<std::uint64_t>();
    m.width = in.number<std::uint64_t>();
    m.recall = in.number<double>();
    m.probes = in.number<std::uint64_t>();
    require(m.recall >= 0 && m.recall <= 1, "a recall is out of range");
  }
  // Each element has seven bytes at least, so that a lie about their number costs no memory.
  require(count <= in.left() / 7, "it ends too early");
  require(top < kMostLevels, "it has too many levels");

  auto index = std::make_unique<GraphIndex::Impl>(count, dimension, options);
  index->measured = std::move(table);
  Graph& graph = *index->graph;
  graph.enterpoint_node_ = entry;
  graph.maxlevel_ = count == 0 ? -1 : static_cast<int>(top);
  graph.cur_element_count = count;
  for (std::uint32_t element = 0; element < count; ++element) read_element(in, *index, element);
  require(in.left() == 0, "something follows its end");
  if (count != 0) check_links(graph);
  fill_codes(*index, rows);
  require(index->codes_hash == codes_hash, "it belongs to other rows");
  return index;
}

}  // namespace

void GraphIndex::save(const std::string& path) const {
  const Graph& graph = *impl_->graph;
  AtomicFile file(path, Overwrite::replace);
  Writer out(file);
  out.bytes(kMagic.data(), kMagic.size());
  out.number(kVersion);
  out.number(static_cast<std::uint32_t>(impl_->options.links));
  out.number(static_cast<std::uint32_t>(impl_->options.build_width));
  out.number(static_cast<std::uint32_t>(std::max(graph.maxlevel_, 0)));
  out.number(static_cast<std::uint32_t>(graph.enterpoint_node_));
  out.number(static_cast<std::uint64_t>(size()));
  out.number(static_cast<std::uint64_t>(impl_->dimension));
  out.number(impl_->options.seed);
  out.number(impl_->codes_hash);
  out.number(static_cast<std::uint64_t>(impl_->measured.size()));
  for (const Measured& m : impl_->measured) {
    out.number(static_cast<std::uint64_t>(m.k));
    out.number(static_cast<std::uint64_t>(m.width));
    out.number(m.recall);
    out.number(static_cast<std::uint64_t>(m.probes));
  }
  for (std::uint32_t element = 0; element < size(); ++element) write_element(out, graph, element);
  out.finish();
  file.commit();
}

GraphIndex GraphIndex::load(const std::string& path, const Rows& rows) {
  const MappedFile file(path);
  try {
    return GraphIndex(read(open_content(file.bytes()), rows));
  } catch (...) {
    throw hnswlib_error("reading the graph index").add_context(path);
  }
}

}  // namespace sosia::gallery
