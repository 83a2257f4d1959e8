#include "sosia/world/caption.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sosia::world {
namespace {

constexpr std::string_view kSlotNames[kCaptionSlots] = {
    "yaw",      "pitch",          "eyes", "expression", "hair",      "hair_colour",
    "beard",    "glasses",        "hat",  "hat_colour", "occlusion", "clothes_colour",
    "backdrop", "backdrop_colour"};
constexpr int kSlotValues[kCaptionSlots] = {5,
                                            3,
                                            2,
                                            kFaceExpressions,
                                            kFaceHairs,
                                            kFaceHairColours,
                                            kFaceBeards,
                                            kFaceGlasses,
                                            kFaceHats,
                                            kFaceColours,
                                            kFaceOcclusions,
                                            kFaceColours,
                                            kFaceBackdrops,
                                            kFaceColours};

constexpr std::string_view kVocabulary[] = {
    "<pad>", "<begin>", "<end>",
    // Structure.
    "face", "looking", "eyes", "closed", "hair", "shirt", "before",
    // Pose.
    "far", "left", "ahead", "right", "up", "down",
    // Expressions.
    "neutral", "smiling", "laughing", "surprised", "sad", "angry",
    // Hair and beards.
    "bald", "cropped", "short", "curly", "bob", "long", "bun", "stubble", "moustache", "beard",
    // Colours.
    "black", "brown", "auburn", "blond", "grey", "white", "red", "yellow", "green", "blue",
    "purple",
    // Worn and held.
    "round", "square", "glasses", "sunglasses", "cap", "beanie", "hat", "mask", "hand", "cup",
    // Backdrops.
    "wall", "gradient", "bricks", "shelves", "park", "window",
    // Words that people put between; they say nothing.
    "a", "with", "and", "in"};

using Words = std::initializer_list<std::string_view>;

constexpr std::string_view kExpressions[] = {"neutral",   "smiling", "laughing",
                                             "surprised", "sad",     "angry"};
constexpr std::string_view kHairs[] = {"bald", "cropped", "short", "curly", "bob", "long", "bun"};
constexpr std::string_view kHairColours[] = {"black", "brown", "auburn", "blond", "grey", "white"};
constexpr std::string_view kBeards[] = {"", "stubble", "moustache", "beard"};
constexpr std::string_view kHats[] = {"", "cap", "beanie", "hat"};
constexpr std::string_view kOcclusions[] = {"", "mask", "hand", "cup"};
constexpr std::string_view kBackdrops[] = {"wall",    "gradient", "bricks",
                                           "shelves", "park",     "window"};
constexpr std::string_view kColours[] = {"white",  "grey",  "black", "red",
                                         "yellow", "green", "blue",  "purple"};

template <std::size_t N>
int index_in(const std::string_view (&list)[N], std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (!word.empty() && list[i] == word) return static_cast<int>(i);
  }
  return -1;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    const char low = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (low >= 'a' && low <= 'z') {
      word += low;
    } else if (std::string_view(" ,.;\n\t").find(c) != std::string_view::npos) {
      finish();
    } else {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("caption: the character {} is outside the grammar",
                              quote(std::string(1, c))));
    }
  }
  finish();
  return words;
}

// Reads phrases from left to right.
class Parser {
 public:
  explicit Parser(std::string_view text) : words_(words_of(text)) {}

  FaceCaption read() {
    while (at_ < words_.size()) phrase();
    return caption_;
  }

