#include "tensor/pytorch_file.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/pickle.hpp"
#include "sosia/formats/zip.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

namespace sosia::tensor {

namespace {

using formats::PickleKind;
using formats::PickleNode;

constexpr std::pair<std::string_view, at::ScalarType> kStorages[] = {
    {"torch.FloatStorage", at::kFloat}, {"torch.DoubleStorage", at::kDouble},
    {"torch.HalfStorage", at::kHalf},   {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},   {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort}, {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},   {"torch.BoolStorage", at::kBool}};

// Inert beside the tensors: they only keep the pickle readable.
constexpr std::string_view kAllowed[] = {
    "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
    "torch.Size", "argparse.Namespace"};

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::corrupt_data, message);
}

class PytorchFile {
 public:
  explicit PytorchFile(const std::filesystem::path& path) : zip_(path) {
    const auto& entries = zip_.entries();
    const auto found = std::find_if(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.name == "data.pkl" || entry.name.ends_with("/data.pkl");
    });
    if (found == entries.end())
      fail("there is no data.pkl in the archive: torch.save did not write it");
    folder_ = found->name.substr(0, found->name.size() - std::string_view("data.pkl").size());
    if (zip_.find(folder_ + "constants.pkl") != nullptr) {
      throw Error(ErrorCode::unsupported, "this is a TorchScript program, not a checkpoint",
                  "save its weights with torch.save(model.state_dict(), ...)");
    }
    if (const auto* order = zip_.find(folder_ + "byteorder")) {
      const std::vector<std::byte> bytes = zip_.read(*order);
      if (std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) != "little") {
        throw Error(ErrorCode::unsupported, "the storages are not little-endian");
      }
    }
    pickle_ = zip_.read(*found);
  }

  NamedTensors read(std::string_view section) {
    formats::PickleOptions options;
    options.allow.assign(std::begin(kAllowed), std::end(kAllowed));
    for (const auto& [name, type] : kStorages) options.allow.emplace_back(name);
    options.persistent_ids = true;
    const formats::Pickle pickle = formats::parse_pickle(pickle_, folder_ + "data.pkl", options);
    NamedTensors out;
    const PickleNode dict = choose(pickle.root(), section);
    for (std::size_t i = 0; i < dict.size(); ++i) {
      const auto [key, value] = dict.entry(i);
      if (is_tensor(value)) out.emplace_back(std::string(key.as_text()), tensor(value));
    }
    return out;
  }

 private:
  static bool is_dict(const PickleNode& node) {
    return node.is(PickleKind::dict) ||
           (node.is(PickleKind::object) && node.name() == "collections.OrderedDict");
  }
  static bool is_tensor(const PickleNode& node) {
    return node.is(PickleKind::object) && node.name().starts_with("torch._utils._rebuild_");
  }
  static bool has_tensors(const PickleNode& node) {
    if (!is_dict(node)) return false;
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (is_tensor(node.entry(i).second)) return true;
    }
    return false;
  }

  static PickleNode choose(const PickleNode& root, std::string_view section) {
    if (!is_dict(root)) {
      fail("the file holds a " + std::string(formats::pickle_kind_name(root.kind())) +
           ", not a dictionary of tensors");
    }
    if (section.empty() && has_tensors(root)) return root;
    std::vector<std::string> names;
    std::optional<PickleNode> found;
    for (std::size_t i = 0; i < root.size(); ++i) {
      const auto [key, value] = root.entry(i);
      if (!key.is(PickleKind::text) || !has_tensors(value)) continue;
      names.push_back(quote(key.as_text()));
      if (section.empty() || key.as_text() == section) found = value;
    }
    if (found && (names.size() == 1 || !section.empty())) return *found;
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    if (names.empty()) fail("the file holds no dictionary of tensors");
    throw Error(ErrorCode::invalid_argument,
                section.empty() ? "the file holds several dictionaries of tensors: " + known
                                : "there is no section " + quote(section) + "; there are " + known,
                "name one of them as the section");
  }

  // A storage: its bytes stay in `storages_`, since tensors may share one.
  const at::Tensor& storage(const PickleNode& reference) {
    const PickleNode id = reference.persistent_id();
    if (!id.is(PickleKind::tuple) || id.size() < 5 || id[0].as_text() != "storage") {
      fail("a reference to something else than a storage");
    }
    const std::string key(id[2].as_text());
    if (const auto known = storages_.find(key); known != storages_.end()) return known->second;
    const std::string_view name = id[1].name();
    const auto* type = std::find_if(std::begin(kStorages), std::end(kStorages),
                                    [&](const auto& row) { return row.first == name; });
    if (type == std::end(kStorages)) fail(quote(name) + " is no kind of storage");
    const auto* entry = zip_.find(folder_ + "data/" + key);
    if (entry == nullptr) fail("the storage " + quote(key) + " is missing");
    const std::vector<std::byte> bytes = zip_.read(*entry);
    const std::size_t item = c10::elementSize(type->second);
    const std::int64_t count = id[4].as_integer();
    if (count < 0 || bytes.size() / item != static_cast<std::size_t>(count) ||
        bytes.size() % item != 0) {
      fail("the storage " + quote(key) + " holds " + std::to_string(bytes.size()) +
           " bytes instead of " + std::to_string(count) + " elements");
    }
    at::Tensor out = at::empty({count}, type->second);
    if (!bytes.empty()) std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
    return storages_.emplace(key, std::move(out)).first->second;
  }

  at::Tensor tensor(const PickleNode& node) {
    const PickleNode arguments = node.arguments();
    if (node.name() == "torch._utils._rebuild_parameter") return tensor(arguments[0]);
    const at::Tensor& from = storage(arguments[0]);
    const std::int64_t offset = arguments[1].as_integer();
    const std::vector<std::int64_t> shape = integers(arguments[2]),
                                    strides = integers(arguments[3]);
    if (shape.size() != strides.size() || offset < 0) fail("a tensor whose shape makes no sense");
    // No element may lie outside of the storage, and no small storage may spread into a large
    // tensor.
    std::int64_t count = 1, last = offset;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] < 0 || strides[i] < 0) fail("a tensor with a negative side or stride");
      if (__builtin_mul_overflow(count, shape[i], &count)) fail("a tensor that is too large");
      std::int64_t reach = 0;
      if (shape[i] > 0 && (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) ||
                           __builtin_add_overflow(last, reach, &last))) {
        fail("a tensor that is too large");
      }
    }
    if (count > 0 && (last >= from.numel() || count > from.numel())) {
      fail("a tensor reaches beyond its storage");
    }
    return from.as_strided(shape, strides, offset).contiguous().clone();
  }

  static std::vector<std::int64_t> integers(const PickleNode& node) {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < node.size(); ++i) out.push_back(node[i].as_integer());
    return out;
  }

  formats::ZipReader zip_;
  std::string folder_;
  std::vector<std::byte> pickle_;
  std::map<std::string, at::Tensor> storages_;
};

}  // namespace

NamedTensors read_pytorch_file(const std::filesystem::path& path, std::string_view section) {
  try {
    return PytorchFile(path).read(section);
  } catch (Error& error) {
    throw error.add_context(path.string());
  }
}

}  // namespace sosia::tensor
