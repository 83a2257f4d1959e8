#include "world/face_fields.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "world/face_check.hpp"
#include "world/truth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace sosia::world {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kTraitNames[kFaceTraits] = {
    "face_width",  "face_length", "jaw_width",   "chin_length",  "cheekbones",     "hairline",
    "eye_spacing", "eye_size",    "eye_tilt",    "brow_height",  "brow_thickness", "brow_arch",
    "nose_length", "nose_width",  "mouth_width", "lip_fullness", "skin_tone",      "skin_warmth",
    "eye_colour",  "brow_tone",   "mole_x",      "mole_y"};
constexpr std::string_view kExpressionNames[kFaceExpressions] = {"neutral",  "smile",   "laugh",
                                                                 "surprise", "sadness", "anger"};
constexpr std::string_view kHairNames[kFaceHairs] = {"bald", "cropped",   "short_cut", "curly",
                                                     "bob",  "long_hair", "bun"};
constexpr std::string_view kHairColourNames[kFaceHairColours] = {"black", "brown", "auburn",
                                                                 "blond", "grey",  "white"};
constexpr std::string_view kBeardNames[kFaceBeards] = {"none", "stubble", "moustache", "full"};
constexpr std::string_view kGlassesNames[kFaceGlasses] = {"none", "round", "square", "sunglasses"};
constexpr std::string_view kHatNames[kFaceHats] = {"none", "cap", "beanie", "brim"};
constexpr std::string_view kBackdropNames[kFaceBackdrops] = {"plain",   "gradient", "bricks",
                                                             "shelves", "park",     "window"};
constexpr std::string_view kOcclusionNames[kFaceOcclusions] = {"none", "mask", "hand", "cup"};
constexpr std::string_view kColourNames[kFaceColours] = {"white",  "grey",  "black", "red",
                                                         "yellow", "green", "blue",  "purple"};
constexpr std::string_view kPartNames[kFaceParts] = {
    "background", "skin",      "left_brow", "right_brow", "left_eye", "right_eye", "glasses",
    "left_ear",   "right_ear", "earring",   "nose",       "mouth",    "upper_lip", "lower_lip",
    "neck",       "necklace",  "cloth",     "hair",       "hat",      "occluder"};

using A = FaceAttributes;
constexpr FaceNumber kNumbers[] = {
    {"yaw_deg", &A::yaw_deg, -60, 60},
    {"pitch_deg", &A::pitch_deg, -30, 30},
    {"roll_deg", &A::roll_deg, -45, 45},
    {"gaze_x", &A::gaze_x, -1, 1},
    {"gaze_y", &A::gaze_y, -1, 1},
    {"scale", &A::scale, 0.5, 1.5},
    {"shift_x", &A::shift_x, -0.3, 0.3},
    {"shift_y", &A::shift_y, -0.3, 0.3},
    {"light_azimuth_deg", &A::light_azimuth_deg, -120, 120},
    {"light_elevation_deg", &A::light_elevation_deg, -20, 80},
    {"light_strength", &A::light_strength, 0.3, 1.6},
    {"ambient", &A::ambient, 0.1, 1},
    {"light_warmth", &A::light_warmth, -1, 1},
    {"expression_strength", &A::expression_strength, 0, 1},
    {"eyes_closed", &A::eyes_closed, 0, 1},
    {"hair_parting", &A::hair_parting, -1, 1},
    {"blur", &A::blur, 0, 0.02},
    {"noise", &A::noise, 0, 0.1},
};

std::string_view checked_name(Names names, std::size_t index) {
  return index < names.size() ? names[index] : std::string_view("invalid");
}

double number_in(const Value& object, std::string_view name, double min, double max) {
  const double value = object.at(name).as_real();
  if (!(value >= min && value <= max)) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("{}: {} is out of range: it must be {} to {}", name, value, min, max));
  }
  return value;
}

std::size_t index_of(Names names, std::string_view key, const std::string& text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    const std::vector<std::string> choices(names.begin(), names.end());
    throw Error(ErrorCode::corrupt_data,
                fmt::format("{}: {} is none of {}", key, quote(text), fmt::join(choices, ", ")));
  }
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::span<const FaceNumber> face_numbers() {
  return kNumbers;
}
Names names_of_expressions() {
  return kExpressionNames;
}
Names names_of_hairs() {
  return kHairNames;
}
Names names_of_hair_colours() {
  return kHairColourNames;
}
Names names_of_beards() {
  return kBeardNames;
}
Names names_of_glasses() {
  return kGlassesNames;
}
Names names_of_hats() {
  return kHatNames;
}
Names names_of_backdrops() {
  return kBackdropNames;
}
Names names_of_occlusions() {
  return kOcclusionNames;
}
Names names_of_colours() {
  return kColourNames;
}

