#pragma once

#include "sosia/world/face.hpp"

namespace sosia::world {

inline constexpr int kMinFacePx = 32;
inline constexpr int kMaxFacePx = 256;

/// Throws invalid_argument naming the first parameter that is out of range or not finite.
void check_face(const FaceIdentity& identity, const FaceAttributes& attributes, int size_px);

}  // namespace sosia::world