 private:
  std::string_view peek(std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() ? std::string_view(words_[at_ + ahead]) : std::string_view();
  }
  bool take(std::string_view word) {
    if (peek() != word) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void unfinished(std::string_view after, std::string_view wanted) const {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("caption: after {} comes {}, not {}", quote(after), wanted,
                            peek().empty() ? "the end" : quote(peek())));
  }
  void tell(CaptionSlot slot, int value) {
    int& place = caption_[slot];
    if (place != -1 && place != value) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("caption: {} is told twice", kSlotNames[static_cast<std::size_t>(slot)]));
    }
    place = value;
  }

  void phrase() {
    const std::string word(peek());
    for (const std::string_view filler : {"a", "an", "the", "with", "and", "in", "face"}) {
      if (take(filler)) return;
    }
    if (take("looking")) return looking();
    if (take("eyes")) {
      if (!take("closed")) unfinished("eyes", "\"closed\"");
      return tell(CaptionSlot::eyes, 1);
    }
    if (take("before")) return before();
    ++at_;
    if (const int i = index_in(kExpressions, word); i >= 0) return tell(CaptionSlot::expression, i);
    if (word == "bald") return tell(CaptionSlot::hair, 0);
    if (const int i = index_in(kHairs, word); i > 0) {
      tell(CaptionSlot::hair, i);
      const int colour = index_in(kHairColours, peek());
      if (colour >= 0) {
        tell(CaptionSlot::hair_colour, colour);
        ++at_;
      }
      if (!take("hair")) unfinished(word, "the hair's colour and \"hair\"");
      return;
    }
    if (const int i = index_in(kBeards, word); i > 0) return tell(CaptionSlot::beard, i);
    if (word == "sunglasses") return tell(CaptionSlot::glasses, 3);
    if (word == "round" || word == "square") {
      if (!take("glasses")) unfinished(word, "\"glasses\"");
      return tell(CaptionSlot::glasses, word == "round" ? 1 : 2);
    }
    if (const int i = index_in(kHats, word); i > 0) return tell(CaptionSlot::hat, i);
    if (const int i = index_in(kOcclusions, word); i > 0) return tell(CaptionSlot::occlusion, i);
    if (index_in(kColours, word) >= 0 || index_in(kHairColours, word) >= 0) return coloured(word);
    unknown(word);
  }

  void looking() {
    const bool far = take("far");
    if (take("left")) {
      tell(CaptionSlot::yaw, far ? 0 : 1);
    } else if (take("right")) {
      tell(CaptionSlot::yaw, far ? 4 : 3);
    } else if (far) {
      unfinished("far", "\"left\" or \"right\"");
    } else if (take("ahead")) {
      tell(CaptionSlot::yaw, 2);
    } else if (peek() != "up" && peek() != "down") {
      unfinished("looking", "a direction");
    }
    if (take("up")) tell(CaptionSlot::pitch, 2);
    if (take("down")) tell(CaptionSlot::pitch, 0);
  }

  void before() {
    while (peek() == "a" || peek() == "an" || peek() == "the") ++at_;
    const int colour = index_in(kColours, peek());
    if (colour >= 0) {
      tell(CaptionSlot::backdrop_colour, colour);
      ++at_;
    }
    const int what = index_in(kBackdrops, peek());
    if (what < 0) unfinished("before", "a backdrop");
    tell(CaptionSlot::backdrop, what);
    ++at_;
  }

  // A colour: what it belongs to follows it.
  void coloured(const std::string& word) {
    const int colour = index_in(kColours, word);
    if (const int i = index_in(kHats, peek()); i > 0 && colour >= 0) {
      tell(CaptionSlot::hat, i);
      tell(CaptionSlot::hat_colour, colour);
      ++at_;
    } else if (colour >= 0 && take("shirt")) {
      tell(CaptionSlot::clothes_colour, colour);
    } else if (const int hair = index_in(kHairColours, word); hair >= 0 && take("hair")) {
      tell(CaptionSlot::hair_colour, hair);
    } else {
      unfinished(word, "what has that colour");
    }
  }

  [[noreturn]] static void unknown(const std::string& word) {
    const std::vector<std::string> known(std::begin(kVocabulary) + 3, std::end(kVocabulary));
    const bool in_grammar = std::find(known.begin(), known.end(), word) != known.end();
    throw Error(ErrorCode::invalid_argument,
                fmt::format("caption: {} {}", quote(word),
                            in_grammar ? "stands alone" : "is outside the grammar"),
                in_grammar ? std::string() : did_you_mean(word, known));
  }

  std::vector<std::string> words_;
  std::size_t at_ = 0;
  FaceCaption caption_;
};

