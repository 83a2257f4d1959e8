#include "sosia/face/files.hpp"

#include "sosia/core/error.hpp"
#include "sosia/image/decode.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <set>
#include <system_error>
#include <utility>

#include <fnmatch.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 16;

class Collector {
 public:
  void add(const std::string& input) {
    std::error_code error;
    const fs::path path(input);
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status)) {
      if (fs::is_directory(status)) {
        folder(path, nullptr);
      } else {
        take(path);
      }
    } else if (input.find_first_of("*?[") != std::string::npos) {
      pattern(input);
    } else {
      skip(path,
           status.type() == fs::file_type::not_found ? "there is no such file" : error.message());
    }
  }

  FileList result() && { return std::move(list_); }

 private:
  void skip(const fs::path& path, std::string reason) {
    list_.skipped.push_back({path, std::move(reason)});
  }

  void take(const fs::path& path) {
    if (seen_files_.insert(path.lexically_normal().string()).second) list_.files.push_back(path);
  }

  /// A file that was found, not named: only pictures are taken.
  void take_if_picture(const fs::path& path) {
    std::array<char, kHeadBytes> head{};
    std::ifstream in(path, std::ios::binary);
    if (!in) return skip(path, "it cannot be opened");
    in.read(head.data(), head.size());
    const auto count = static_cast<std::size_t>(in.gcount());
    if (count == 0) return skip(path, "it is empty");
    if (!image::looks_decodable(std::as_bytes(std::span(head).first(count)))) {
      return skip(path, "it is no picture");
    }
    take(path);
  }

  /// All files below `root` for which `wanted` holds (null: all), sorted by path. Folders that
  /// cannot be searched are remarked upon when all files are wanted.
  void folder(const fs::path& root, const std::function<bool(const fs::path&)>& wanted) {
    std::error_code error;
    // Folders on the way down, by their real place: a link to one of them is a loop.
    const fs::path real = fs::canonical(root, error);
    if (!error && !open_.insert(real.string()).second) {
      if (!wanted) skip(root, "it leads back to a folder above");
      return;
    }
    std::vector<fs::directory_entry> entries;
    fs::directory_iterator it;
    if (!error) it = fs::directory_iterator(root, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) entries.push_back(*it);
    if (error && !wanted) skip(root, error.message());
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return a.path().filename() < b.path().filename();
    });
    for (const fs::directory_entry& entry : entries) {
      if (entry.path().filename().string().starts_with('.')) continue;
      std::error_code ignored;
      const fs::file_status status = entry.status(ignored);
      if (fs::is_directory(status)) {
        folder(entry.path(), wanted);
      } else if (wanted && !wanted(entry.path())) {
        continue;
      } else if (fs::is_regular_file(status)) {
        take_if_picture(entry.path());
      } else {
        skip(entry.path(), ignored ? ignored.message() : "it is no regular file");
      }
    }
    open_.erase(real.string());
  }

  /// A pattern: the folder before the first wildcard is searched for paths that match.
  void pattern(const std::string& text) {
    const std::size_t wild = text.find_first_of("*?[");
    const std::size_t slash = text.rfind('/', wild);
    const fs::path root = slash == std::string::npos ? "." : text.substr(0, slash + 1);
    const std::size_t before = list_.files.size() + list_.skipped.size();
    std::error_code error;
    if (fs::is_directory(root, error)) {
      // Without FNM_PATHNAME a * would pass slashes: that is what ** is for.
      const bool deep = text.find("**") != std::string::npos;
      const int flags = deep ? 0 : FNM_PATHNAME;
      folder(root, [&](const fs::path& path) {
        std::string name = path.string();
        if (slash == std::string::npos && name.starts_with("./")) name.erase(0, 2);
        return fnmatch(text.c_str(), name.c_str(), flags) == 0;
      });
    }
    if (list_.files.size() + list_.skipped.size() == before) {
      skip(text, "no file matches the pattern");
    }
  }

  FileList list_;
  std::set<std::string> seen_files_, open_;
};

}  // namespace

FileList collect_files(std::span<const std::string> inputs) {
  Collector collector;
  for (const std::string& input : inputs) collector.add(input);
  return std::move(collector).result();
}

std::vector<std::string> split_file_list(std::string_view text) {
  const char end = text.find('\0') == std::string_view::npos ? '\n' : '\0';
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t at = text.find(end);
    std::string_view line = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    if (end == '\n' && line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) out.emplace_back(line);
  }
  return out;
}

}  // namespace sosia::face
