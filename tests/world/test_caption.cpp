// Captions: the grammar and its parser are inverses, prompts are scored, nonsense is refused.

#include "sosia/core/error.hpp"
#include "sosia/world/caption.hpp"

#include <set>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

TEST(Caption, SaysWhatThePictureShows) {
  FaceAttributes a;
  a.yaw_deg = -20;
  a.expression = FaceExpression::smile;
  a.hair = FaceHair::bob;
  a.hair_colour = FaceHairColour::auburn;
  a.glasses = FaceGlasses::round;
  a.hat = FaceHat::cap;
  a.hat_colour = FaceColour::red;
  a.clothes_colour = FaceColour::white;
  a.backdrop = FaceBackdrop::bricks;
  a.backdrop_colour = FaceColour::blue;
  EXPECT_EQ(
      caption_text(caption_of(a)),
      "face looking left smiling bob auburn hair round glasses red cap white shirt before blue "
      "bricks");
}

TEST(Caption, ParserInvertsTheGrammar) {
  std::size_t longest = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const FaceAttributes a = random_face_attributes(1, i, 0);
    const FaceCaption told = caption_of(a);
    const std::string text = caption_text(told);
    EXPECT_EQ(parse_caption(text, CaptionReading::complete), told) << text;
    const std::vector<int> tokens = caption_tokens(text);
    EXPECT_EQ(tokens.size(), static_cast<std::size_t>(kMaxCaptionTokens));
    EXPECT_EQ(caption_from_tokens(tokens), text);
    longest = std::max(longest, text.size());
  }
  EXPECT_GT(longest, 80u);
}

// All combinations of two slots at a time, so that no pair of phrases is ambiguous.
TEST(Caption, EveryPairOfPhrasesReadsBack) {
  for (int s = 0; s < kCaptionSlots; ++s) {
    for (int t = s + 1; t < kCaptionSlots; ++t) {
      for (int v = 0; v < caption_values(static_cast<CaptionSlot>(s)); ++v) {
        for (int w = 0; w < caption_values(static_cast<CaptionSlot>(t)); ++w) {
          FaceCaption told;
          told.slots[static_cast<std::size_t>(s)] = v;
          told.slots[static_cast<std::size_t>(t)] = w;
          const std::string text = caption_text(told);
          FaceCaption read;
          try {
            read = parse_caption(text);
          } catch (const Error&) {
            continue;  // half a phrase, such as a hat's colour alone: refused, never misread
          }
          for (std::size_t k = 0; k < kCaptionSlots; ++k) {
            if (read.slots[k] == -1) continue;
            EXPECT_EQ(read.slots[k], told.slots[k]) << text;
          }
        }
      }
    }
  }
}

TEST(Caption, LongestFitsTheTokens) {
  FaceAttributes a;
  a.yaw_deg = 50;
  a.pitch_deg = 20;
  a.eyes_closed = 1;
  a.beard = FaceBeard::full;
  a.glasses = FaceGlasses::square;
  a.hat = FaceHat::brim;
  a.occlusion = FaceOcclusion::mask;
  a.backdrop = FaceBackdrop::window;
  const std::vector<int> tokens = caption_tokens(caption_text(caption_of(a)));
  EXPECT_EQ(tokens.back(), kCaptionEnd);  // it fills the length exactly
}

TEST(Caption, IdentityIsNeverNamed) {
  // The caption is a function of the attributes alone; the words of traits are not in the grammar.
  const auto words = caption_vocabulary();
  EXPECT_EQ(words.size(), 63u);  // 60 and three marks
  EXPECT_EQ(std::set<std::string_view>(words.begin(), words.end()).size(), words.size());
  for (int t = 0; t < kFaceTraits; ++t) {
    const std::string_view trait = name_of(static_cast<FaceTrait>(t));
    for (const std::string_view word : words) EXPECT_NE(word, trait);
  }
  for (const std::string_view word : {"mole", "nose", "jaw", "skin", "brow", "wide", "dark"}) {
    EXPECT_EQ(std::count(words.begin(), words.end(), word), 0) << word;
  }
}

TEST(Caption, ReadsWhatPeopleWrite) {
  const FaceCaption c = parse_caption(
      "A face with short black hair, sunglasses and a red cap, looking far right; smiling.");
  EXPECT_EQ(c[CaptionSlot::hair], static_cast<int>(FaceHair::short_cut));
  EXPECT_EQ(c[CaptionSlot::hair_colour], static_cast<int>(FaceHairColour::black));
  EXPECT_EQ(c[CaptionSlot::glasses], static_cast<int>(FaceGlasses::sunglasses));
  EXPECT_EQ(c[CaptionSlot::hat_colour], static_cast<int>(FaceColour::red));
  EXPECT_EQ(c[CaptionSlot::yaw], 4);
  EXPECT_EQ(c[CaptionSlot::expression], static_cast<int>(FaceExpression::smile));
  EXPECT_EQ(c[CaptionSlot::backdrop], -1);
  EXPECT_EQ(parse_caption("bald before the park")[CaptionSlot::hair], 0);
}

TEST(Caption, RefusesNonsense) {
  const auto told = [](std::string_view text) {
    try {
      parse_caption(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.message() + " / " + error.hint();
    }
    return std::string("accepted");
  };
  EXPECT_NE(told("face wtih hair").find("outside the grammar"), std::string::npos);
  EXPECT_NE(told("smiling sunglases").find("sunglasses"), std::string::npos);
  EXPECT_NE(told("smiling sad").find("told twice"), std::string::npos);
  EXPECT_NE(told("round").find("the end"), std::string::npos);
  EXPECT_NE(told("red").find("has that colour"), std::string::npos);
  EXPECT_NE(told("before nothing").find("backdrop"), std::string::npos);
  EXPECT_NE(told("face \xff").find("outside the grammar"), std::string::npos);
  EXPECT_NE(told("looking far ahead").find("left"), std::string::npos);
  EXPECT_THROW(caption_tokens("face face", 3), Error);
  EXPECT_THROW(caption_from_tokens(std::vector<int>{1, 999}), Error);
}

TEST(Caption, PromptsAreScored) {
  FaceAttributes a = random_face_attributes(2, 5, 0);
  const FaceCaption prompt = parse_caption("laughing long blond hair before green wall");
  apply_caption(prompt, a);
  EXPECT_EQ(match_caption(prompt, caption_of(a)).accuracy(), 1);
  EXPECT_EQ(match_caption(prompt, caption_of(a)).asked, 5);
  a.hair = FaceHair::bun;
  a.backdrop_colour = FaceColour::red;
  EXPECT_DOUBLE_EQ(match_caption(prompt, caption_of(a)).accuracy(), 0.6);
  EXPECT_EQ(match_caption(FaceCaption(), caption_of(a)).accuracy(), 1);
}

TEST(Caption, ApplyingACaptionMakesIt) {
  for (std::uint64_t i = 0; i < 300; ++i) {
    const FaceCaption wanted = caption_of(random_face_attributes(3, i, 0));
    FaceAttributes a = random_face_attributes(3, i, 1);
    apply_caption(wanted, a);
    EXPECT_EQ(match_caption(wanted, caption_of(a)).accuracy(), 1);
  }
  FaceCaption bad;
  bad[CaptionSlot::hat] = 99;
  FaceAttributes a;
  EXPECT_THROW(apply_caption(bad, a), Error);
}

}  // namespace
}  // namespace sosia::world
