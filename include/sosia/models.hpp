#pragma once
// The models room: cards that say what a network wants and gives, the store that finds cards and
// weights, networks that run, and the text encoder.

#include "sosia/models/card.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/place.hpp"
#include "sosia/models/router.hpp"
#include "sosia/models/store.hpp"
#include "sosia/models/tensor.hpp"
#include "sosia/models/text_encoder.hpp"
