#pragma once
// What a face picture shows, in words: a grammar of 60 words and a parser back, so that prompt
// following can be scored. The identity is never named: no word depends on `FaceIdentity`.
//
//   caption  = "face" "looking" yaw [pitch] ["eyes closed"] expression hair [beard] [glasses]
//              [colour hat] [occlusion] colour "shirt" "before" [colour] backdrop
//   yaw      = "far left" | "left" | "ahead" | "right" | "far right"      pitch = "up" | "down"
//   hair     = "bald" | ("cropped" | "short" | "curly" | "bob" | "long" | "bun") colour "hair"
//   glasses  = "round glasses" | "square glasses" | "sunglasses"
//   backdrop = "wall" | "gradient" | "bricks" | "shelves" | "park" | "window"
//
// "park" has no colour. A caption has at most 22 words, 24 with begin and end.

#include "sosia/core/value.hpp"
#include "sosia/world/face.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::world {

/// What a caption can say.
enum class CaptionSlot : std::uint8_t {
  yaw,    ///< 0 far left, 1 left, 2 ahead, 3 right, 4 far right
  pitch,  ///< 0 down, 1 level, 2 up
  eyes,   ///< 0 open, 1 closed
  expression,
  hair,
  hair_colour,
  beard,
  glasses,
  hat,
  hat_colour,
  occlusion,
  clothes_colour,
  backdrop,
  backdrop_colour,
};
inline constexpr int kCaptionSlots = 14;
/// "yaw", ...
std::string_view name_of(CaptionSlot slot);
/// The number of values of a slot.
int caption_values(CaptionSlot slot);

/// A reading of a caption: the value of each slot, -1 where nothing is said.
struct FaceCaption {
  std::array<int, kCaptionSlots> slots;

  FaceCaption() { slots.fill(-1); }
  int operator[](CaptionSlot slot) const { return slots[static_cast<std::size_t>(slot)]; }
  int& operator[](CaptionSlot slot) { return slots[static_cast<std::size_t>(slot)]; }
  friend bool operator==(const FaceCaption&, const FaceCaption&) = default;
};

/// Everything a full caption of a picture with these attributes says. Colours of what is absent
/// (hat, hair of the bald, park) are -1.
FaceCaption caption_of(const FaceAttributes& attributes);

/// The words of a caption. A slot that says "none" or nothing is left out; so "face" alone is the
/// caption of nothing.
std::string caption_text(const FaceCaption& caption);

enum class CaptionReading {
  partial,   ///< what is not mentioned is -1
  complete,  ///< what is not mentioned is absent: no hat, no glasses, eyes open, level
};

/// The inverse of `caption_text`, tolerant: phrases in any order, with "a", "an", "the", "with",
/// "and", "in" and punctuation between them, any case. Throws invalid_argument for a word outside
/// the grammar (with the nearest word), a phrase that is not finished, and a slot that is told
/// twice.
FaceCaption parse_caption(std::string_view text, CaptionReading reading = CaptionReading::partial);

/// Sets what `caption` says; a yaw or pitch step becomes its middle.
void apply_caption(const FaceCaption& caption, FaceAttributes& attributes);

/// How well a picture follows its prompt.
struct CaptionMatch {
  int asked = 0;    ///< slots that the prompt fills
  int matched = 0;  ///< of these, slots with the same value
  /// matched / asked; 1 for an empty prompt.
  double accuracy() const { return asked == 0 ? 1.0 : static_cast<double>(matched) / asked; }
};
CaptionMatch match_caption(const FaceCaption& prompt, const FaceCaption& shown);

/// Tokens for text encoders: 0 padding, 1 begin, 2 end, then the words of the grammar.
inline constexpr int kCaptionPad = 0;
inline constexpr int kCaptionBegin = 1;
inline constexpr int kCaptionEnd = 2;
inline constexpr int kMaxCaptionTokens = 24;
/// All tokens; the index is the token's number.
std::span<const std::string_view> caption_vocabulary();
/// Begin, words, end, padded to `length`. Throws invalid_argument for a word outside the grammar or
/// a text that does not fit.
std::vector<int> caption_tokens(std::string_view text, int length = kMaxCaptionTokens);
/// The words of tokens; begin, end and padding are left out.
std::string caption_from_tokens(std::span<const int> tokens);

}  // namespace sosia::world
