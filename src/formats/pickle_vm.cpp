#include "formats/pickle_graph.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <bit>

namespace sosia::formats {

namespace {

constexpr std::uint8_t kHighestProtocol = 5;

/// `text` against a pattern in which * stands for any characters but dots.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (matches(rest, text.substr(at))) return true;
    if (at < text.size() && text[at] == '.') return false;
  }
  return false;
}

}  // namespace

PickleVm::PickleVm(std::span<const std::byte> bytes, std::string_view origin,
                   const PickleOptions& options, PickleGraph& graph)
    : cursor_(bytes, origin), origin_(origin), options_(options), graph_(graph) {
  add(PickleKind::none);
  node(add(PickleKind::boolean)).integer = 1;
  add(PickleKind::boolean);
  add(PickleKind::tuple);
}

void PickleVm::corrupt(const std::string& what) const {
  fail_corrupt(origin_, "the pickle is malformed near byte " + std::to_string(cursor_.position()) +
                            ": " + what);
}

void PickleVm::unsupported(const std::string& what, const std::string& hint) const {
  fail_unsupported(origin_, what, hint);
}

void PickleVm::charge(std::uint64_t bytes) {
  charged_ += bytes;
  if (charged_ > options_.max_memory_bytes) {
    fail_cap(origin_, "the pickle takes more than " + std::to_string(options_.max_memory_bytes) +
                          " bytes in memory");
  }
}

NodeId PickleVm::add(PickleKind kind) {
  charge(2 * sizeof(Node));  // twice: a vector may hold spare room for as many again
  graph_.nodes.emplace_back().kind = kind;
  return static_cast<NodeId>(graph_.nodes.size() - 1);
}

NodeId PickleVm::add_bytes(PickleKind kind, std::string_view bytes) {
  const NodeId id = add(kind);
  node(id).bytes = bytes;
  return id;
}

NodeId PickleVm::add_integer(std::int64_t value) {
  const NodeId id = add(PickleKind::integer);
  node(id).integer = value;
  return id;
}

NodeId PickleVm::add_real(double value) {
  const NodeId id = add(PickleKind::real);
  node(id).real = value;
  return id;
}

std::string_view PickleVm::own(std::string text) {
  charge(text.size() + sizeof(std::string));
  return graph_.owned.emplace_back(std::move(text));
}

void PickleVm::push(NodeId id) {
  charge(2 * sizeof(NodeId));
  stack_.push_back(id);
}

NodeId PickleVm::pop() {
  const NodeId id = top();
  stack_.pop_back();
  return id;
}

NodeId PickleVm::top() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) corrupt("the stack is empty");
  return stack_.back();
}

std::size_t PickleVm::pop_mark() {
  if (marks_.empty()) corrupt("there is no mark on the stack");
  const std::size_t from = marks_.back();
  marks_.pop_back();
  return from;
}

void PickleVm::pop_items(std::size_t from, std::vector<NodeId>& out) {
  charge(2 * sizeof(NodeId) * (stack_.size() - from));
  out.insert(out.end(), stack_.begin() + static_cast<std::ptrdiff_t>(from), stack_.end());
  stack_.resize(from);
}

NodeId PickleVm::collect(PickleKind kind, std::size_t from) {
  const NodeId id = add(kind);
  pop_items(from, node(id).items);
  if (kind == PickleKind::dict && node(id).items.size() % 2 != 0) corrupt("a key without a value");
  return id;
}

void PickleVm::remember(std::uint64_t index) {
  if (index > 0xffffffff) corrupt("a memo number is too large");
  constexpr std::uint64_t kEntryBytes = 48;  // of an unordered_map, with its bucket
  if (memo_.insert_or_assign(static_cast<std::uint32_t>(index), top()).second) charge(kEntryBytes);
}

void PickleVm::recall(std::uint64_t index) {
  const auto found =
      index > 0xffffffff ? memo_.end() : memo_.find(static_cast<std::uint32_t>(index));
  if (found == memo_.end()) corrupt("memo " + std::to_string(index) + " was never set");
  push(found->second);
}

std::string_view PickleVm::line() {
  const std::string_view rest = as_text(cursor_.rest());
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) corrupt("a line does not end");
  cursor_.take(end + 1, "a line");
  return rest.substr(0, end);
}

std::uint64_t PickleVm::index_line() {
  long long index = 0;
  if (!parse_integer(line(), index) || index < 0) corrupt("a memo number is not a number");
  return static_cast<std::uint64_t>(index);
}

void PickleVm::run() {
  for (;;) {
    const auto op = cursor_.read<std::uint8_t>("the next opcode");
    if (op == '.') break;
    if (number_op(op) || string_op(op) || container_op(op) || fill_op(op) || stack_op(op) ||
        object_op(op)) {
      continue;
    }
    corrupt("the opcode " + std::to_string(op) + " does not exist");
  }
  graph_.root = pop();
  graph_.end_offset = cursor_.position();
  check_depth();
}

