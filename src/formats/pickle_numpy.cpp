// What NumPy's pickles call, done by our own code on data only.

#include "formats/pickle_graph.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia::formats {

namespace {

using Arguments = std::span<const NodeId>;

NpyDType dtype_of_node(PickleVm& vm, NodeId id) {
  const Node& n = vm.node(id);
  if (n.kind != PickleKind::dtype) {
    vm.corrupt("a dtype is a " + std::string(pickle_kind_name(n.kind)));
  }
  return vm.graph().dtypes[static_cast<std::size_t>(n.integer)];
}

std::vector<std::size_t> shape_of(PickleVm& vm, NodeId id) {
  std::vector<std::size_t> shape;
  const Arguments extents = vm.tuple_of(id, "a shape");
  if (extents.size() > kNpyMaxDimensions) vm.corrupt("an array has more than 64 dimensions");
  for (const NodeId extent : extents) {
    const Node& n = vm.node(extent);
    if (n.kind != PickleKind::integer || n.integer < 0) vm.corrupt("an extent is no whole number");
    shape.push_back(static_cast<std::size_t>(n.integer));
  }
  return shape;
}

std::string_view bytes_of(PickleVm& vm, NodeId id, std::string_view what) {
  const Node& n = vm.node(id);
  if (n.kind != PickleKind::bytes) {
    vm.corrupt(std::string(what) + " are a " + std::string(pickle_kind_name(n.kind)) +
               ", not bytes");
  }
  return n.bytes;
}

NodeId new_array(PickleVm& vm) {
  vm.charge(2 * sizeof(PickleArray));
  const NodeId id = vm.add(PickleKind::array);
  vm.node(id).integer = static_cast<std::int64_t>(vm.graph().arrays.size());
  vm.graph().arrays.emplace_back();
  return id;
}

PickleArray& array_of(PickleVm& vm, NodeId id) {
  return vm.graph().arrays[static_cast<std::size_t>(vm.node(id).integer)];
}

void set_array(PickleVm& vm, NodeId target, NodeId shape, NpyDType dtype, bool fortran_order,
               NodeId data) {
  PickleArray array;
  array.built = true;
  array.dtype = dtype;
  array.shape = shape_of(vm, shape);
  array.fortran_order = fortran_order;
  vm.charge(array.shape.size() * sizeof(std::size_t));
  if (dtype.object) {
    const Arguments items = vm.tuple_of(data, "the elements of an array");
    std::size_t count = 1;
    for (const std::size_t extent : array.shape) {
      if (!multiply_sizes(count, extent, count)) vm.corrupt("the shape of an array overflows");
    }
    if (items.size() != count) {
      vm.corrupt("an array of shape " + shape_text(array.shape) + " has " +
                 std::to_string(items.size()) + " elements");
    }
    vm.charge(items.size() * sizeof(NodeId));
    vm.node(target).items.assign(items.begin(), items.end());
  } else {
    array.bytes = bytes_of(vm, data, "the elements of an array");
    if (array_bytes(dtype.type, array.shape, vm.origin()) != array.bytes.size()) {
      vm.corrupt("an array of " + std::string(dtype_name(dtype.type)) + " " +
                 shape_text(array.shape) + " has " + std::to_string(array.bytes.size()) + " bytes");
    }
    vm.node(target).items.clear();
  }
  array_of(vm, target) = std::move(array);
}

void need(PickleVm& vm, Arguments arguments, std::size_t least, std::string_view name) {
  if (arguments.size() < least) {
    vm.corrupt(std::string(name) + " has " + std::to_string(arguments.size()) + " arguments");
  }
}

/// numpy.core.multiarray._reconstruct(ndarray, (0,), b'b'): an array to be filled by its state.
NodeId reconstruct(PickleVm& vm, Arguments arguments) {
  need(vm, arguments, 1, "_reconstruct");
  const Node& type = vm.node(arguments[0]);
  if (type.kind != PickleKind::global || type.bytes != "numpy.ndarray") {
    vm.unsupported("the pickle holds a subclass of numpy.ndarray");
  }
  return new_array(vm);
}

/// numpy.core.numeric._frombuffer(bytes, dtype, shape, 'C' or 'F'), protocol 5.
NodeId from_buffer(PickleVm& vm, Arguments arguments) {
  need(vm, arguments, 4, "_frombuffer");
  const NpyDType dtype = dtype_of_node(vm, arguments[1]);
  if (dtype.object) vm.corrupt("an array of objects in a buffer");
  const std::string_view order = vm.text_of(arguments[3], "an order");
  if (order != "C" && order != "F") vm.corrupt("an array in the order " + quote(order));
  const NodeId id = new_array(vm);
  set_array(vm, id, arguments[2], dtype, order == "F", arguments[0]);
  return id;
}

/// numpy.core.multiarray.scalar(dtype, bytes): a number.
NodeId scalar(PickleVm& vm, Arguments arguments) {
  need(vm, arguments, 2, "scalar");
  const NpyDType dtype = dtype_of_node(vm, arguments[0]);
  if (dtype.object || dtype.type == DType::c64) vm.unsupported("a pickled scalar is no number");
  const std::string_view bytes = bytes_of(vm, arguments[1], "the bytes of a number");
  if (bytes.size() != item_size(dtype.type)) vm.corrupt("a number of the wrong size");
  const Array value = normalised_copy(dtype.type, {}, as_byte_span(bytes), false, dtype.big_endian);
  switch (dtype.type) {
    case DType::boolean:
      return vm.boolean(value.bytes[0] != std::byte{0});
    case DType::f16:
    case DType::f32:
    case DType::f64:
      return vm.add_real(to_f64(value.view()).front());
    default:
      return vm.add_integer(to_i64(value.view()).front());
  }
}

/// numpy.dtype('f4', ...)
NodeId dtype(PickleVm& vm, Arguments arguments) {
  need(vm, arguments, 1, "numpy.dtype");
  const NpyDType type = parse_npy_dtype(vm.text_of(arguments[0], "a dtype"), vm.origin());
  vm.charge(2 * sizeof(NpyDType));
  const NodeId id = vm.add(PickleKind::dtype);
  vm.node(id).integer = static_cast<std::int64_t>(vm.graph().dtypes.size());
  vm.graph().dtypes.push_back(type);
  return id;
}

/// Text of code points below 256 as that many bytes: how protocols 0 to 2 carry bytes.
NodeId latin1_bytes(PickleVm& vm, Arguments arguments) {
  need(vm, arguments, 2, "_codecs.encode");
  const std::string_view codec = vm.text_of(arguments[1], "a codec");
  if (codec != "latin1" && codec != "latin-1") vm.unsupported("the codec " + quote(codec));
  const std::string_view text = vm.text_of(arguments[0], "a text");
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out += text[i];
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      out += static_cast<char>((lead << 6) | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      vm.corrupt("a character beyond Latin-1");
    }
  }
  return vm.add_bytes(PickleKind::bytes, vm.own(std::move(out)));
}

