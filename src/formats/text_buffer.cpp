#include "formats/text_buffer.hpp"

#include "formats/bytes.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sosia::formats {

namespace {

constexpr std::size_t kFirstCapacity = std::size_t{1} << 20;
constexpr std::size_t kRawChunk = std::size_t{1} << 16;
// One raw byte of windows-1252, or half a unit of UTF-16, becomes at most three bytes.
constexpr std::size_t kMaxExpansion = 3;

Error system_error(std::string_view verb, const std::string& path, int number) {
  if (number == ENOENT) {
    return Error(ErrorCode::not_found, quote(path, 200) + " does not exist",
                 "check the spelling and the folder you are in");
  }
  return Error(ErrorCode::io, "cannot " + std::string(verb) + " " + quote(path, 200) + ": " +
                                  std::generic_category().message(number));
}

/// Code points of the bytes 0x80 to 0x9f in windows-1252; the five unassigned ones map to the
/// control characters of the same number, as in the WHATWG Encoding Standard.
constexpr char16_t kWindows1252[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

constexpr int kInvalid = 0;
constexpr int kIncomplete = -1;

/// Length of the UTF-8 sequence at `p` (2 to 4), kInvalid, or kIncomplete when the text ends inside
/// a sequence that is valid so far.
int sequence_length(const char* p, const char* end) {
  const auto at = [&](int k) { return static_cast<unsigned char>(p[k]); };
  const unsigned char lead = at(0);
  if (lead < 0xc2 || lead > 0xf4) return kInvalid;
  const int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const int present = static_cast<int>(std::min<std::ptrdiff_t>(length, end - p));
  for (int k = 1; k < present; ++k) {
    if ((at(k) & 0xc0) != 0x80) return kInvalid;
  }
  if (present >= 2) {  // overlong forms, surrogates, beyond U+10FFFF
    const unsigned char second = at(1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return kInvalid;
    }
  }
  return present < length ? kIncomplete : length;
}

const char* skip_ascii(const char* p, const char* end) {
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  while (end - p >= 32) {
    std::uint64_t words[4];
    std::memcpy(words, p, sizeof(words));
    if (((words[0] | words[1] | words[2] | words[3]) & kHigh) != 0) break;
    p += 32;
  }
  while (p < end && static_cast<unsigned char>(*p) < 0x80) ++p;
  return p;
}

}  // namespace

std::string_view encoding_name(TextEncoding encoding) {
  switch (encoding) {
    case TextEncoding::utf8:
      return "UTF-8";
    case TextEncoding::utf8_bom:
      return "UTF-8 with byte order mark";
    case TextEncoding::utf16le:
      return "UTF-16LE";
    case TextEncoding::utf16be:
      return "UTF-16BE";
    case TextEncoding::windows1252:
      return "windows-1252";
  }
  return "unknown";
}

std::uint64_t count_line_ends(const char* begin, const char* end) {
  std::uint64_t lines = 0;
  for (const char* p = begin; p < end; ++p) {
    lines += *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
  }
  return lines;
}

ByteInput::ByteInput(const std::filesystem::path& path) : path_(path.string()) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw system_error("open", path_, errno);
  struct stat info{};
  if (::fstat(descriptor_, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(std::exchange(descriptor_, -1));
    throw system_error("read", path_, EISDIR);
  }
}

ByteInput::~ByteInput() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t ByteInput::expected_bytes() const {
  return descriptor_ >= 0 ? kFirstCapacity : memory_.size();
}

std::size_t ByteInput::read(std::span<char> out) {
  if (descriptor_ < 0) {
    const std::size_t n = std::min(out.size(), memory_.size());
    if (n > 0) std::memcpy(out.data(), memory_.data(), n);
    memory_ = memory_.subspan(n);
    return n;
  }
  std::size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t n = ::read(descriptor_, out.data() + filled, out.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error("read", path_, errno);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  return filled;
}

TextBuffer::TextBuffer(const std::filesystem::path& path, std::optional<TextEncoding> encoding)
    : input_(path),
      origin_(path.string()),
      encoding_(encoding.value_or(TextEncoding::utf8)),
      detecting_(!encoding.has_value()) {}

TextBuffer::TextBuffer(std::span<const std::byte> bytes, std::string origin,
                       std::optional<TextEncoding> encoding)
    : input_(bytes),
      origin_(std::move(origin)),
      encoding_(encoding.value_or(TextEncoding::utf8)),
      detecting_(!encoding.has_value()) {}

void TextBuffer::fail_at(const char* bad, std::uint64_t line, const std::string& what) const {
  const std::uint64_t at = line + count_line_ends(buffer_.get(), bad);
  fail_corrupt(origin_ + ": line " + std::to_string(at), what,
               "save the file as UTF-8, or state its encoding");
}

/// Reads the byte order mark, if any.
void TextBuffer::start() {
  started_ = true;
  raw_.resize(4);
  raw_.resize(input_.read(raw_));
  const std::string_view first = raw_;
  const bool utf8 = encoding_ == TextEncoding::utf8 || encoding_ == TextEncoding::utf8_bom;
  if (detecting_ && (first == std::string_view("\xff\xfe\0\0", 4) ||
                     first == std::string_view("\0\0\xfe\xff", 4))) {
    fail_unsupported(origin_, "the text is UTF-32", "save the file as UTF-8");
  }
  if (utf8 && first.starts_with("\xef\xbb\xbf")) {
    encoding_ = TextEncoding::utf8_bom;
    detecting_ = false;
    raw_at_ = 3;
  } else if (first.starts_with("\xff\xfe") && (detecting_ || encoding_ == TextEncoding::utf16le)) {
    encoding_ = TextEncoding::utf16le;
    detecting_ = false;
    raw_at_ = 2;
  } else if (first.starts_with("\xfe\xff") && (detecting_ || encoding_ == TextEncoding::utf16be)) {
    encoding_ = TextEncoding::utf16be;
    detecting_ = false;
    raw_at_ = 2;
  }
}

void TextBuffer::make_room(std::size_t kept) {
  // At least half of the buffer must be free, so that a record costs linear time to assemble.
  if (capacity_ > 0 && kept <= capacity_ / 2) return;
  const std::size_t first =
      std::min(kFirstCapacity, input_.expected_bytes() + raw_.size()) * kMaxExpansion + 16;
  const std::size_t wanted = capacity_ == 0 ? std::min(first, kFirstCapacity) : capacity_ * 2;
  auto larger = std::make_unique_for_overwrite<char[]>(wanted + 1);  // one for the sentinel
  if (kept > 0) std::memcpy(larger.get(), buffer_.get(), kept);
  buffer_ = std::move(larger);
  capacity_ = wanted;
}

void TextBuffer::refill(const char* keep, std::uint64_t line) {
  if (!started_) {
    start();
    make_room(0);
  } else {
    const std::size_t kept = static_cast<std::size_t>(end() - keep);
    if (kept > 0) std::memmove(buffer_.get(), keep, kept);
    size_ = kept;
    make_room(kept);
  }
  const std::size_t before = size_;
  while (size_ == before && !ended_) {
    if (encoding_ == TextEncoding::utf8 || encoding_ == TextEncoding::utf8_bom) {
      add_utf8(line);
    } else {
      add_transcoded(line);
    }
  }
  buffer_[size_] = '\n';
}

void TextBuffer::add_utf8(std::uint64_t line) {
  // Undecoded bytes are at most the first four, or the beginning of a sequence.
  char* const from = end();
  const std::size_t pending = raw_.size() - raw_at_;
  std::memcpy(from, raw_.data() + raw_at_, pending);
  raw_.clear();
  raw_at_ = 0;
  const std::size_t free = capacity_ - size_ - pending;
  const std::size_t got = input_.read({from + pending, free});
  input_ended_ = got < free;
  char* const stop = from + pending + got;
  char* p = from;
  for (;;) {
    p = const_cast<char*>(skip_ascii(p, stop));
    if (p == stop) break;
    const int length = sequence_length(p, stop);
    if (length == kIncomplete && !input_ended_) {
      raw_.assign(p, stop);
      break;
    }
    if (length <= 0) {
      leave_utf8(p, stop, line);
      break;
    }
    multibyte_seen_ = true;
    p += length;
  }
  size_ = static_cast<std::size_t>(p - buffer_.get());
  ended_ = input_ended_ && raw_.empty();
}

/// At a byte that is not UTF-8: goes over to windows-1252 when nothing speaks against it.
void TextBuffer::leave_utf8(char* bad, char* end, std::uint64_t line) {
  std::size_t valid = 0;
  std::size_t invalid = 0;
  for (const char* p = bad; p < end;) {
    p = skip_ascii(p, end);
    if (p == end) break;
    const int length = sequence_length(p, end);
    valid += length > 0;
    invalid += length <= 0;
    p += std::max(length, 1);
  }
  if (!detecting_ || multibyte_seen_ || valid > invalid) {
    const auto byte = static_cast<unsigned>(static_cast<unsigned char>(*bad));
    constexpr char kDigits[] = "0123456789abcdef";
    fail_at(bad, line,
            std::string("the byte 0x") + kDigits[byte >> 4] + kDigits[byte & 15] + " is not UTF-8");
  }
  encoding_ = TextEncoding::windows1252;
  detecting_ = false;
  raw_.assign(bad, end);
  raw_at_ = 0;
}

/// Makes at least one undecoded byte present, keeping those that are; false when none is left.
bool TextBuffer::fill_raw() {
  if (raw_.size() - raw_at_ >= 4 || input_ended_) return raw_at_ < raw_.size();
  raw_.erase(0, raw_at_);
  raw_at_ = 0;
  const std::size_t pending = raw_.size();
  raw_.resize(pending + kRawChunk);
  const std::size_t got = input_.read(std::span(raw_.data() + pending, kRawChunk));
  raw_.resize(pending + got);
  input_ended_ = got < kRawChunk;
  return !raw_.empty();
}

void TextBuffer::add_transcoded(std::uint64_t line) {
  if (!fill_raw()) {
    ended_ = true;
    return;
  }
  const std::size_t room = (capacity_ - size_) / kMaxExpansion;
  const std::size_t take = std::min(raw_.size() - raw_at_, room);
  char* out = end();
  if (encoding_ == TextEncoding::windows1252) {
    for (const std::size_t stop = raw_at_ + take; raw_at_ < stop; ++raw_at_) {
      const auto byte = static_cast<unsigned char>(raw_[raw_at_]);
      out += encode_utf8(byte >= 0x80 && byte < 0xa0 ? kWindows1252[byte - 0x80] : byte, out);
    }
  } else {
    out += transcode_utf16(out, take / 2, line);
  }
  size_ = static_cast<std::size_t>(out - buffer_.get());
}

/// Decodes at most `units` UTF-16 units; a surrogate pair that is cut waits for more input.
std::size_t TextBuffer::transcode_utf16(char* const out, std::size_t units, std::uint64_t line) {
  const auto unit = [&](std::size_t at) {
    const auto a = static_cast<unsigned char>(raw_[at]);
    const auto b = static_cast<unsigned char>(raw_[at + 1]);
    return static_cast<char32_t>(encoding_ == TextEncoding::utf16le ? a | (b << 8) : (a << 8) | b);
  };
  char* to = out;
  if (units == 0) fail_at(to, line, "the UTF-16 text ends with half a character");
  for (const std::size_t stop = raw_at_ + units * 2; raw_at_ < stop;) {
    char32_t point = unit(raw_at_);
    std::size_t used = 2;
    if (point >= 0xd800 && point < 0xdc00) {
      if (raw_at_ + 4 > raw_.size()) {
        if (input_ended_) fail_at(to, line, "the UTF-16 text ends with half a character");
        break;
      }
      const char32_t low = unit(raw_at_ + 2);
      if (low < 0xdc00 || low > 0xdfff) fail_at(to, line, "the UTF-16 text holds half a character");
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      used = 4;
    } else if (point >= 0xdc00 && point <= 0xdfff) {
      fail_at(to, line, "the UTF-16 text holds half a character");
    }
    to += encode_utf8(point, to);
    raw_at_ += used;
  }
  return static_cast<std::size_t>(to - out);
}

}  // namespace sosia::formats
