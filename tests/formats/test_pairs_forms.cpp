#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/pairs.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

constexpr std::string_view kTwoFolds =
    "2\t1\n"
    "Abel_Pacheco\t1\t4\n"
    "Ben_Kingsley\t1\tDaryl_Hannah\t12\n"
    "Zoe_Ball\t2\t3\r\n"
    "Zoe_Ball\t1\tAl_Gore\t8\n";

TEST(LfwPairsFile, Folds) {
  const LfwPairs list = parse_lfw_pairs(kTwoFolds);
  EXPECT_EQ(list.folds, 2);
  ASSERT_EQ(list.pairs.size(), 4u);
  EXPECT_EQ(list.pairs[0].name_a, "Abel_Pacheco");
  EXPECT_EQ(list.pairs[0].name_b, "Abel_Pacheco");
  EXPECT_EQ(list.pairs[0].number_a, 1);
  EXPECT_EQ(list.pairs[0].number_b, 4);
  EXPECT_TRUE(list.pairs[0].same);
  EXPECT_EQ(list.pairs[1].name_b, "Daryl_Hannah");
  EXPECT_EQ(list.pairs[1].number_b, 12);
  EXPECT_FALSE(list.pairs[1].same);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(list.pairs[i].fold, static_cast<int>(i / 2));
}

TEST(LfwPairsFile, DevelopmentListAndBareLines) {
  const LfwPairs dev = parse_lfw_pairs("2\nA 1 2\nB 1 2\nA 1 B 1\nA 2 B 2\n");
  EXPECT_EQ(dev.folds, 1);
  ASSERT_EQ(dev.pairs.size(), 4u);
  EXPECT_EQ(dev.pairs[3].fold, 0);
  const LfwPairs bare = parse_lfw_pairs("A 1 B 1\nA 1 2\n");
  EXPECT_EQ(bare.pairs.size(), 2u);
  EXPECT_EQ(bare.folds, 1);
}

TEST(LfwPairsFile, TheNumbersOfTheFirstLineMustHold) {
  const std::string_view bad[] = {
      "2\t1\nA\t1\t2\nA\t1\tB\t1\n",                                           // a fold is missing
      "1\t1\nA\t1\t2\nA\t1\tB\t1\nA\t1\t3\n",                                  // one too many
      "1\t1\nA\t1\tB\t1\nA\t1\t2\n",                                           // in the wrong order
      "1\t1\nA\t1\t0\nA\t1\tB\t1\n",           "1\t1\nA\t1\tx\nA\t1\tB\t1\n",  // no image number
      "1\t1\nA\t1\t99999999999\nA\t1\tB\t1\n", "1\t1\nA\t1\n",
      "2147483647\t2147483647\nA\t1\t2\n",
  };
  for (const std::string_view text : bad) {
    const Error error = error_of([&] { parse_lfw_pairs(text, "pairs.txt"); });
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data) << text << error.what();
    EXPECT_NE(error.context().find("pairs.txt"), std::string::npos);
  }
  const Error error = error_of([&] { parse_lfw_pairs("1\t1\nA\t1\tx\n", "pairs.txt"); });
  EXPECT_EQ(error.context(), "pairs.txt: line 2");
}

TEST(LfwPairsFile, Paths) {
  EXPECT_EQ(lfw_path("Al_Gore", 8), "Al_Gore/Al_Gore_0008.jpg");
  EXPECT_EQ(lfw_path("Al_Gore", 12345, ".png"), "Al_Gore/Al_Gore_12345.png");
}

TEST(PairListForm, TwoAndThreeColumns) {
  const PairList plain = parse_pair_list("# first list\na.jpg b.jpg\n\n  b.jpg   c.jpg \n");
  EXPECT_EQ(plain.items, (std::vector<std::string>{"a.jpg", "b.jpg", "c.jpg"}));
  ASSERT_EQ(plain.pairs.size(), 2u);
  EXPECT_EQ(plain.pairs[1].a, 1u);
  EXPECT_EQ(plain.pairs[1].b, 2u);
  EXPECT_EQ(plain.pairs[1].same, -1);

  const PairList tabs = parse_pair_list("a 1.jpg\tb.jpg\t1\nb.jpg\ta 1.jpg\t0\n");
  EXPECT_EQ(tabs.items, (std::vector<std::string>{"a 1.jpg", "b.jpg"}));
  EXPECT_EQ(tabs.pairs[0].same, 1);
  EXPECT_EQ(tabs.pairs[1].same, 0);
}