bool PickleVm::number_op(std::uint8_t op) {
  switch (op) {
    case 'N':
      push(kNone);
      return true;
    case 0x88:
      push(kTrue);
      return true;
    case 0x89:
      push(kFalse);
      return true;
    case 'J':
      push(add_integer(cursor_.read<std::int32_t>("an integer")));
      return true;
    case 'K':
      push(add_integer(cursor_.read<std::uint8_t>("an integer")));
      return true;
    case 'M':
      push(add_integer(cursor_.read<std::uint16_t>("an integer")));
      return true;
    case 'I':
      push_integer_line(false);
      return true;
    case 'L':
      push_integer_line(true);
      return true;
    case 0x8a:
      push_long(cursor_.read<std::uint8_t>("an integer"));
      return true;
    case 0x8b:
      push_long(cursor_.read<std::uint32_t>("an integer"));
      return true;
    case 'G': {  // big-endian
      const auto bits = __builtin_bswap64(cursor_.read<std::uint64_t>("a number"));
      push(add_real(std::bit_cast<double>(bits)));
      return true;
    }
    case 'F': {
      double value = 0;
      if (!parse_real(line(), value)) corrupt("a number is not readable");
      push(add_real(value));
      return true;
    }
    default:
      return false;
  }
}

void PickleVm::push_integer_line(bool long_integer) {
  std::string_view text = line();
  if (!long_integer && (text == "00" || text == "01")) return push(boolean(text == "01"));
  if (long_integer && text.ends_with('L')) text.remove_suffix(1);
  long long value = 0;
  if (!parse_integer(text, value)) {
    const std::size_t sign = text.starts_with('-') ? 1 : 0;
    if (text.size() == sign ||
        text.find_first_not_of("0123456789", sign) != std::string_view::npos) {
      corrupt(quote(text) + " is not an integer");
    }
    unsupported("the pickle holds the integer " + quote(text) + ", which does not fit 64 bits");
  }
  push(add_integer(value));
}

void PickleVm::push_long(std::uint64_t n) {
  const std::string_view bytes = take(n);
  if (n > 8) return push(add_bytes(PickleKind::big_integer, bytes));
  const bool negative = n > 0 && (bytes.back() & 0x80) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  push(add_integer(static_cast<std::int64_t>(value)));
}

void PickleVm::push_text(std::string_view text) {
  if (!valid_utf8(text)) corrupt("a text is not UTF-8");
  push(add_bytes(PickleKind::text, text));
}

bool PickleVm::string_op(std::uint8_t op) {
  constexpr std::string_view kWhat = "the length of a string";
  const auto push_bytes = [&](std::string_view bytes) {
    push(add_bytes(PickleKind::bytes, bytes));
  };
  switch (op) {
    case 'S':
      push_bytes(own(unescape_string(line())));
      return true;
    case 'T':
      push_bytes(take(cursor_.read<std::uint32_t>(kWhat)));
      return true;
    case 'U':
    case 'C':
      push_bytes(take(cursor_.read<std::uint8_t>(kWhat)));
      return true;
    case 'B':
      push_bytes(take(cursor_.read<std::uint32_t>(kWhat)));
      return true;
    case 0x8e:
    case 0x96:
      push_bytes(take(cursor_.read<std::uint64_t>(kWhat)));
      return true;
    case 'V':
      push_text(own(unescape_unicode(line())));
      return true;
    case 'X':
      push_text(take(cursor_.read<std::uint32_t>(kWhat)));
      return true;
    case 0x8c:
      push_text(take(cursor_.read<std::uint8_t>(kWhat)));
      return true;
    case 0x8d:
      push_text(take(cursor_.read<std::uint64_t>(kWhat)));
      return true;
    default:
      return false;
  }
}

bool PickleVm::container_op(std::uint8_t op) {
  switch (op) {
    case ']':
      push(add(PickleKind::list));
      return true;
    case '}':
      push(add(PickleKind::dict));
      return true;
    case ')':
      push(kEmptyTuple);
      return true;
    case 0x8f:
      push(add(PickleKind::set));
      return true;
    case 'l':
      push(collect(PickleKind::list, pop_mark()));
      return true;
    case 'd':
      push(collect(PickleKind::dict, pop_mark()));
      return true;
    case 't':
      push(collect(PickleKind::tuple, pop_mark()));
      return true;
    case 0x91:
      push(collect(PickleKind::set, pop_mark()));
      return true;
    case 0x85:
    case 0x86:
    case 0x87: {
      const std::size_t n = op - 0x84u;
      const std::size_t floor = marks_.empty() ? 0 : marks_.back();
      if (stack_.size() < floor + n) corrupt("the stack is too short for a tuple");
      push(collect(PickleKind::tuple, stack_.size() - n));
      return true;
    }
    default:
      return false;
  }
}