int yaw_step(double degrees) {
  return degrees < -35 ? 0 : degrees < -12 ? 1 : degrees <= 12 ? 2 : degrees <= 35 ? 3 : 4;
}

}  // namespace

std::string_view name_of(CaptionSlot slot) {
  const auto i = static_cast<std::size_t>(slot);
  return i < kCaptionSlots ? kSlotNames[i] : std::string_view("invalid");
}

int caption_values(CaptionSlot slot) {
  return kSlotValues[static_cast<std::size_t>(slot)];
}

FaceCaption caption_of(const FaceAttributes& a) {
  FaceCaption c;
  const auto number = [](auto value) { return static_cast<int>(value); };
  c[CaptionSlot::yaw] = yaw_step(a.yaw_deg);
  c[CaptionSlot::pitch] = a.pitch_deg < -9 ? 0 : a.pitch_deg <= 9 ? 1 : 2;
  c[CaptionSlot::eyes] = a.eyes_closed > 0.6 ? 1 : 0;
  c[CaptionSlot::expression] = a.expression_strength < 0.25 ? 0 : number(a.expression);
  c[CaptionSlot::hair] = number(a.hair);
  if (a.hair != FaceHair::bald) c[CaptionSlot::hair_colour] = number(a.hair_colour);
  c[CaptionSlot::beard] = number(a.beard);
  c[CaptionSlot::glasses] = number(a.glasses);
  c[CaptionSlot::hat] = number(a.hat);
  if (a.hat != FaceHat::none) c[CaptionSlot::hat_colour] = number(a.hat_colour);
  c[CaptionSlot::occlusion] = number(a.occlusion);
  c[CaptionSlot::clothes_colour] = number(a.clothes_colour);
  c[CaptionSlot::backdrop] = number(a.backdrop);
  if (a.backdrop != FaceBackdrop::park) c[CaptionSlot::backdrop_colour] = number(a.backdrop_colour);
  return c;
}

std::string caption_text(const FaceCaption& c) {
  std::vector<std::string_view> words{"face"};
  const auto say = [&words](Words list) {
    for (const std::string_view w : list) {
      if (!w.empty()) words.push_back(w);
    }
  };
  const auto pick = [&c](const auto& list, CaptionSlot slot) -> std::string_view {
    const int i = c[slot];
    return i >= 0 && static_cast<std::size_t>(i) < std::size(list)
               ? list[static_cast<std::size_t>(i)]
               : std::string_view();
  };
  constexpr std::string_view kYaws[] = {"left", "left", "ahead", "right", "right"};
  const int yaw = c[CaptionSlot::yaw], pitch = c[CaptionSlot::pitch];
  const std::string_view tilt = pitch == 0 ? "down" : pitch == 2 ? "up" : "";
  if (yaw >= 0 || !tilt.empty()) {
    say({"looking", yaw == 0 || yaw == 4 ? "far" : "", pick(kYaws, CaptionSlot::yaw), tilt});
  }
  if (c[CaptionSlot::eyes] == 1) say({"eyes", "closed"});
  say({pick(kExpressions, CaptionSlot::expression)});
  const std::string_view hair_colour = pick(kHairColours, CaptionSlot::hair_colour);
  if (c[CaptionSlot::hair] == 0) {
    say({"bald"});
  } else if (c[CaptionSlot::hair] > 0 || !hair_colour.empty()) {
    say({pick(kHairs, CaptionSlot::hair), hair_colour, "hair"});
  }
  say({pick(kBeards, CaptionSlot::beard)});
  const int glasses = c[CaptionSlot::glasses];
  if (glasses == 3) say({"sunglasses"});
  if (glasses == 1 || glasses == 2) say({glasses == 1 ? "round" : "square", "glasses"});
  if (c[CaptionSlot::hat] > 0)
    say({pick(kColours, CaptionSlot::hat_colour), pick(kHats, CaptionSlot::hat)});
  say({pick(kOcclusions, CaptionSlot::occlusion)});
  if (c[CaptionSlot::clothes_colour] >= 0)
    say({pick(kColours, CaptionSlot::clothes_colour), "shirt"});
  if (c[CaptionSlot::backdrop] >= 0) {
    say({"before", pick(kColours, CaptionSlot::backdrop_colour),
         pick(kBackdrops, CaptionSlot::backdrop)});
  }
  return fmt::format("{}", fmt::join(words, " "));
}