TEST(PairListForm, MalformedLinesCarryTheirNumber) {
  for (const char* bad : {"a b\na b 1\n", "a b\nc\n", "a b c\nd e 1\n", "a b\na b c d\n"}) {
    const Error error = error_of([&] { parse_pair_list(bad, "list"); });
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data) << bad;
    EXPECT_TRUE(error.context().starts_with("list: line ")) << error.context();
  }
  EXPECT_EQ(error_of([] { parse_pair_list("\xff\xfe\x61\x00"); }).code(), ErrorCode::unsupported);
}

TEST(PairCsv, ColumnsByName) {
  const PairList list =
      parse_pair_csv(bytes_of("fold,path1,path2,same\n3,\"x, y.jpg\",b.jpg,1\n4,b.jpg,c.jpg,0\n"));
  EXPECT_EQ(list.items, (std::vector<std::string>{"x, y.jpg", "b.jpg", "c.jpg"}));
  EXPECT_EQ(list.pairs[0].fold, 3);
  EXPECT_EQ(list.pairs[0].same, 1);
  EXPECT_EQ(list.pairs[1].same, 0);
  EXPECT_EQ(parse_pair_csv(bytes_of("probe,reference\na,b\n")).pairs[0].same, -1);
}

TEST(PairCsv, Errors) {
  for (const char* bad :
       {"x,y\na,b\n", "a,b,same\np,q,maybe\n", "a,b\np,\n", "a,b,fold\np,q,x\n", "a,b\np\n"}) {
    EXPECT_EQ(error_of([&] { parse_pair_csv(bytes_of(bad)); }).code(), ErrorCode::corrupt_data)
        << bad;
  }
}

TEST(ReadPairs, ChoosesTheForm) {
  const TemporaryFolder folder;
  const auto read = [&](const char* name, std::string_view text) {
    write_file(folder.path() / name, text, Overwrite::replace);
    return read_pairs(folder.path() / name);
  };
  const PairList lfw = read("pairs.txt", kTwoFolds);
  ASSERT_EQ(lfw.pairs.size(), 4u);
  EXPECT_EQ(lfw.items[lfw.pairs[1].b], "Daryl_Hannah/Daryl_Hannah_0012.jpg");
  EXPECT_EQ(lfw.pairs[2].fold, 1);
  EXPECT_EQ(lfw.pairs[2].same, 1);
  EXPECT_EQ(read("list.txt", "a.jpg b.jpg 1\n").pairs[0].same, 1);
  EXPECT_EQ(read("list.csv", "a,b\nx,y\n").items[1], "y");
  EXPECT_TRUE(read("empty.txt", "").pairs.empty());
  EXPECT_EQ(error_of([&] { read_pairs(folder.path() / "none.txt"); }).code(), ErrorCode::not_found);
}

TEST(TemplateLists, ImagesAndPairs) {
  const auto images = parse_template_list("1.jpg 1 69544\nframes/2.jpg 1 69545\n");
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[1].path, "frames/2.jpg");
  EXPECT_EQ(images[1].template_id, 1);
  EXPECT_EQ(images[1].media_id, 69545);
  const auto pairs = parse_template_pairs("1 11065 1\n1 11066 0\n");
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].b, 11065);
  EXPECT_TRUE(pairs[0].same);
  EXPECT_FALSE(pairs[1].same);
  for (const char* bad : {"1.jpg 1\n", "1.jpg 1 2 3\n", "1.jpg x 2\n", "1.jpg 1 9999999999\n"}) {
    EXPECT_EQ(error_of([&] { parse_template_list(bad); }).code(), ErrorCode::corrupt_data) << bad;
  }
  for (const char* bad : {"1 2\n", "1 2 5\n", "1 x 1\n", "a 2 1\n", "1 2 1 1\n"}) {
    EXPECT_EQ(error_of([&] { parse_template_pairs(bad); }).code(), ErrorCode::corrupt_data) << bad;
  }
}

TEST(TemplateLists, Files) {
  const TemporaryFolder folder;
  write_file(folder.path() / "tid_mid.txt", "1.jpg 1 2");
  write_file(folder.path() / "pairs.txt", "1 2 1");
  EXPECT_EQ(read_template_list(folder.path() / "tid_mid.txt").size(), 1u);
  EXPECT_EQ(read_template_pairs(folder.path() / "pairs.txt").size(), 1u);
}

}  // namespace
}  // namespace sosia::formats