/// Opcodes that add to the container below.
bool PickleVm::fill_op(std::uint8_t op) {
  const bool one = op == 'a' || op == 's';
  if (!one && op != 'e' && op != 'u' && op != 0x90) return false;
  std::size_t from = 0;
  if (one) {
    const std::size_t n = op == 'a' ? 1 : 2;
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() < floor + n + 1) corrupt("the stack is too short to add to a container");
    from = stack_.size() - n;
  } else {
    from = pop_mark();
    if (from == (marks_.empty() ? 0 : marks_.back())) corrupt("there is no container to add to");
  }
  Node& target = node(stack_[from - 1]);
  const bool pairs = op == 's' || op == 'u';
  const bool fits = pairs ? target.kind == PickleKind::dict || target.kind == PickleKind::object
                          : target.kind == (op == 0x90 ? PickleKind::set : PickleKind::list);
  if (!fits) {
    corrupt("elements are added to a " + std::string(pickle_kind_name(target.kind)));
  }
  if (pairs && (stack_.size() - from) % 2 != 0) corrupt("a key without a value");
  pop_items(from, target.items);
  return true;
}

bool PickleVm::stack_op(std::uint8_t op) {
  constexpr std::string_view kWhat = "a memo number";
  switch (op) {
    case '(':
      charge(2 * sizeof(std::size_t));
      marks_.push_back(stack_.size());
      return true;
    case '0':
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    case '1':
      stack_.resize(pop_mark());
      return true;
    case '2':
      push(top());
      return true;
    case 'p':
      remember(index_line());
      return true;
    case 'q':
      remember(cursor_.read<std::uint8_t>(kWhat));
      return true;
    case 'r':
      remember(cursor_.read<std::uint32_t>(kWhat));
      return true;
    case 0x94:
      remember(memo_.size());
      return true;
    case 'g':
      recall(index_line());
      return true;
    case 'h':
      recall(cursor_.read<std::uint8_t>(kWhat));
      return true;
    case 'j':
      recall(cursor_.read<std::uint32_t>(kWhat));
      return true;
    case 0x80:
      if (cursor_.read<std::uint8_t>("the protocol") > kHighestProtocol) {
        unsupported("the pickle has a protocol above " + std::to_string(kHighestProtocol));
      }
      return true;
    case 0x95: {
      const auto frame = cursor_.read<std::uint64_t>("a frame");
      if (frame > cursor_.remaining()) corrupt("a frame is longer than the rest of the file");
      return true;
    }
    default:
      return false;
  }
}

bool PickleVm::object_op(std::uint8_t op) {
  switch (op) {
    case 'c': {
      const std::string_view module = line();
      push(global(module, line()));
      return true;
    }
    case 0x93: {
      const NodeId name = pop();
      const NodeId module = pop();
      push(global(text_of(module, "a module"), text_of(name, "a name")));
      return true;
    }
    case 'R':
    case 0x81: {  // REDUCE, NEWOBJ
      const NodeId arguments = pop();
      const NodeId callable = pop();
      push(call(callable, arguments));
      return true;
    }
    case 0x92:  // NEWOBJ_EX
      unsupported("the pickle makes an object with named arguments, which is not read here");
    case 'i': {
      const std::string_view module = line();
      const NodeId callable = global(module, line());
      const NodeId arguments = collect(PickleKind::tuple, pop_mark());
      push(call(callable, arguments));
      return true;
    }
    case 'o': {
      const std::size_t from = pop_mark();
      if (stack_.size() <= from) corrupt("a class is missing");
      const NodeId callable = stack_[from];
      const NodeId arguments = collect(PickleKind::tuple, from + 1);
      stack_.pop_back();
      push(call(callable, arguments));
      return true;
    }
    case 'b': {
      const NodeId state = pop();
      build(top(), state);
      return true;
    }
    case 'P':
      persistent(add_bytes(PickleKind::text, line()));
      return true;
    case 'Q':
      persistent(pop());
      return true;
    case 0x82:
    case 0x83:
    case 0x84:
      unsupported("the pickle uses an extension code, which only its own program knows");
    case 0x97:
    case 0x98:
      unsupported("the pickle refers to buffers outside of it");
    default:
      return false;
  }
}

std::string_view PickleVm::text_of(NodeId id, std::string_view what) {
  const Node& n = node(id);
  if (n.kind != PickleKind::text && n.kind != PickleKind::bytes) {
    corrupt(std::string(what) + " is a " + std::string(pickle_kind_name(n.kind)) + ", not a text");
  }
  return n.bytes;
}

