#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"

#include <csignal>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sosia {
namespace {

namespace fs = std::filesystem;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Files, ReadWhatWasWritten) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.txt";
  write_file(path, "hello");
  EXPECT_EQ(read_text(path), "hello");
  EXPECT_EQ(read_file(path).size(), 5u);
  EXPECT_EQ(MappedFile(path).bytes().size(), 5u);
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(Files, ReadErrorsHaveTheRightCode) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of([&] { read_file(folder.path() / "none"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { read_file(folder.path()); }), ErrorCode::io);
  write_file(folder.path() / "big", std::string(100, 'x'));
  EXPECT_EQ(code_of([&] { read_file(folder.path() / "big", 99); }), ErrorCode::out_of_memory);
  EXPECT_EQ(read_file(folder.path() / "big", 100).size(), 100u);
}

TEST(Files, RefusesToOverwriteUnlessAsked) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  write_file(path, "1");
  EXPECT_EQ(code_of([&] { write_file(path, "2"); }), ErrorCode::conflict);
  EXPECT_EQ(read_text(path), "1");
  write_file(path, "2", Overwrite::replace);
  EXPECT_EQ(read_text(path), "2");
}

TEST(Files, AFileThatAppearsMeanwhileIsNotOverwritten) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  AtomicFile file(path);
  file.write("mine");
  std::ofstream(path) << "theirs";
  EXPECT_EQ(code_of([&] { file.commit(); }), ErrorCode::conflict);
  EXPECT_EQ(read_text(path), "theirs");
}

TEST(Files, UncommittedLeavesNothing) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder.path() / "a");
    file.write("half");
    EXPECT_EQ(files_in(folder.path()), 1u);
  }
  EXPECT_EQ(files_in(folder.path()), 0u);
}

TEST(Files, AFullDiskIsAnErrorAndTheOldFileStays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a";
  write_file(path, "old");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit tight = before;
  tight.rlim_cur = 4096;
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const ErrorCode code =
      code_of([&] { write_file(path, std::string(100000, 'x'), Overwrite::replace); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(code, ErrorCode::io);
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(Files, MissingFolderIsSaid) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of([&] { write_file(folder.path() / "no" / "a", "x"); }), ErrorCode::io);
  EXPECT_EQ(code_of([&] { write_file(folder.path(), "x"); }), ErrorCode::io);
}

TEST(Files, WhatCannotBeWrittenIsKnownBeforehand) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "a";
  check_writable(file, Overwrite::refuse);
  EXPECT_EQ(files_in(folder.path()), 0u) << "asking creates nothing";
  write_file(file, "1");
  EXPECT_EQ(code_of([&] { check_writable(file, Overwrite::refuse); }), ErrorCode::conflict);
  check_writable(file, Overwrite::replace);
  for (const fs::path& bad : {folder.path() / "none" / "b", file / "b", folder.path()}) {
    EXPECT_EQ(code_of([&] { check_writable(bad, Overwrite::replace); }), ErrorCode::io) << bad;
  }
  // A folder may be missing as long as the nearest one above can hold it.
  check_writable_folder(folder.path() / "deep" / "er" / "");
  check_writable_folder("relative/and/missing");
  EXPECT_EQ(code_of([&] { check_writable_folder(file); }), ErrorCode::io);
  EXPECT_EQ(code_of([&] { check_writable_folder(file / "below" / "a file"); }), ErrorCode::io);
}

TEST(Files, ExpandPathsTakesFilesFoldersAndPatterns) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "sub" / "deep");
  for (const char* name : {"b.jpg", "a.JPG", "note.txt", ".hidden.jpg", "sub/deep/c.jpg"}) {
    std::ofstream(folder.path() / name) << "x";
  }
  fs::create_directory_symlink(folder.path(), folder.path() / "sub" / "loop");
  constexpr std::string_view kJpeg[] = {".jpg"};
  const std::string root = folder.path().string();
  const auto count = [&](const std::string& input) {
    return expand_paths(std::vector<std::string>{input}, kJpeg).size();
  };
  EXPECT_EQ(count(root), 3u);
  EXPECT_EQ(count(root + "/*.jpg"), 1u);
  EXPECT_EQ(count(root + "/note.txt"), 1u);
  EXPECT_EQ(expand_paths(std::vector<std::string>{root, root}, kJpeg).size(), 3u);
  EXPECT_EQ(code_of([&] { count(root + "/none"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { count(root + "/*.png"); }), ErrorCode::not_found);
}

}  // namespace
}  // namespace sosia
