#pragma once
// Python pickles as plain data: protocols 0 to 5, nothing is ever executed.
//
// A pickle is a program that may import and call anything. This reader runs its stack machine but
// imports nothing: names on an allow-list become inert nodes, the few that NumPy needs are replaced
// by our own code, and every other name is refused. Reference: Lib/pickletools.py of CPython,
// numpy/core/src/multiarray/methods.c (array_reduce).

#include "sosia/formats/array.hpp"

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

struct PickleGraph;

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,      ///< fits 64 bits
  big_integer,  ///< does not; bytes() gives it as little-endian two's complement
  real,
  bytes,  ///< bytes, bytearray, and the str of Python 2
  text,   ///< UTF-8
  list,
  tuple,
  set,
  dict,        ///< in the order of insertion; also collections.OrderedDict where allowed
  array,       ///< a NumPy array of numbers or of objects
  dtype,       ///< a NumPy dtype that stands alone
  global,      ///< an allowed name that was not called
  object,      ///< an allowed name that would have been called: name, arguments, state, items
  persistent,  ///< a reference to data outside the pickle
};

/// "tuple", "array", ... for messages.
std::string_view pickle_kind_name(PickleKind kind);

struct PickleOptions {
  /// Names, as "module.name", that may appear besides those of NumPy; * stands for any characters
  /// but dots ("torch.*Storage"). They become inert nodes.
  std::vector<std::string> allow;
  /// Whether persistent ids may appear (PyTorch checkpoints refer to their storages with them).
  bool persistent_ids = false;
  std::uint64_t max_memory_bytes = std::uint64_t{1} << 30;
  std::size_t max_depth = 100;  ///< levels of nesting
};

/// One node of a `Pickle`; a cheap view that dies with it. Nodes may be shared: a pickle of a few
/// kilobytes can describe more paths than fit in memory, so do not expand it blindly.
///
/// Typed access throws corrupt_data naming the wanted and the present kind.
class PickleNode {
 public:
  PickleKind kind() const noexcept;
  bool is(PickleKind wanted) const noexcept { return kind() == wanted; }

  bool as_boolean() const;           ///< also the integers 0 and 1
  std::int64_t as_integer() const;   ///< also booleans
  double as_real() const;            ///< also integers
  std::string_view as_text() const;  ///< also bytes that are ASCII, as Python 2 writes names
  std::span<const std::byte> as_bytes() const;

  /// list, tuple, set, dict, object (items that were set on it) or array of objects.
  std::size_t size() const;
  /// Element of a list, tuple, set or array of objects. Throws corrupt_data beyond the end.
  PickleNode operator[](std::size_t index) const;
  /// Entry of a dict or object.
  std::pair<PickleNode, PickleNode> entry(std::size_t index) const;
  /// Value of a dict or object under a text key.
  std::optional<PickleNode> find(std::string_view key) const;

  /// global or object: "torch._utils._rebuild_tensor_v2".
  std::string_view name() const;
  /// object: what it would have been called with (usually a tuple).
  PickleNode arguments() const;
  /// object or dict: the state given to it, if any.
  std::optional<PickleNode> state() const;
  /// persistent: its id.
  PickleNode persistent_id() const;

  /// array: whether its elements are Python objects, then found with operator[].
  bool is_object_array() const;
  std::span<const std::size_t> shape() const;
  /// array of numbers: a copy in C order.
  Array array() const;
  /// array of numbers: its bytes in place. Throws unsupported unless they are little-endian and in
  /// C order; may be unaligned.
  ArrayView array_view() const;

 private:
  friend class Pickle;
  PickleNode(const PickleGraph* graph, std::uint32_t id) : graph_(graph), id_(id) {}
  PickleNode at(std::uint32_t id) const { return {graph_, id}; }
  void require(PickleKind wanted) const;

  const PickleGraph* graph_;
  std::uint32_t id_;
};

/// A parsed pickle. Thread-safety: immutable.
class Pickle {
 public:
  ~Pickle();
  Pickle(Pickle&&) noexcept;
  Pickle& operator=(Pickle&&) noexcept;

  PickleNode root() const;
  /// Where the pickle ended; PyTorch's old checkpoints hold several, one behind the other.
  std::size_t end_offset() const noexcept;

 private:
  friend Pickle parse_pickle(std::span<const std::byte>, std::string_view, const PickleOptions&);
  friend Pickle read_pickle(const std::filesystem::path&, const PickleOptions&);
  friend Pickle read_npy_pickle(const std::filesystem::path&, const PickleOptions&);
  explicit Pickle(std::unique_ptr<PickleGraph> graph);
  std::unique_ptr<PickleGraph> graph_;
};

/// Parses the pickle at the start of `bytes`, which must outlive the result (strings and array data
/// stay in place).
///
/// Throws corrupt_data (damaged, contains itself, nested too deeply), unsupported (a name that is
/// not allowed, out-of-band buffers, extension codes, structured arrays), out_of_memory (above the
/// cap).
Pickle parse_pickle(std::span<const std::byte> bytes, std::string_view origin = "pickle",
                    const PickleOptions& options = {});

/// The pickle at the start of a file, which stays mapped. Throws not_found and io besides.
Pickle read_pickle(const std::filesystem::path& path, const PickleOptions& options = {});

/// The array of objects in a .npy file (`numpy.save(..., allow_pickle=True)`): the root is an
/// array.
Pickle parse_npy_pickle(std::span<const std::byte> bytes, std::string_view origin = "npy",
                        const PickleOptions& options = {});
Pickle read_npy_pickle(const std::filesystem::path& path, const PickleOptions& options = {});

}  // namespace sosia::formats
