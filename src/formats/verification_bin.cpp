#include "sosia/formats/verification_bin.hpp"

#include "formats/bytes.hpp"

#include <limits>

namespace sosia::formats {

using namespace std::string_view_literals;

VerificationBin::VerificationBin(const std::filesystem::path& path) : pickle_(read_pickle(path)) {
  collect(path.string());
}

VerificationBin::VerificationBin(std::span<const std::byte> bytes, std::string_view origin)
    : pickle_(parse_pickle(bytes, origin)) {
  collect(origin);
}

namespace {

bool is_sequence(PickleNode node) {
  return node.is(PickleKind::list) || node.is(PickleKind::tuple) ||
         (node.is(PickleKind::array) && node.is_object_array());
}

std::span<const std::byte> image_bytes(PickleNode node) {
  if (!node.is(PickleKind::array)) return node.as_bytes();
  const ArrayView view = node.array_view();
  if (view.dtype != DType::u8) {
    throw Error(ErrorCode::corrupt_data, "the image is an array of " +
                                             std::string(dtype_name(view.dtype)) +
                                             ", not of encoded bytes");
  }
  return view.bytes;
}

std::vector<bool> labels(PickleNode node) {
  std::vector<bool> same;
  if (is_sequence(node)) {
    for (std::size_t i = 0; i < node.size(); ++i) same.push_back(node[i].as_boolean());
    return same;
  }
  for (const std::int64_t value : to_i64(node.array().view())) same.push_back(value != 0);
  return same;
}

}  // namespace

void VerificationBin::collect(std::string_view origin) {
  try {
    const PickleNode root = pickle_.root();
    if (!is_sequence(root) || root.size() != 2 || !is_sequence(root[0])) {
      throw Error(ErrorCode::corrupt_data, "a pair of image list and label list is wanted",
                  "this is probably no verification set");
    }
    const PickleNode images = root[0];
    same_ = labels(root[1]);
    if (images.size() != 2 * same_.size()) {
      throw Error(ErrorCode::corrupt_data, std::to_string(images.size()) + " images do not make " +
                                               std::to_string(same_.size()) + " pairs");
    }
    images_.reserve(images.size());
    for (std::size_t i = 0; i < images.size(); ++i) images_.push_back(image_bytes(images[i]));
  } catch (Error& error) {
    throw error.add_context(origin);
  }
}

std::span<const std::byte> VerificationBin::image(std::size_t index) const {
  if (index >= images_.size()) {
    throw Error(ErrorCode::invalid_argument, "there is no image " + std::to_string(index) +
                                                 "; the set has " + std::to_string(images_.size()));
  }
  return images_[index];
}

bool VerificationBin::same(std::size_t index) const {
  if (index >= same_.size()) {
    throw Error(ErrorCode::invalid_argument, "there is no pair " + std::to_string(index) +
                                                 "; the set has " + std::to_string(same_.size()));
  }
  return same_[index];
}

namespace {

/// Emits the few opcodes that a set needs. The memo is used as Python's pickler does: the three
/// NumPy names and the dtype are written once.
class SetPickler {
 public:
  explicit SetPickler(VerificationFlavour flavour) : numpy_(flavour == VerificationFlavour::numpy) {
    out_ = numpy_ ? "\x80\x03" : "\x80\x02";
  }

  void image(std::span<const std::byte> bytes) {
    if (bytes.size() > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorCode::invalid_argument, "an encoded image is larger than 2 GiB");
    }
    if (!numpy_) {
      out_ += 'T';  // BINSTRING
      append_le<std::uint32_t>(out_, static_cast<std::uint32_t>(bytes.size()));
      out_ += as_text(bytes);
      return;
    }
    // _reconstruct(ndarray, (0,), b'b')
    global(0, "numpy.core.multiarray\n_reconstruct\n");
    global(1, "numpy\nndarray\n");
    out_ +=
        "K\0\x85"
        "C\1b\x87R"sv;
    // state (1, (n,), dtype('u1'), False, data)
    out_ += "(K\1J"sv;
    append_le<std::uint32_t>(out_, static_cast<std::uint32_t>(bytes.size()));
    out_ += "\x85";
    dtype();
    out_ +=
        "\x89"
        "B";
    append_le<std::uint32_t>(out_, static_cast<std::uint32_t>(bytes.size()));
    out_ += as_text(bytes);
    out_ += "tb";
  }

  std::string finish(std::span<const std::span<const std::byte>> images,
                     const std::vector<bool>& same) {
    out_ += "](";  // list, mark
    for (const auto bytes : images) image(bytes);
    out_ += "e](";
    for (const bool s : same) out_ += s ? '\x88' : '\x89';
    out_ += "e\x86.";  // appends, tuple of two, stop
    return std::move(out_);
  }

 private:
  void put(std::uint8_t memo) { (out_ += 'q') += static_cast<char>(memo); }
  void get(std::uint8_t memo) { (out_ += 'h') += static_cast<char>(memo); }

  void global(std::uint8_t memo, std::string_view name) {
    if ((known_ & (1u << memo)) != 0) return get(memo);
    known_ |= 1u << memo;
    out_ += 'c';
    out_ += name;
    put(memo);
  }

  void dtype() {
    constexpr std::uint8_t kMemo = 2;
    if ((known_ & (1u << kMemo)) != 0) return get(kMemo);
    known_ |= 1u << kMemo;
    // dtype('u1', 0, 1) with state (3, '|', None, None, None, -1, -1, 0)
    out_ += "cnumpy\ndtype\nX\2\0\0\0u1K\0K\1\x87R"sv;
    put(kMemo);
    out_ += "(K\3X\1\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"sv;
  }

  bool numpy_;
  unsigned known_ = 0;
  std::string out_;
};

}  // namespace

std::string verification_bin_bytes(std::span<const std::span<const std::byte>> images,
                                   const std::vector<bool>& same, VerificationFlavour flavour) {
  if (images.size() != 2 * same.size()) {
    throw Error(ErrorCode::invalid_argument, std::to_string(images.size()) +
                                                 " images do not make " +
                                                 std::to_string(same.size()) + " pairs");
  }
  return SetPickler(flavour).finish(images, same);
}

void write_verification_bin(const std::filesystem::path& path,
                            std::span<const std::span<const std::byte>> images,
                            const std::vector<bool>& same, VerificationFlavour flavour,
                            Overwrite overwrite) {
  write_file(path, verification_bin_bytes(images, same, flavour), overwrite);
}

}  // namespace sosia::formats
