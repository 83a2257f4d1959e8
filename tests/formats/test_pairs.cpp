#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/pairs.hpp"

namespace sosia::formats {
namespace {

constexpr std::string_view kLfw =
    "2\t1\n"
    "Abel_Pacheco\t1\t4\n"
    "Abdel_Madi\t3\tDean_Barker\t1\n"
    "Akhmed_Zakayev\t1\t3\n"
    "Ahmed_Ghazi\t1\tVagit_Alekperov\t2\n";

TEST(LfwPairs, ReadsFolds) {
  const LfwPairs lfw = parse_lfw_pairs(kLfw);
  EXPECT_EQ(lfw.folds, 2);
  ASSERT_EQ(lfw.pairs.size(), 4u);
  EXPECT_TRUE(lfw.pairs[0].same);
  EXPECT_EQ(lfw.pairs[0].number_b, 4);
  EXPECT_FALSE(lfw.pairs[1].same);
  EXPECT_EQ(lfw.pairs[1].name_b, "Dean_Barker");
  EXPECT_EQ(lfw.pairs[3].fold, 1);
  EXPECT_EQ(lfw_path(lfw.pairs[0].name_a, lfw.pairs[0].number_b),
            "Abel_Pacheco/Abel_Pacheco_0004.jpg");
  EXPECT_EQ(lfw_path("A", 12345, ".png"), "A/A_12345.png");
}

TEST(LfwPairs, ReadsOneFoldAndNoHead) {
  const LfwPairs development = parse_lfw_pairs("1\r\nA 1 2\r\nA 1 B 3\r\n");
  EXPECT_EQ(development.folds, 1);
  EXPECT_EQ(development.pairs[1].number_b, 3);
  const LfwPairs bare = parse_lfw_pairs("A\t1\tB\t2\nA\t1\t2\n");
  EXPECT_EQ(bare.pairs.size(), 2u);
  EXPECT_TRUE(bare.pairs[1].same);
}

TEST(LfwPairs, ChecksTheCounts) {
  EXPECT_EQ(code_of([] { parse_lfw_pairs("2\t1\nA\t1\t2\n"); }), ErrorCode::corrupt_data);
  const Error order = error_of([] { parse_lfw_pairs("1\t1\nA\t1\tB\t2\nA\t1\t2\n", "p.txt"); });
  EXPECT_EQ(order.context(), "p.txt: line 2");
  EXPECT_EQ(code_of([] { parse_lfw_pairs("1\nA 1 2\nA 1 B 1\nA 1 2\n"); }),
            ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([] { parse_lfw_pairs("A 1 2\nA x 2\n", "p.txt"); }).context(),
            "p.txt: line 2");
  EXPECT_EQ(code_of([] { parse_lfw_pairs("A 0 2\n"); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] {
              parse_lfw_pairs(
                  "\xff\xfe"
                  "1\n");
            }),
            ErrorCode::unsupported);
}

TEST(PairList, StoresEveryItemOnce) {
  const PairList list =
      parse_pair_list("\xef\xbb\xbf# comment\na.jpg b.jpg 1\n\nc.jpg  a.jpg same\n");
  EXPECT_EQ(list.items, (std::vector<std::string>{"a.jpg", "b.jpg", "c.jpg"}));
  ASSERT_EQ(list.pairs.size(), 2u);
  EXPECT_EQ(list.pairs[1].a, 2u);
  EXPECT_EQ(list.pairs[1].b, 0u);
  EXPECT_EQ(list.pairs[1].same, 1);
  EXPECT_EQ(parse_pair_list("a b\n").pairs[0].same, -1);
  EXPECT_EQ(parse_pair_list("my file.jpg\tother file.jpg\t0\n").items[1], "other file.jpg");
}

TEST(PairList, RefusesOddLines) {
  EXPECT_EQ(error_of([] { parse_pair_list("a b 1\nc d\n", "l.txt"); }).context(), "l.txt: line 2");
  EXPECT_EQ(code_of([] { parse_pair_list("a\n"); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { parse_pair_list("a b c d\n"); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { parse_pair_list("a b maybe\n"); }), ErrorCode::corrupt_data);
}

TEST(PairList, Csv) {
  const PairList list =
      parse_pair_csv(bytes_of("path1,path2,label,fold\n\"a,1.jpg\",b.jpg,1,0\nb.jpg,c.jpg,0,3\n"));
  EXPECT_EQ(list.items[0], "a,1.jpg");
  EXPECT_EQ(list.pairs[1].fold, 3);
  EXPECT_EQ(list.pairs[1].same, 0);
  EXPECT_EQ(parse_pair_csv(bytes_of("probe;gallery\nx;y\n")).pairs[0].same, -1);
  EXPECT_EQ(code_of([] { parse_pair_csv(bytes_of("p,q\nx,y\n")); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { parse_pair_csv(bytes_of("a,b,same\nx,y,2\n")); }),
            ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { parse_pair_csv(bytes_of("a,b\nx,\n")); }), ErrorCode::corrupt_data);
}

TEST(PairList, FilesAreToldApart) {
  const TemporaryFolder folder;
  const auto read = [&](const char* name, std::string_view text) {
    write_file(folder.path() / name, text);
    return read_pairs(folder.path() / name);
  };
  EXPECT_EQ(read("pairs.txt", kLfw).items[0], "Abel_Pacheco/Abel_Pacheco_0001.jpg");
  EXPECT_EQ(read("pairs.csv", "a,b,same\nx,y,1\n").pairs[0].same, 1);
  EXPECT_EQ(read("list.txt", "\nx y 0\n").pairs[0].same, 0);
  EXPECT_EQ(read("two.txt", "x y\n").pairs.size(), 1u);
  EXPECT_EQ(read("bare.txt", "A 1 B 2\nA 1 2\n").items[2], "A/A_0002.jpg");
}

TEST(Templates, ReadIjbLists) {
  const auto images = parse_template_list("img/1.jpg 1 69544\nimg/2.jpg 1 69544\n");
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[1].path, "img/2.jpg");
  EXPECT_EQ(images[1].media_id, 69544);
  const auto pairs = parse_template_pairs("1 11065 1\n1 11066 0\n");
  EXPECT_TRUE(pairs[0].same);
  EXPECT_EQ(pairs[1].b, 11066);
  EXPECT_EQ(error_of([] { parse_template_list("a 1 2\nb 1\n", "t"); }).context(), "t: line 2");
  EXPECT_EQ(code_of([] { parse_template_pairs("1 2 3\n"); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([] { parse_template_pairs("1 99999999999 1\n"); }), ErrorCode::corrupt_data);
}

}  // namespace
}  // namespace sosia::formats
