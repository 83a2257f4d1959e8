#include "gallery/pair_file.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/value.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace sosia::gallery {
namespace {

constexpr std::string_view kSchema = "sosia.gallery.dedupe.partial/1";

}  // namespace

PairFile::PairFile(std::filesystem::path out, std::string key)
    : partial_(out), progress_(out), key_(std::move(key)) {
  partial_ += ".partial";
  progress_ += ".partial.json";
  static_assert(sizeof(Record) == 12);
  if (!take_up()) start();
}

void PairFile::fail(const char* doing) const {
  throw Error(ErrorCode::io, std::string("cannot ") + doing + ": " + std::strerror(errno),
              "is the disk full?", partial_.string());
}

// What cannot be read, or is of other work, is no error: the work is done anew.
bool PairFile::take_up() {
  std::uint64_t bytes = 0;
  try {
    const Value state = parse_json(read_text(progress_));
    if (state.at("schema") != Value(kSchema) || state.at("key") != Value(key_)) return false;
    const std::int64_t row = state.at("next_row").as_integer();
    const std::int64_t pairs = state.at("pairs").as_integer();
    if (row < 0 || pairs < 0) return false;
    bytes = static_cast<std::uint64_t>(pairs) * sizeof(Record);
    if (std::filesystem::file_size(partial_) < bytes) return false;
    next_row_ = static_cast<std::size_t>(row);
    pairs_ = static_cast<std::uint64_t>(pairs);
    std::filesystem::resize_file(partial_, bytes);  // pairs of a row that was not finished
  } catch (const std::exception&) {
    next_row_ = 0;
    pairs_ = 0;
    return false;
  }
  file_.open(partial_, std::ios::in | std::ios::out | std::ios::binary | std::ios::ate);
  if (!file_) fail("open the pairs found so far");
  return true;
}

void PairFile::start() {
  std::error_code ignored;
  std::filesystem::remove(progress_, ignored);
  file_.open(partial_, std::ios::in | std::ios::out | std::ios::binary | std::ios::trunc);
  if (!file_) fail("write");
}

void PairFile::add(const AlikePair& pair) {
  const Record record{pair.a, pair.b, pair.score};
  char bytes[sizeof record];
  std::memcpy(bytes, &record, sizeof record);
  if (!file_.write(bytes, sizeof bytes)) fail("write");
  ++pairs_;
}

void PairFile::done_to(std::size_t row) {
  if (!file_.flush()) fail("write");
  next_row_ = row;
  write_file(progress_,
             to_json(Value::object(
                 {{"schema", kSchema}, {"key", key_}, {"next_row", row}, {"pairs", pairs_}})),
             Overwrite::replace);
}

void PairFile::for_each(const std::function<void(const AlikePair&)>& each) {
  file_.flush();
  file_.seekg(0);
  if (!file_) fail("read");
  for (std::uint64_t i = 0; i < pairs_; ++i) {
    Record record{};
    char bytes[sizeof record];
    if (!file_.read(bytes, sizeof bytes)) fail("read");
    std::memcpy(&record, bytes, sizeof record);
    each({record.a, record.b, record.score});
  }
  file_.seekp(0, std::ios::end);  // between reading and writing
}

void PairFile::finish() {
  file_.close();
  std::error_code ignored;
  std::filesystem::remove(progress_, ignored);
  std::filesystem::remove(partial_, ignored);
}

}  // namespace sosia::gallery
