#include "formats/bytes.hpp"
#include "formats/npy_dtype.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/npy.hpp"

#include <algorithm>
#include <limits>

namespace sosia::formats {

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kHeaderCapBytes = 65536;  // numpy itself stops at 10,000

struct DTypeCode {
  std::string_view code;
  DType type;
};

constexpr DTypeCode kCodes[] = {
    {"b1", DType::boolean}, {"?", DType::boolean}, {"u1", DType::u8},  {"i1", DType::i8},
    {"B", DType::u8},       {"b", DType::i8},      {"u2", DType::u16}, {"i2", DType::i16},
    {"u4", DType::u32},     {"i4", DType::i32},    {"u8", DType::u64}, {"i8", DType::i64},
    {"f2", DType::f16},     {"f4", DType::f32},    {"f8", DType::f64}, {"c8", DType::c64},
};

/// The Python literal of the head: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderDict {
 public:
  HeaderDict(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  void parse(NpyHeader& header) {
    expect('{');
    bool seen[3] = {};
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !seen[0]) {
        seen[0] = true;
        descr(header);
      } else if (key == "fortran_order" && !seen[1]) {
        seen[1] = true;
        header.fortran_order = boolean();
      } else if (key == "shape" && !seen[2]) {
        seen[2] = true;
        header.shape = tuple();
      } else {
        fail("unexpected or repeated key " + quote(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blank();
    if (at_ != text_.size()) fail("text after the dictionary");
    if (!seen[0] || !seen[1] || !seen[2]) fail("descr, fortran_order and shape must all be there");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    fail_corrupt(origin_, "the npy header " + quote(text_, 120) + " is malformed: " + what);
  }

  void skip_blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) {
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
    if (!accept(c)) fail(std::string("'") + c + "' is missing at column " + std::to_string(at_));
  }

  std::string_view string() {
    const char mark = accept('"') ? '"' : '\'';
    if (mark == '\'') expect('\'');
    const std::size_t end = text_.find(mark, at_);
    if (end == std::string_view::npos) fail("a quote is not closed");
    const std::string_view value = text_.substr(at_, end - at_);
    if (value.find('\\') != std::string_view::npos) fail("an escape in a name");
    at_ = end + 1;
    return value;
  }

  bool word(std::string_view wanted) {
    skip_blank();
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  bool boolean() {
    if (word("True")) return true;
    if (!word("False")) fail("fortran_order must be True or False");
    return false;
  }

  std::size_t integer() {
    skip_blank();
    const std::size_t start = at_;
    std::size_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      const auto digit = static_cast<std::size_t>(text_[at_] - '0');
      if (!multiply_sizes(value, 10, value) || value > kMaxExtent - digit) {
        fail("an extent is too large");
      }
      value += digit;
    }
    if (at_ == start) fail("an extent is not a number");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 long
    return value;
  }

  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(integer());
      if (values.size() > kNpyMaxDimensions) fail("more than 64 dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  void descr(NpyHeader& header) {
    skip_blank();
    if (at_ < text_.size() && text_[at_] == '[') {
      fail_unsupported(origin_, "the array has a structured dtype",
                       "save each field as an array of its own");
    }
    const NpyDType type = parse_npy_dtype(string(), origin_);
    header.dtype = type.type;
    header.object = type.object;
    header.big_endian = type.big_endian;
  }

  static constexpr std::size_t kMaxExtent =
      static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());

  std::string_view text_;
  std::string_view origin_;
  std::size_t at_ = 0;
};

}  // namespace

NpyDType parse_npy_dtype(std::string_view code, std::string_view origin) {
  NpyDType out;
  std::string_view body = code;
  if (!body.empty() && std::string_view("<>|=").find(body.front()) != std::string_view::npos) {
    out.big_endian = body.front() == '>';
    body.remove_prefix(1);
  }
  if (body == "O" || body == "O8") {
    out.object = true;
    return out;
  }
  for (const DTypeCode& row : kCodes) {
    if (row.code != body) continue;
    out.type = row.type;
    if (item_size(out.type) == 1) out.big_endian = false;
    return out;
  }
  fail_unsupported(origin, "the dtype " + quote(code) + " is not read here",
                   "convert the array to a plain number type, for example with astype('float32')");
}

std::string_view npy_dtype_code(DType type) {
  switch (type) {
    case DType::boolean:
      return "|b1";
    case DType::u8:
      return "|u1";
    case DType::i8:
      return "|i1";
    case DType::u16:
      return "<u2";
    case DType::i16:
      return "<i2";
    case DType::u32:
      return "<u4";
    case DType::i32:
      return "<i4";
    case DType::u64:
      return "<u8";
    case DType::i64:
      return "<i8";
    case DType::f16:
      return "<f2";
    case DType::f32:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::c64:
      return "<c8";
    case DType::bf16:
    case DType::f8_e4m3:
    case DType::f8_e5m2:
    case DType::f8_e8m0:
      break;
  }
  throw Error(ErrorCode::unsupported, "numpy has no dtype for " + std::string(dtype_name(type)),
              "convert the array to f32 first, or write a safetensors file");
}

std::size_t array_bytes(DType type, std::span<const std::size_t> shape, std::string_view origin) {
  std::size_t bytes = item_size(type);
  for (const std::size_t extent : shape) {
    if (!multiply_sizes(bytes, extent, bytes)) {
      fail_corrupt(origin, "the shape " + shape_text(shape) + " overflows");
    }
  }
  return bytes;
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view origin) {
  if (!as_text(bytes).starts_with(kMagic)) {
    fail_corrupt(origin, "this is no npy file: it does not start with \\x93NUMPY");
  }
  ByteCursor cursor(bytes, origin);
  cursor.seek(kMagic.size());
  const auto major = cursor.read<std::uint8_t>("the npy version");
  const auto minor = cursor.read<std::uint8_t>("the npy version");
  if (major < 1 || major > 3 || minor != 0) {
    fail_unsupported(origin, "npy version " + std::to_string(major) + "." + std::to_string(minor) +
                                 " is not known; versions 1.0 to 3.0 are");
  }
  const std::size_t length = major == 1 ? cursor.read<std::uint16_t>("the npy header length")
                                        : cursor.read<std::uint32_t>("the npy header length");
  if (length > kHeaderCapBytes) {
    fail_corrupt(origin, "the npy header claims " + std::to_string(length) +
                             " bytes; it never takes more than " + std::to_string(kHeaderCapBytes));
  }
  NpyHeader header;
  HeaderDict(as_text(cursor.take(length, "the npy header")), origin).parse(header);
  header.data_offset = cursor.position();
  if (header.object) return header;
  const std::size_t wanted = array_bytes(header.dtype, header.shape, origin);
  if (wanted != cursor.remaining()) {
    fail_corrupt(origin,
                 "an array of " + std::string(dtype_name(header.dtype)) + " " +
                     shape_text(header.shape) + " takes " + std::to_string(wanted) +
                     " bytes, but " + std::to_string(cursor.remaining()) + " follow the header",
                 "the file may be cut short; copy it again");
  }
  return header;
}

}  // namespace sosia::formats
