#include "sosia/formats/pickle.hpp"

#include "formats/pickle_graph.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/npy.hpp"

#include <algorithm>

namespace sosia::formats {

std::string_view pickle_kind_name(PickleKind kind) {
  constexpr std::string_view kNames[] = {
      "None",  "boolean", "integer", "big integer", "real",  "bytes",  "text",   "list",
      "tuple", "set",     "dict",    "array",       "dtype", "global", "object", "persistent id"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(PickleKind::persistent) + 1);
  return kNames[static_cast<std::size_t>(kind)];
}

namespace {

[[noreturn]] void wrong_kind(std::string_view wanted, PickleKind present) {
  throw Error(ErrorCode::corrupt_data, "the pickle should hold " + std::string(wanted) +
                                           " here, but holds " +
                                           std::string(pickle_kind_name(present)));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool holds_pairs(PickleKind kind) {
  return kind == PickleKind::dict || kind == PickleKind::object;
}

}  // namespace

PickleKind PickleNode::kind() const noexcept {
  return graph_->nodes[id_].kind;
}

void PickleNode::require(PickleKind wanted) const {
  if (kind() != wanted) wrong_kind(pickle_kind_name(wanted), kind());
}

bool PickleNode::as_boolean() const {
  const std::int64_t value = as_integer();
  if (value != 0 && value != 1) wrong_kind("true or false", kind());
  return value == 1;
}

std::int64_t PickleNode::as_integer() const {
  if (kind() != PickleKind::integer && kind() != PickleKind::boolean) {
    wrong_kind("an integer", kind());
  }
  return graph_->nodes[id_].integer;
}

double PickleNode::as_real() const {
  if (kind() == PickleKind::integer) return static_cast<double>(as_integer());
  if (kind() != PickleKind::real) wrong_kind("a number", kind());
  return graph_->nodes[id_].real;
}

std::string_view PickleNode::as_text() const {
  const std::string_view bytes = graph_->nodes[id_].bytes;
  if (kind() != PickleKind::text && !(kind() == PickleKind::bytes && is_ascii(bytes))) {
    wrong_kind("a text", kind());
  }
  return bytes;
}

std::span<const std::byte> PickleNode::as_bytes() const {
  if (kind() != PickleKind::bytes && kind() != PickleKind::big_integer) {
    wrong_kind("bytes", kind());
  }
  return as_byte_span(graph_->nodes[id_].bytes);
}

std::size_t PickleNode::size() const {
  const std::size_t n = graph_->nodes[id_].items.size();
  switch (kind()) {
    case PickleKind::list:
    case PickleKind::tuple:
    case PickleKind::set:
      return n;
    case PickleKind::dict:
    case PickleKind::object:
      return n / 2;
    case PickleKind::array:
      if (is_object_array()) return n;
      [[fallthrough]];
    default:
      wrong_kind("a container", kind());
  }
}

PickleNode PickleNode::operator[](std::size_t index) const {
  if (holds_pairs(kind())) wrong_kind("a list or tuple", kind());
  if (index >= size()) {
    throw Error(ErrorCode::corrupt_data, "the pickled " + std::string(pickle_kind_name(kind())) +
                                             " has only " + std::to_string(size()) + " elements");
  }
  return at(graph_->nodes[id_].items[index]);
}

std::pair<PickleNode, PickleNode> PickleNode::entry(std::size_t index) const {
  if (!holds_pairs(kind())) wrong_kind("a dict", kind());
  if (index >= size()) {
    throw Error(ErrorCode::corrupt_data,
                "the pickled dict has only " + std::to_string(size()) + " entries");
  }
  const std::vector<NodeId>& items = graph_->nodes[id_].items;
  return {at(items[2 * index]), at(items[2 * index + 1])};
}

std::optional<PickleNode> PickleNode::find(std::string_view key) const {
  if (!holds_pairs(kind())) wrong_kind("a dict", kind());
  const std::vector<NodeId>& items = graph_->nodes[id_].items;
  for (std::size_t i = items.size(); i >= 2; i -= 2) {  // from the end: the last setting counts
    const Node& name = graph_->nodes[items[i - 2]];
    const bool named = name.kind == PickleKind::text || name.kind == PickleKind::bytes;
    if (named && name.bytes == key) return at(items[i - 1]);
  }
  return std::nullopt;
}

std::string_view PickleNode::name() const {
  if (kind() == PickleKind::object) return at(graph_->nodes[id_].callable).name();
  require(PickleKind::global);
  return graph_->nodes[id_].bytes;
}

PickleNode PickleNode::arguments() const {
  require(PickleKind::object);
  return at(graph_->nodes[id_].arguments);
}

std::optional<PickleNode> PickleNode::state() const {
  if (!holds_pairs(kind())) wrong_kind("an object", kind());
  const NodeId id = graph_->nodes[id_].state;
  if (id == kNoNode) return std::nullopt;
  return at(id);
}

PickleNode PickleNode::persistent_id() const {
  require(PickleKind::persistent);
  return at(graph_->nodes[id_].callable);
}

namespace {

const PickleArray& array_of(const PickleGraph& graph, const Node& node) {
  const PickleArray& array = graph.arrays[static_cast<std::size_t>(node.integer)];
  if (!array.built) {
    throw Error(ErrorCode::corrupt_data, "the pickled array was never given its content");
  }
  return array;
}

const PickleArray& numbers_of(const PickleGraph& graph, const Node& node) {
  const PickleArray& array = array_of(graph, node);
  if (array.dtype.object) {
    throw Error(ErrorCode::corrupt_data, "the pickled array holds objects, not numbers");
  }
  return array;
}

}  // namespace

bool PickleNode::is_object_array() const {
  return kind() == PickleKind::array && array_of(*graph_, graph_->nodes[id_]).dtype.object;
}

std::span<const std::size_t> PickleNode::shape() const {
  require(PickleKind::array);
  return array_of(*graph_, graph_->nodes[id_]).shape;
}

Array PickleNode::array() const {
  require(PickleKind::array);
  const PickleArray& array = numbers_of(*graph_, graph_->nodes[id_]);
  return normalised_copy(array.dtype.type, array.shape, as_byte_span(array.bytes),
                         array.fortran_order, array.dtype.big_endian);
}

ArrayView PickleNode::array_view() const {
  require(PickleKind::array);
  const PickleArray& array = numbers_of(*graph_, graph_->nodes[id_]);
  if (array.dtype.big_endian || (array.fortran_order && array.shape.size() > 1)) {
    throw Error(ErrorCode::unsupported,
                "the pickled array is big-endian or in Fortran order and cannot be viewed in place",
                "copy it with array()");
  }
  return {array.dtype.type, array.shape, as_byte_span(array.bytes)};
}

Pickle::Pickle(std::unique_ptr<PickleGraph> graph) : graph_(std::move(graph)) {}
Pickle::~Pickle() = default;
Pickle::Pickle(Pickle&&) noexcept = default;
Pickle& Pickle::operator=(Pickle&&) noexcept = default;

PickleNode Pickle::root() const {
  return {graph_.get(), graph_->root};
}

std::size_t Pickle::end_offset() const noexcept {
  return graph_->end_offset;
}

Pickle parse_pickle(std::span<const std::byte> bytes, std::string_view origin,
                    const PickleOptions& options) {
  auto graph = std::make_unique<PickleGraph>();
  PickleVm(bytes, origin, options, *graph).run();
  return Pickle(std::move(graph));
}

Pickle read_pickle(const std::filesystem::path& path, const PickleOptions& options) {
  MappedFile file(path);
  Pickle pickle = parse_pickle(file.bytes(), path.string(), options);
  pickle.graph_->mapped = std::move(file);
  return pickle;
}

Pickle parse_npy_pickle(std::span<const std::byte> bytes, std::string_view origin,
                        const PickleOptions& options) {
  const NpyHeader header = parse_npy_header(bytes, origin);
  if (!header.object) {
    throw Error(ErrorCode::unsupported, "the npy file holds numbers, not a pickle",
                "read it with read_npy", std::string(origin));
  }
  return parse_pickle(bytes.subspan(header.data_offset), origin, options);
}

Pickle read_npy_pickle(const std::filesystem::path& path, const PickleOptions& options) {
  MappedFile file(path);
  Pickle pickle = parse_npy_pickle(file.bytes(), path.string(), options);
  pickle.graph_->mapped = std::move(file);
  return pickle;
}

}  // namespace sosia::formats
