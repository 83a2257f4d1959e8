#pragma once
// Which files are meant: files, folders, glob patterns and lists become one list of pictures.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::face {

/// A file or folder that was not taken, and why.
struct SkippedFile {
  std::filesystem::path path = {};
  std::string reason = {};
};

struct FileList {
  std::vector<std::filesystem::path> files = {};  ///< in order, each once
  std::vector<SkippedFile> skipped = {};
};

/// Expands `inputs` in their order. A folder gives its files and those of all folders below, sorted
/// by path, without names that begin with a dot; a folder that symbolic links lead to again is
/// skipped with a reason; files whose first bytes are no picture's are skipped with a reason. A
/// name with *, ? or [ that is no file is a pattern, ** matches folders as well. A file that is
/// named itself is taken whatever it holds (opening it then says what is wrong). A name that does
/// not exist and a pattern without a match are skipped with a reason.
FileList collect_files(std::span<const std::string> inputs);

/// The lines of a list (standard input): one path each, or separated by zero bytes when there is
/// one. Blank lines are left out.
std::vector<std::string> split_file_list(std::string_view text);

}  // namespace sosia::face
