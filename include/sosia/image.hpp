#pragma once
// The image room: decode, encode, transform, draw, and frames of folders and videos.

#include "sosia/image/decode.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/image/frames.hpp"
#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"
#include "sosia/image/planar.hpp"
#include "sosia/image/transform.hpp"
