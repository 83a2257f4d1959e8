#include "gallery/sqlite.hpp"

#include <utility>

#include <sqlite3.h>

namespace sosia::gallery::sqlite {

namespace {

constexpr int kBusyTimeoutMs = 10'000;

[[noreturn]] void fail(sqlite3* connection, int result, const std::string& file,
                       std::string_view doing) {
  const int code = connection ? sqlite3_extended_errcode(connection) : result;
  const int primary = (code != SQLITE_OK ? code : result) & 0xff;
  const std::string reason = connection ? sqlite3_errmsg(connection) : sqlite3_errstr(result);
  const std::string message = std::string(doing) + ": " + reason;
  switch (primary) {
    case SQLITE_FULL:
      throw Error(ErrorCode::io, message, "free some space and run it again", file);
    case SQLITE_IOERR:
      throw Error(ErrorCode::io, message, "check the disk and its free space", file);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw Error(ErrorCode::io, message, "check the permissions of the file and its folder", file);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ErrorCode::conflict, message, "another process uses the gallery; try again",
                  file);
    case SQLITE_NOMEM:
      throw Error(ErrorCode::out_of_memory, message, {}, file);
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      throw Error(ErrorCode::internal, message, {}, file);
    case SQLITE_NOTADB:
      throw Error(ErrorCode::corrupt_data, "not a gallery: " + reason, {}, file);
    default:
      // The statements are fixed texts that fit the schema: when one is refused, the file's schema
      // or content is not what was written.
      throw Error(ErrorCode::corrupt_data, message, "restore it from a copy", file);
  }
}

}  // namespace

Statement::Statement(sqlite3* connection, std::string file, std::string_view sql)
    : file_(std::move(file)) {
  const int result = sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (result != SQLITE_OK) fail(connection, result, file_, "cannot read the gallery");
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), file_(std::move(other.file_)) {}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}

Statement& Statement::bind(int index, double value) {
  sqlite3_bind_double(statement_, index, value);
  return *this;
}

Statement& Statement::bind(int index, std::span<const std::byte> bytes) {
  // A null pointer would bind NULL: an empty blob is something else.
  static const std::byte kNothing{};
  const int result = sqlite3_bind_blob64(
      statement_, index, bytes.empty() ? &kNothing : bytes.data(), bytes.size(), SQLITE_STATIC);
  if (result != SQLITE_OK) fail(sqlite3_db_handle(statement_), result, file_, "cannot store");
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view text) {
  const int result = sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(),
                                         text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (result != SQLITE_OK) fail(sqlite3_db_handle(statement_), result, file_, "cannot store");
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  sqlite3* connection = sqlite3_db_handle(statement_);
  const bool reads = sqlite3_stmt_readonly(statement_) != 0;
  fail(connection, result, file_, reads ? "cannot read the gallery" : "cannot change the gallery");
}

void Statement::run() {
  try {
    while (step()) {
    }
  } catch (...) {
    sqlite3_reset(statement_);
    throw;
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(statement_);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::span<const std::byte> Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

std::string_view Statement::text(int column) const {
  const auto view = bytes(column);
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

Connection::Connection(const std::filesystem::path& path, Mode mode) : file_(path.string()) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  std::string name = path.string();
  switch (mode) {
    case Mode::read:
      // A reader that could not write would leave the journal's files behind. Where the file is
      // write-protected SQLite opens it for reading all the same.
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Mode::read_immutable: {
      std::string escaped;
      for (const char c : std::filesystem::absolute(path).string()) {
        if (c == '%' || c == '?' || c == '#') {
          static constexpr char kDigits[] = "0123456789abcdef";
          escaped += '%';
          escaped += kDigits[(static_cast<unsigned char>(c) >> 4) & 15];
          escaped += kDigits[static_cast<unsigned char>(c) & 15];
        } else {
          escaped += c;
        }
      }
      name = "file:" + escaped + "?immutable=1";
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      break;
    }
    case Mode::write:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Mode::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
  }
  const int result = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  try {
    if (result != SQLITE_OK) fail(handle_, result, file_, "cannot open the gallery");
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    // The file may come from anywhere: its schema gets no say beyond our own tables.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    execute("PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;");
    execute(mode == Mode::write || mode == Mode::create
                ? "PRAGMA secure_delete=ON; PRAGMA synchronous=FULL;"
                : "PRAGMA query_only=ON; PRAGMA synchronous=FULL;");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Connection::~Connection() {
  sqlite3_close_v2(handle_);
}

Connection::Connection(Connection&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)), file_(std::move(other.file_)) {}

void Connection::execute(const char* sql) {
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) fail(handle_, result, file_, "cannot use the gallery");
}

std::int64_t Connection::integer(std::string_view sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_);
}

Transaction::Transaction(Connection& connection, Kind kind) : connection_(connection) {
  connection_.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (!open_) return;
  // A statement that was left in the middle by an exception would keep its read lock.
  for (sqlite3_stmt* s = sqlite3_next_stmt(connection_.handle(), nullptr); s != nullptr;
       s = sqlite3_next_stmt(connection_.handle(), s)) {
    sqlite3_reset(s);
  }
  // Some failures have rolled back already; the error of a second time says nothing.
  sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace sosia::gallery::sqlite
