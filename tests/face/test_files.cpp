// Lists of files: folders, patterns, loops, what is no picture.

#include "face/support.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("sosia-files-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_ / "b" / "deep");
    picture("b/2.png"), picture("b/deep/name with \xc3\xa9.png"), picture("a.png");
    write("b/notes.txt", "text"), write("b/empty.jpg", ""), write(".hidden.png", "x");
    fs::create_symlink(root_, root_ / "b" / "loop");
    fs::create_symlink(root_ / "nowhere", root_ / "b" / "dangling.png");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name) << text;
  }
  void picture(const std::string& name) { image::save(root_ / name, image::Image(4, 4, 3)); }
  std::string at(const std::string& name) const { return (root_ / name).string(); }

  FileList collect(std::vector<std::string> inputs) const { return collect_files(inputs); }
  /// Paths relative to the root.
  std::vector<std::string> names(const FileList& list) const {
    std::vector<std::string> out;
    for (const fs::path& p : list.files) out.push_back(fs::relative(p, root_).string());
    return out;
  }
  static std::string reason(const FileList& list, const std::string& end) {
    for (const SkippedFile& s : list.skipped) {
      if (s.path.string().ends_with(end)) return s.reason;
    }
    return "";
  }

  fs::path root_;
};

TEST_F(Files, AFolderIsSearchedToTheEnd) {
  const FileList list = collect({root_.string()});
  EXPECT_EQ(names(list),
            (std::vector<std::string>{"a.png", "b/2.png", "b/deep/name with \xc3\xa9.png"}));
  EXPECT_EQ(reason(list, "notes.txt"), "it is no picture");
  EXPECT_EQ(reason(list, "empty.jpg"), "it is empty");
  EXPECT_NE(reason(list, "loop"), "");
  EXPECT_NE(reason(list, "dangling.png"), "");
  EXPECT_EQ(list.skipped.size(), 4u);
}

TEST_F(Files, NamedFilesAreTakenAsTheyAre) {
  const FileList list = collect({at("b/notes.txt"), at("a.png"), at("./a.png"), at("no.png")});
  EXPECT_EQ(list.files.size(), 2u);
  EXPECT_EQ(reason(list, "no.png"), "there is no such file");
}

TEST_F(Files, Patterns) {
  EXPECT_EQ(names(collect({at("b/*.png")})), (std::vector<std::string>{"b/2.png"}));
  EXPECT_EQ(collect({at("**.png")}).files.size(), 3u);
  EXPECT_EQ(names(collect({at("?.png")})), (std::vector<std::string>{"a.png"}));
  EXPECT_EQ(names(collect({at("*/deep/*")})),
            (std::vector<std::string>{"b/deep/name with \xc3\xa9.png"}));
  EXPECT_EQ(reason(collect({at("*.webp")}), "*.webp"), "no file matches the pattern");
}

TEST(FileLists, LinesOrZeroBytes) {
  EXPECT_EQ(split_file_list("a b.jpg\r\n\n c\n"), (std::vector<std::string>{"a b.jpg", " c"}));
  EXPECT_EQ(split_file_list(std::string_view("a\nb\0c\0", 6)),
            (std::vector<std::string>{"a\nb", "c"}));
  EXPECT_TRUE(split_file_list("").empty());
}

}  // namespace
}  // namespace sosia::face
