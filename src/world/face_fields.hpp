#pragma once
// The attributes of a face once more, as data: names, ranges and spellings for checks, truth files
// and captions.

#include "sosia/world/face.hpp"

#include <array>
#include <span>
#include <string_view>

namespace sosia::world {

struct FaceNumber {
  std::string_view name;
  double FaceAttributes::* member;
  double min, max;
};

/// All numbers of `FaceAttributes`, in the order of truth files.
std::span<const FaceNumber> face_numbers();

std::span<const std::string_view> names_of_expressions();
std::span<const std::string_view> names_of_hairs();
std::span<const std::string_view> names_of_hair_colours();
std::span<const std::string_view> names_of_beards();
std::span<const std::string_view> names_of_glasses();
std::span<const std::string_view> names_of_hats();
std::span<const std::string_view> names_of_backdrops();
std::span<const std::string_view> names_of_occlusions();
std::span<const std::string_view> names_of_colours();

/// Calls visit(name, member, spellings) for every closed choice, in the order of truth files.
template <class Attributes, class Visit>
void each_face_choice(Attributes& a, const Visit& visit) {
  visit("expression", a.expression, names_of_expressions());
  visit("hair", a.hair, names_of_hairs());
  visit("hair_colour", a.hair_colour, names_of_hair_colours());
  visit("beard", a.beard, names_of_beards());
  visit("glasses", a.glasses, names_of_glasses());
  visit("hat", a.hat, names_of_hats());
  visit("hat_colour", a.hat_colour, names_of_colours());
  visit("clothes_colour", a.clothes_colour, names_of_colours());
  visit("backdrop", a.backdrop, names_of_backdrops());
  visit("backdrop_colour", a.backdrop_colour, names_of_colours());
  visit("occlusion", a.occlusion, names_of_occlusions());
}

}  // namespace sosia::world
