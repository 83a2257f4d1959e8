#include "formats/safetensors_header.hpp"

#include "formats/bytes.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia::formats {

namespace {

constexpr std::size_t kMaxDimensions = 64;  // as PyTorch

struct DTypeName {
  std::string_view name;
  DType type;
};

constexpr DTypeName kNames[] = {
    {"BOOL", DType::boolean},    {"U8", DType::u8},           {"I8", DType::i8},
    {"F8_E5M2", DType::f8_e5m2}, {"F8_E4M3", DType::f8_e4m3}, {"F8_E8M0", DType::f8_e8m0},
    {"I16", DType::i16},         {"U16", DType::u16},         {"F16", DType::f16},
    {"BF16", DType::bf16},       {"I32", DType::i32},         {"U32", DType::u32},
    {"F32", DType::f32},         {"C64", DType::c64},         {"F64", DType::f64},
    {"I64", DType::i64},         {"U64", DType::u64},
};

class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  SafetensorsHeader parse() {
    SafetensorsHeader header;
    if (!text_.starts_with('{')) fail("it must start with '{'");
    bool metadata_seen = false;
    object([&](std::string name) {
      if (name == "__metadata__") {
        if (std::exchange(metadata_seen, true)) fail("__metadata__ appears twice");
        object([&](std::string key) { header.metadata.emplace_back(std::move(key), string()); });
      } else {
        header.tensors.push_back(tensor(std::move(name)));
      }
    });
    skip_blank();
    if (at_ != text_.size()) fail("text follows the closing brace");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    fail_corrupt(origin_,
                 "the safetensors header is malformed at byte " + std::to_string(at_) + ": " + what,
                 "the file is damaged, or no safetensors file at all");
  }

  void skip_blank() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool accept(char c) {
    skip_blank();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(std::string("'") + c + "' is missing");
  }

  /// { "key": <member reads the value> , ... }
  template <class Member>
  void object(Member member) {
    expect('{');
    if (accept('}')) return;
    do {
      std::string key = string();
      expect(':');
      member(std::move(key));
    } while (accept(','));
    expect('}');
  }

  template <class Item>
  void list(Item item) {
    expect('[');
    if (accept(']')) return;
    do {
      item();
    } while (accept(','));
    expect(']');
  }

  TensorInfo tensor(std::string name) {
    TensorInfo info;
    info.name = std::move(name);
    bool seen[3] = {};
    object([&](const std::string& key) {
      const std::size_t field = key == "dtype"          ? 0
                                : key == "shape"        ? 1
                                : key == "data_offsets" ? 2
                                                        : 3;
      if (field == 3)
        fail("the tensor " + quote(info.name) + " has an unknown field " + quote(key));
      if (std::exchange(seen[field], true)) {
        fail("the tensor " + quote(info.name) + " states " + key + " twice");
      }
      if (field == 0) info.dtype = dtype(info.name);
      if (field == 1) info.shape = shape(info.name);
      if (field == 2) offsets(info);
    });
    if (!seen[0] || !seen[1] || !seen[2]) {
      fail("the tensor " + quote(info.name) + " must state dtype, shape and data_offsets");
    }
    return info;
  }

  DType dtype(const std::string& name) {
    const std::string text = string();
    for (const DTypeName& row : kNames) {
      if (row.name == text) return row.type;
    }
    fail_unsupported(origin_, "the tensor " + quote(name) + " has dtype " + quote(text) +
                                  ", which is not known here");
  }

  std::vector<std::size_t> shape(const std::string& name) {
    std::vector<std::size_t> extents;
    list([&] {
      if (extents.size() == kMaxDimensions) {
        fail("the tensor " + quote(name) + " has more than 64 dimensions");
      }
      extents.push_back(integer());
    });
    return extents;
  }

  void offsets(TensorInfo& info) {
    expect('[');
    info.begin = integer();
    expect(',');
    info.end = integer();
    expect(']');
  }

  std::size_t integer() {
    skip_blank();
    const std::size_t start = at_;
    std::size_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (!multiply_sizes(value, 10, value) ||
          !add_sizes(value, static_cast<std::size_t>(text_[at_] - '0'), value)) {
        fail("a number is too large");
      }
    }
    if (at_ == start) fail("a number without sign, point or exponent is wanted");
    if (text_[start] == '0' && at_ - start > 1) fail("a number starts with 0");
    return value;
  }

  std::string string() {
    expect('"');
    std::string out;
    for (;;) {
      const std::size_t end = text_.find_first_of("\"\\", at_);
      if (end == std::string_view::npos) fail("a string is not closed");
      const std::string_view plain = text_.substr(at_, end - at_);
      if (std::any_of(plain.begin(), plain.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
        fail("a control character in a string");
      }
      out += plain;
      at_ = end + 1;
      if (text_[end] == '"') return out;
      escape(out);
    }
  }

  void escape(std::string& out) {
    constexpr std::string_view kMarks = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) fail("a string is not closed");
    const char mark = text_[at_++];
    if (const std::size_t i = kMarks.find(mark); i != std::string_view::npos) {
      out += kValues[i];
      return;
    }
    if (mark != 'u') fail("an unknown escape in a string");
    char32_t point = hex4();
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const char32_t low = hex4();
      if (low < 0xdc00 || low > 0xdfff) fail("half a surrogate pair in a string");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (point >= 0xd800 && point <= 0xdfff) {
      fail("half a surrogate pair in a string");
    }
    char utf8[4];
    out.append(utf8, encode_utf8(point, utf8));
  }

  char32_t hex4() {
    char32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("a \\u escape needs four hexadecimal digits");
      value = value * 16 + static_cast<char32_t>(digit);
    }
    return value;
  }

  std::string_view text_;
  std::string_view origin_;
  std::size_t at_ = 0;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view origin) {
  if (!valid_utf8(text)) {
    fail_corrupt(origin, "the safetensors header is not UTF-8",
                 "the file is damaged, or no safetensors file at all");
  }
  return HeaderParser(text, origin).parse();
}

std::string_view safetensors_dtype_name(DType type) {
  const auto* row = std::find_if(std::begin(kNames), std::end(kNames),
                                 [&](const DTypeName& r) { return r.type == type; });
  return row->name;
}

}  // namespace sosia::formats
