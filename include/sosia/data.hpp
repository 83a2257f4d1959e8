#pragma once
// Pictures to learn from: sets, transforms, samplers, loader.

#include "sosia/data/dataset.hpp"
#include "sosia/data/loader.hpp"
#include "sosia/data/sampler.hpp"
#include "sosia/data/transform.hpp"
