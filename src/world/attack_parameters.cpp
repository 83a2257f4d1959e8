#include "sosia/core/error.hpp"
#include "world/attack_parts.hpp"
#include "world/draw.hpp"
#include "world/truth.hpp"

#include <fmt/format.h>

namespace sosia::world {
namespace {

using P = AttackParameters;
struct Number {
  std::string_view name;
  double P::* member;
  double min, max;
};
constexpr Number kNumbers[] = {
    {"size", &P::size, 0.5, 1.6},        {"shift_x", &P::shift_x, -0.2, 0.2},
    {"shift_y", &P::shift_y, -0.2, 0.2}, {"turn_deg", &P::turn_deg, -25, 25},
    {"tilt_x", &P::tilt_x, -0.3, 0.3},   {"tilt_y", &P::tilt_y, -0.3, 0.3},
    {"border", &P::border, 0, 0.2},      {"moire", &P::moire, 0, 1},
    {"moire_x", &P::moire_x, 1, 40},     {"moire_y", &P::moire_y, 1, 40},
    {"glare", &P::glare, 0, 1},          {"glare_x", &P::glare_x, 0, 1},
    {"glare_y", &P::glare_y, 0, 1},      {"banding", &P::banding, 0, 1},
    {"halftone", &P::halftone, 0, 1},    {"curl", &P::curl, 0, 1},
    {"fading", &P::fading, 0, 1},        {"cast", &P::cast, -1, 1},
    {"blur", &P::blur, 0, 0.02},         {"noise", &P::noise, 0, 0.1}};

}  // namespace

std::string_view name_of(AttackKind kind) {
  constexpr std::string_view kNames[kAttackKinds] = {"print", "replay", "mask"};
  const auto i = static_cast<std::size_t>(kind);
  return i < kAttackKinds ? kNames[i] : std::string_view("invalid");
}

void check_attack(const AttackParameters& attack) {
  const auto kind = static_cast<int>(attack.kind);
  if (kind < 0 || kind >= kAttackKinds) {
    throw Error(ErrorCode::invalid_argument, fmt::format("attack kind {} does not exist", kind));
  }
  for (const Number& n : kNumbers) {
    const double value = attack.*n.member;
    if (!(value >= n.min && value <= n.max)) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} is {}; it must be {} to {}", n.name, value, n.min, n.max));
    }
  }
}

AttackParameters random_attack(std::uint64_t seed, std::uint64_t subject, std::uint64_t number,
                               AttackKind kind) {
  Draw draw(derive_seed(seed, "attacks", subject), name_of(kind), number);
  AttackParameters a;
  a.kind = kind;
  a.size = rounded(draw.range(0.85, 1.35));
  a.shift_x = rounded(draw.normal_within(0, 0.03, -0.1, 0.1));
  a.shift_y = rounded(draw.normal_within(0, 0.03, -0.1, 0.1));
  a.turn_deg = rounded(draw.normal_within(0, 5, -15, 15), 2);
  a.tilt_x = rounded(draw.normal_within(0, 0.08, -0.25, 0.25));
  a.tilt_y = rounded(draw.normal_within(0, 0.06, -0.2, 0.2));
  a.border = rounded(draw.range(0.02, 0.10));
  a.moire = rounded(draw.range(0.25, 0.9));
  a.moire_x = rounded(draw.range(3, 16), 2);
  a.moire_y = rounded(draw.range(1, 12), 2);
  a.glare = draw.chance(0.7) ? rounded(draw.range(0.1, 0.7)) : 0.0;
  a.glare_x = rounded(draw.range(0.1, 0.9));
  a.glare_y = rounded(draw.range(0.05, 0.6));
  a.banding = rounded(draw.range(0, 0.6));
  a.halftone = rounded(draw.range(0.2, 0.9));
  a.curl = rounded(draw.range(0, 0.8));
  a.fading = rounded(draw.range(0.2, 0.8));
  a.cast = rounded(draw.normal_within(kind == AttackKind::replay ? -0.25 : 0.15, 0.35, -1, 1));
  a.blur = rounded(draw.range(0.001, 0.007));
  a.noise = rounded(draw.range(0.004, 0.02));
  a.texture_seed = static_cast<std::uint32_t>(draw.bits());
  return a;
}

Value to_value(const AttackParameters& attack) {
  Value out = Value::object({{"kind", name_of(attack.kind)}});
  for (const Number& n : kNumbers) out.set(n.name, rounded(attack.*n.member));
  out.set("texture_seed", static_cast<std::int64_t>(attack.texture_seed));
  return out;
}

}  // namespace sosia::world
