#pragma once
// What a pickle becomes, and the stack machine that builds it.

#include "formats/bytes.hpp"
#include "formats/npy_dtype.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/pickle.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sosia::formats {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffff;

/// The data of an array node.
struct PickleArray {
  NpyDType dtype;
  bool built = false;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::string_view bytes;
};

struct Node {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;  // boolean, integer; array and dtype: index into their tables
  double real = 0;
  std::string_view bytes;      // bytes, text, big_integer, global (its name)
  NodeId callable = kNoNode;   // object; persistent (its id)
  NodeId arguments = kNoNode;  // object
  NodeId state = kNoNode;      // object, dict
  std::vector<NodeId> items;   // elements; keys and values in turn for dict and object
};

struct PickleGraph {
  std::optional<MappedFile> mapped;
  std::vector<Node> nodes;
  std::vector<PickleArray> arrays;
  std::vector<NpyDType> dtypes;
  std::deque<std::string> owned;  // strings that had escapes; views into them stay valid
  NodeId root = kNoNode;
  std::size_t end_offset = 0;
};

/// Executes the opcodes. One object per pickle.
class PickleVm {
 public:
  PickleVm(std::span<const std::byte> bytes, std::string_view origin, const PickleOptions& options,
           PickleGraph& graph);

  void run();

  // For the replacements of NumPy's functions (pickle_numpy.cpp).
  PickleGraph& graph() { return graph_; }
  Node& node(NodeId id) { return graph_.nodes[id]; }
  std::string_view origin() const { return origin_; }
  [[noreturn]] void corrupt(const std::string& what) const;
  [[noreturn]] void unsupported(const std::string& what, const std::string& hint = {}) const;
  NodeId add(PickleKind kind);
  NodeId add_bytes(PickleKind kind, std::string_view bytes);
  NodeId add_integer(std::int64_t value);
  NodeId add_real(double value);
  NodeId boolean(bool value) const { return value ? kTrue : kFalse; }
  std::string_view own(std::string text);
  void charge(std::uint64_t bytes);
  std::string_view text_of(NodeId id, std::string_view what);
  /// The elements of a tuple (or list); valid until that very node is changed.
  std::span<const NodeId> tuple_of(NodeId id, std::string_view what);

 private:
  static constexpr NodeId kNone = 0, kTrue = 1, kFalse = 2, kEmptyTuple = 3;

  bool number_op(std::uint8_t op);
  bool string_op(std::uint8_t op);
  bool container_op(std::uint8_t op);
  bool fill_op(std::uint8_t op);
  bool stack_op(std::uint8_t op);
  bool object_op(std::uint8_t op);

  void push(NodeId id);
  NodeId pop();
  NodeId top();
  std::size_t pop_mark();
  void pop_items(std::size_t from, std::vector<NodeId>& out);
  NodeId collect(PickleKind kind, std::size_t from);
  void remember(std::uint64_t index);
  void recall(std::uint64_t index);
  std::uint64_t index_line();
  std::string_view line();
  std::string_view take(std::uint64_t n) { return as_text(cursor_.take(n, "a pickled string")); }
  void push_text(std::string_view text);
  void push_integer_line(bool long_integer);
  void push_long(std::uint64_t n);
  std::string unescape_string(std::string_view repr) const;
  std::string unescape_unicode(std::string_view text) const;
  NodeId global(std::string_view module, std::string_view name);
  NodeId call(NodeId callable, NodeId arguments);
  NodeId ordered_dict(NodeId arguments);
  void build(NodeId target, NodeId state);
  void persistent(NodeId id);
  void check_depth() const;

  ByteCursor cursor_;
  std::string_view origin_;
  const PickleOptions& options_;
  PickleGraph& graph_;
  std::vector<NodeId> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, NodeId> memo_;
  std::uint64_t charged_ = 0;
};

/// Whether our own code stands in for this name.
bool is_replaced(std::string_view name);
/// Calls the replacement of `name`.
NodeId call_replacement(PickleVm& vm, std::string_view name, std::span<const NodeId> arguments);
/// Gives an array or dtype node its state.
void build_array(PickleVm& vm, NodeId target, NodeId state);
void build_dtype(PickleVm& vm, NodeId target, NodeId state);

}  // namespace sosia::formats
