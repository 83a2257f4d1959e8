#pragma once
// Text of any supported encoding, streamed as UTF-8 through one growing buffer.

#include "sosia/formats/csv.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sosia::formats {

/// Raw bytes from a file or from memory.
class ByteInput {
 public:
  explicit ByteInput(const std::filesystem::path& path);
  explicit ByteInput(std::span<const std::byte> bytes) : memory_(bytes) {}
  ~ByteInput();
  ByteInput(ByteInput&&) = delete;

  /// Fills `out` as far as the input lasts; fewer bytes mean its end.
  std::size_t read(std::span<char> out);
  /// What is left of a buffer, or a guess for files.
  std::size_t expected_bytes() const;

 private:
  int descriptor_ = -1;
  std::string path_;
  std::span<const std::byte> memory_;
};

/// The UTF-8 text [begin, end) that is present now, followed by a line feed as sentinel. `refill`
/// drops what has been consumed and adds more.
class TextBuffer {
 public:
  TextBuffer(const std::filesystem::path& path, std::optional<TextEncoding> encoding);
  TextBuffer(std::span<const std::byte> bytes, std::string origin,
             std::optional<TextEncoding> encoding);

  const std::string& origin() const { return origin_; }
  TextEncoding encoding() const { return encoding_; }
  char* begin() { return buffer_.get(); }
  char* end() { return buffer_.get() + size_; }
  /// No more text will come.
  bool ended() const { return ended_; }

  /// Moves [keep, end) to the front and adds at least one byte unless the input has ended. `line`
  /// is the line number at `keep`, for errors. All pointers into the buffer become invalid.
  void refill(const char* keep, std::uint64_t line);

 private:
  void start();
  void make_room(std::size_t kept);
  void add_utf8(std::uint64_t line);
  void add_transcoded(std::uint64_t line);
  bool fill_raw();
  std::size_t transcode_utf16(char* out, std::size_t units, std::uint64_t line);
  void leave_utf8(char* bad, char* end, std::uint64_t line);
  [[noreturn]] void fail_at(const char* bad, std::uint64_t line, const std::string& what) const;

  ByteInput input_;
  std::string origin_;
  TextEncoding encoding_ = TextEncoding::utf8;
  bool detecting_ = true;  // the encoding may still turn out to be windows-1252
  bool multibyte_seen_ = false;
  bool started_ = false;
  bool input_ended_ = false;
  bool ended_ = false;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::string raw_;  // bytes read but not yet decoded
  std::size_t raw_at_ = 0;
};

/// Lines that start in [begin, end), counting LF, CRLF and CR once each.
std::uint64_t count_line_ends(const char* begin, const char* end);

}  // namespace sosia::formats