/// bytes() or bytearray(b'...') or bytearray('...', 'latin-1').
NodeId make_bytes(PickleVm& vm, Arguments arguments) {
  if (arguments.empty()) return vm.add_bytes(PickleKind::bytes, {});
  if (arguments.size() == 2) return latin1_bytes(vm, arguments);
  return vm.add_bytes(PickleKind::bytes, bytes_of(vm, arguments[0], "the bytes"));
}

/// set([...]) and frozenset([...]), which have opcodes of their own only from protocol 4 on.
NodeId make_set(PickleVm& vm, Arguments arguments) {
  const NodeId id = vm.add(PickleKind::set);
  if (arguments.empty()) return id;
  need(vm, arguments, 1, "set");
  const Arguments items = vm.tuple_of(arguments[0], "the elements of a set");
  vm.charge(2 * sizeof(NodeId) * items.size());
  vm.node(id).items.assign(items.begin(), items.end());
  return id;
}

NodeId not_callable(PickleVm& vm, Arguments) {
  vm.unsupported("the pickle makes a numpy.ndarray in a way that is not read here");
}

struct Replacement {
  std::string_view name;
  NodeId (*function)(PickleVm&, Arguments);
};

// NumPy 2 moved numpy.core to numpy._core.
constexpr Replacement kReplacements[] = {
    {"numpy.core.multiarray._reconstruct", reconstruct},
    {"numpy._core.multiarray._reconstruct", reconstruct},
    {"numpy.core.multiarray.scalar", scalar},
    {"numpy._core.multiarray.scalar", scalar},
    {"numpy.core.numeric._frombuffer", from_buffer},
    {"numpy._core.numeric._frombuffer", from_buffer},
    {"numpy.ndarray", not_callable},
    {"numpy.dtype", dtype},
    {"_codecs.encode", latin1_bytes},
    {"__builtin__.bytes", make_bytes},
    {"__builtin__.bytearray", make_bytes},
    {"builtins.bytearray", make_bytes},
    {"__builtin__.set", make_set},
    {"__builtin__.frozenset", make_set},
    {"builtins.set", make_set},
    {"builtins.frozenset", make_set},
};

const Replacement* find_replacement(std::string_view name) {
  const auto* row = std::find_if(std::begin(kReplacements), std::end(kReplacements),
                                 [&](const Replacement& r) { return r.name == name; });
  return row == std::end(kReplacements) ? nullptr : row;
}

}  // namespace

bool is_replaced(std::string_view name) {
  return find_replacement(name) != nullptr;
}

NodeId call_replacement(PickleVm& vm, std::string_view name, Arguments arguments) {
  return find_replacement(name)->function(vm, arguments);
}

/// State of an array: (version, shape, dtype, is_fortran, data), the version missing in old files.
void build_array(PickleVm& vm, NodeId target, NodeId state) {
  const Arguments parts = vm.tuple_of(state, "the state of an array");
  if (parts.size() != 4 && parts.size() != 5) vm.corrupt("the state of an array has no 5 parts");
  const std::size_t first = parts.size() - 4;
  const Node& fortran = vm.node(parts[first + 2]);
  if (fortran.kind != PickleKind::boolean && fortran.kind != PickleKind::integer) {
    vm.corrupt("the order of an array is neither true nor false");
  }
  const bool fortran_order = fortran.integer != 0;
  set_array(vm, target, parts[first], dtype_of_node(vm, parts[first + 1]), fortran_order,
            parts[first + 3]);
}

/// State of a dtype: (version, byte order, subdtype, names, fields, size, alignment, flags, ...).
void build_dtype(PickleVm& vm, NodeId target, NodeId state) {
  const Arguments parts = vm.tuple_of(state, "the state of a dtype");
  if (parts.size() < 5) vm.corrupt("the state of a dtype is too short");
  for (const NodeId part : {parts[2], parts[3], parts[4]}) {
    if (vm.node(part).kind != PickleKind::none) {
      vm.unsupported("the pickle holds an array with a structured dtype");
    }
  }
  const std::string_view order = vm.text_of(parts[1], "a byte order");
  if (order != "<" && order != ">" && order != "|" && order != "=") {
    vm.corrupt("the byte order " + quote(order));
  }
  NpyDType& type = vm.graph().dtypes[static_cast<std::size_t>(vm.node(target).integer)];
  type.big_endian = order == ">" && item_size(type.type) > 1;
}

}  // namespace sosia::formats