std::string_view name_of(FaceTrait v) {
  return checked_name(kTraitNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceExpression v) {
  return checked_name(kExpressionNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceHair v) {
  return checked_name(kHairNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceHairColour v) {
  return checked_name(kHairColourNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceBeard v) {
  return checked_name(kBeardNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceGlasses v) {
  return checked_name(kGlassesNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceHat v) {
  return checked_name(kHatNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceBackdrop v) {
  return checked_name(kBackdropNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceOcclusion v) {
  return checked_name(kOcclusionNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FaceColour v) {
  return checked_name(kColourNames, static_cast<std::size_t>(v));
}
std::string_view name_of(FacePart v) {
  return checked_name(kPartNames, static_cast<std::size_t>(v));
}

void check_face(const FaceIdentity& identity, const FaceAttributes& attributes, int size_px) {
  const auto require = [](std::string_view name, double value, double min, double max) {
    if (!(value >= min && value <= max)) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} is {}; it must be {} to {}", name, value, min, max));
    }
  };
  require("size_px", size_px, kMinFacePx, kMaxFacePx);
  for (int i = 0; i < kFaceTraits; ++i) {
    const auto at = static_cast<std::size_t>(i);
    require(kTraitNames[at], identity.traits[at], -1, 1);
  }
  for (const FaceNumber& n : kNumbers) require(n.name, attributes.*n.member, n.min, n.max);
  each_face_choice(attributes, [&](std::string_view name, auto value, Names names) {
    require(name, static_cast<double>(static_cast<int>(value)), 0,
            static_cast<double>(names.size()) - 1);
  });
}

Value to_value(const FaceIdentity& identity) {
  Value out = Value::object();
  for (std::size_t i = 0; i < kFaceTraits; ++i) {
    out.set(kTraitNames[i], rounded(identity.traits[i]));
  }
  return out;
}

Value to_value(const FaceAttributes& attributes) {
  Value out = Value::object();
  for (const FaceNumber& n : kNumbers) out.set(n.name, rounded(attributes.*n.member));
  each_face_choice(attributes, [&](std::string_view name, auto value, Names names) {
    out.set(name, names[static_cast<std::size_t>(value)]);
  });
  out.set("texture_seed", static_cast<std::int64_t>(attributes.texture_seed));
  return out;
}

FaceIdentity face_identity_from_value(const Value& value) {
  FaceIdentity identity;
  for (std::size_t i = 0; i < kFaceTraits; ++i) {
    identity.traits[i] = number_in(value, kTraitNames[i], -1, 1);
  }
  return identity;
}

FaceAttributes face_attributes_from_value(const Value& value) {
  FaceAttributes attributes;
  for (const FaceNumber& n : kNumbers) {
    attributes.*n.member = number_in(value, n.name, n.min, n.max);
  }
  each_face_choice(attributes, [&](std::string_view name, auto& member, Names names) {
    member = static_cast<std::remove_reference_t<decltype(member)>>(
        index_of(names, name, value.at(name).as_text()));
  });
  const std::int64_t seed = value.at("texture_seed").as_integer();
  if (seed < 0 || seed > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("texture_seed: {} does not fit 32 bits", seed));
  }
  attributes.texture_seed = static_cast<std::uint32_t>(seed);
  return attributes;
}

Value truth_of(const FaceImage& image) {
  const auto points = [](std::span<const image::Point> list) {
    Value out = Value::list();
    for (const image::Point& p : list) out.push(numbers({p.x_px, p.y_px}, 2));
    return out;
  };
  std::array<std::int64_t, kFaceParts> counts{};
  for (int y = 0; y < image.parts.height_px(); ++y) {
    const std::uint8_t* row = image.parts.row(y);
    for (int x = 0; x < image.parts.width_px(); ++x)
      ++counts[std::min<std::size_t>(row[x], kFaceParts - 1)];
  }
  const double pixels = static_cast<double>(image.parts.width_px()) * image.parts.height_px();
  Value parts = Value::object();
  for (std::size_t i = 0; i < kFaceParts; ++i) {
    if (counts[i] > 0) parts.set(kPartNames[i], rounded(static_cast<double>(counts[i]) / pixels));
  }
  return Value::object(
      {{"landmarks5", points(image.landmarks5)},
       {"landmarks68", points(image.landmarks68)},
       {"box",
        numbers({image.box.x_px, image.box.y_px, image.box.width_px, image.box.height_px}, 2)},
       {"parts", std::move(parts)}});
}

double identity_distance(const FaceIdentity& a, const FaceIdentity& b) {
  double sum = 0;
  for (std::size_t i = 0; i < kFaceTraits; ++i) {
    const double d = a.traits[i] - b.traits[i];
    sum += d * d;
  }
  return std::sqrt(sum / kFaceTraits);
}

double identity_similarity(const FaceIdentity& a, const FaceIdentity& b) {
  return 1 - identity_distance(a, b) / 2;
}

}  // namespace sosia::world
