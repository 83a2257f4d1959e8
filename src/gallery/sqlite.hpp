#pragma once
// SQLite behind two value-like classes: a connection and a prepared statement. Every failure
// becomes a `sosia::Error` with the file in its context.

#include "sosia/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sosia::gallery::sqlite {

/// A prepared statement. Columns count from 0, parameters from 1. Spans of columns are valid until
/// the next step or reset. Thread-safety: that of its connection.
class Statement {
 public:
  Statement(sqlite3* connection, std::string file, std::string_view sql);
  ~Statement();
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) = delete;

  /// Bound bytes and texts must outlive the next `step` or `run`.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::span<const std::byte> bytes);
  Statement& bind_text(int index, std::string_view text);
  Statement& bind_null(int index);
  template <class T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind_null(index);
  }

  /// True when there is a row.
  bool step();
  /// Steps to the end and resets.
  void run();
  void reset();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  /// The bytes of a blob or text; empty for NULL.
  std::span<const std::byte> bytes(int column) const;
  std::string_view text(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
  std::string file_;
};

enum class Mode : std::uint8_t {
  read,            ///< changes nothing but the journal, which the last one to leave empties
  read_immutable,  ///< no lock and no journal: for a folder that cannot be written
  write,
  create,
};

/// A connection with the settings that all connections of a gallery share. Thread-safety: none.
class Connection {
 public:
  Connection(const std::filesystem::path& path, Mode mode);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;

  /// Runs statements without results.
  void execute(const char* sql);
  Statement prepare(std::string_view sql) { return Statement(handle_, file_, sql); }
  /// The only value of the only row.
  std::int64_t integer(std::string_view sql);
  /// Number of rows that the last statement changed.
  std::int64_t changes() const;
  sqlite3* handle() const noexcept { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  std::string file_;
};

/// A transaction that is rolled back unless it was committed.
class Transaction {
 public:
  enum class Kind : std::uint8_t { read, write };
  Transaction(Connection& connection, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace sosia::gallery::sqlite