FaceCaption parse_caption(std::string_view text, CaptionReading reading) {
  FaceCaption caption = Parser(text).read();
  if (reading == CaptionReading::complete) {
    for (const auto& [slot, absent] : {std::pair{CaptionSlot::pitch, 1},
                                       {CaptionSlot::eyes, 0},
                                       {CaptionSlot::beard, 0},
                                       {CaptionSlot::glasses, 0},
                                       {CaptionSlot::hat, 0},
                                       {CaptionSlot::occlusion, 0}}) {
      if (caption[slot] == -1) caption[slot] = absent;
    }
  }
  return caption;
}

void apply_caption(const FaceCaption& c, FaceAttributes& a) {
  constexpr double kYaw[] = {-46, -22, 0, 22, 46};
  constexpr double kPitch[] = {-16, 0, 16};
  for (std::size_t i = 0; i < kCaptionSlots; ++i) {
    if (c.slots[i] < -1 || c.slots[i] >= kSlotValues[i]) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("caption: {} has no value {}", kSlotNames[i], c.slots[i]));
    }
  }
  const auto set = [&c](auto& member, CaptionSlot slot) {
    if (c[slot] >= 0) member = static_cast<std::remove_reference_t<decltype(member)>>(c[slot]);
  };
  if (c[CaptionSlot::yaw] >= 0) a.yaw_deg = kYaw[c[CaptionSlot::yaw]];
  if (c[CaptionSlot::pitch] >= 0) a.pitch_deg = kPitch[c[CaptionSlot::pitch]];
  if (c[CaptionSlot::eyes] >= 0) a.eyes_closed = c[CaptionSlot::eyes];
  if (c[CaptionSlot::expression] >= 0) a.expression_strength = std::max(a.expression_strength, 0.8);
  set(a.expression, CaptionSlot::expression);
  set(a.hair, CaptionSlot::hair);
  set(a.hair_colour, CaptionSlot::hair_colour);
  set(a.beard, CaptionSlot::beard);
  set(a.glasses, CaptionSlot::glasses);
  set(a.hat, CaptionSlot::hat);
  set(a.hat_colour, CaptionSlot::hat_colour);
  set(a.occlusion, CaptionSlot::occlusion);
  set(a.clothes_colour, CaptionSlot::clothes_colour);
  set(a.backdrop, CaptionSlot::backdrop);
  set(a.backdrop_colour, CaptionSlot::backdrop_colour);
}

CaptionMatch match_caption(const FaceCaption& prompt, const FaceCaption& shown) {
  CaptionMatch match;
  for (std::size_t i = 0; i < kCaptionSlots; ++i) {
    if (prompt.slots[i] == -1) continue;
    ++match.asked;
    match.matched += prompt.slots[i] == shown.slots[i] ? 1 : 0;
  }
  return match;
}

std::span<const std::string_view> caption_vocabulary() {
  return kVocabulary;
}

std::vector<int> caption_tokens(std::string_view text, int length) {
  std::vector<int> tokens{kCaptionBegin};
  for (const std::string& word : words_of(text)) {
    const int token = index_in(kVocabulary, word);
    if (token < 3) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("caption: {} is outside the grammar", quote(word)));
    }
    tokens.push_back(token);
  }
  tokens.push_back(kCaptionEnd);
  if (length < 0 || tokens.size() > static_cast<std::size_t>(length)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("caption: {} tokens do not fit {}", tokens.size(), length));
  }
  tokens.resize(static_cast<std::size_t>(length), kCaptionPad);
  return tokens;
}

std::string caption_from_tokens(std::span<const int> tokens) {
  std::vector<std::string_view> words;
  for (const int token : tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= std::size(kVocabulary)) {
      throw Error(ErrorCode::invalid_argument, fmt::format("caption: there is no token {}", token));
    }
    if (token > kCaptionEnd) words.push_back(kVocabulary[token]);
  }
  return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace sosia::world