std::span<const NodeId> PickleVm::tuple_of(NodeId id, std::string_view what) {
  const Node& n = node(id);
  if (n.kind != PickleKind::tuple && n.kind != PickleKind::list) {
    corrupt(std::string(what) + " is a " + std::string(pickle_kind_name(n.kind)) + ", not a tuple");
  }
  return n.items;
}

NodeId PickleVm::global(std::string_view module, std::string_view name) {
  std::string full = std::string(module) + "." + std::string(name);
  const bool allowed =
      is_replaced(full) || std::any_of(options_.allow.begin(), options_.allow.end(),
                                       [&](const auto& pattern) { return matches(pattern, full); });
  if (!allowed) {
    unsupported(
        "the pickle wants to use " + quote(full) + ", which is not allowed here",
        "opening such a file in Python runs whatever its author chose; convert it to npy or "
        "safetensors where you trust it");
  }
  return add_bytes(PickleKind::global, own(std::move(full)));
}

NodeId PickleVm::call(NodeId callable, NodeId arguments) {
  if (node(callable).kind != PickleKind::global) {
    corrupt("a " + std::string(pickle_kind_name(node(callable).kind)) + " is called");
  }
  const std::string_view name = node(callable).bytes;
  if (is_replaced(name)) {
    return call_replacement(*this, name, tuple_of(arguments, "an argument list"));
  }
  if (name == "collections.OrderedDict") return ordered_dict(arguments);
  const NodeId id = add(PickleKind::object);
  node(id).callable = callable;
  node(id).arguments = arguments;
  return id;
}

/// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
NodeId PickleVm::ordered_dict(NodeId arguments) {
  const NodeId id = add(PickleKind::dict);
  const std::span<const NodeId> values = tuple_of(arguments, "an argument list");
  if (values.empty()) return id;
  for (const NodeId pair : tuple_of(values.front(), "the content of an OrderedDict")) {
    const std::span<const NodeId> entry = tuple_of(pair, "an entry of an OrderedDict");
    if (entry.size() != 2) corrupt("an entry of an OrderedDict is no pair");
    charge(4 * sizeof(NodeId));
    node(id).items.insert(node(id).items.end(), entry.begin(), entry.end());
  }
  return id;
}

void PickleVm::build(NodeId target, NodeId state) {
  switch (node(target).kind) {
    case PickleKind::array:
      return build_array(*this, target, state);
    case PickleKind::dtype:
      return build_dtype(*this, target, state);
    case PickleKind::object:
    case PickleKind::dict:
      node(target).state = state;
      return;
    default:
      corrupt("a " + std::string(pickle_kind_name(node(target).kind)) + " is given a state");
  }
}

void PickleVm::persistent(NodeId id) {
  if (!options_.persistent_ids) {
    unsupported("the pickle refers to data outside of it (a persistent id)",
                "such files must be opened through the program that wrote them, or converted to "
                "safetensors");
  }
  const NodeId reference = add(PickleKind::persistent);
  node(reference).callable = id;
  push(reference);
}

/// Refuses values that contain themselves or nest too deeply, so that users may recurse.
void PickleVm::check_depth() const {
  constexpr std::uint32_t kOpen = 0xffffffff;
  std::vector<std::uint32_t> heights(graph_.nodes.size());  // 0: not seen yet
  struct Frame {
    NodeId id;
    std::size_t next;
  };
  std::vector<Frame> path{{graph_.root, 0}};
  const auto child = [&](const Node& n, std::size_t i) {
    if (i < n.items.size()) return n.items[i];
    const NodeId links[] = {n.callable, n.arguments, n.state};
    return links[i - n.items.size()];
  };
  heights[graph_.root] = kOpen;
  while (!path.empty()) {
    Frame& frame = path.back();
    const Node& n = graph_.nodes[frame.id];
    if (frame.next < n.items.size() + 3) {
      const NodeId next = child(n, frame.next++);
      if (next == kNoNode) continue;
      if (heights[next] == kOpen) fail_corrupt(origin_, "a pickled value contains itself");
      if (heights[next] != 0) continue;
      heights[next] = kOpen;
      path.push_back({next, 0});
      continue;
    }
    std::uint32_t height = 1;
    for (std::size_t i = 0; i < n.items.size() + 3; ++i) {
      const NodeId next = child(n, i);
      if (next != kNoNode) height = std::max(height, heights[next] + 1);
    }
    if (height > options_.max_depth) {
      fail_corrupt(origin_, "the pickled value is nested more than " +
                                std::to_string(options_.max_depth) + " levels deep");
    }
    heights[frame.id] = height;
    path.pop_back();
  }
}

}  // namespace sosia::formats
