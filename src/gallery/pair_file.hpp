#pragma once
// Pairs that were found so far, beside the file that they are meant for, so that hours of work can
// be taken up where they were left.

#include "sosia/core/files.hpp"
#include "sosia/gallery/groups.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace sosia::gallery {

/// Two files: `<out>.partial` holds pairs of all rows below some row, `<out>.partial.json` says
/// which row, how many bytes, and of what work they are (`key`). Work of another key starts anew.
/// Both are removed by `finish`; a cancelled or killed run leaves them.
///
/// Throws io. Thread-safety: none.
class PairFile {
 public:
  PairFile(std::filesystem::path out, std::string key);

  /// The first row that is still to be done; above 0 when earlier work was found.
  std::size_t next_row() const noexcept { return next_row_; }
  std::uint64_t pairs() const noexcept { return pairs_; }
  void add(const AlikePair& pair);
  /// All pairs with a below `row` have been added.
  void done_to(std::size_t row);
  /// Calls `each` for all pairs, in order.
  void for_each(const std::function<void(const AlikePair&)>& each);
  void finish();

 private:
  struct Record {
    std::uint32_t a, b;
    float score;
  };
  bool take_up();
  void start();
  [[noreturn]] void fail(const char* doing) const;

  std::filesystem::path partial_, progress_;
  std::string key_;
  std::fstream file_;
  std::size_t next_row_ = 0;
  std::uint64_t pairs_ = 0;
};

}  // namespace sosia::gallery
