#pragma once
// The gallery room: enrol, search, decide, forget.

#include "sosia/gallery/calibrate.hpp"
#include "sosia/gallery/decision.hpp"
#include "sosia/gallery/gallery.hpp"
#include "sosia/gallery/groups.hpp"
#include "sosia/gallery/place.hpp"
#include "sosia/gallery/policy.hpp"
#include "sosia/gallery/sink.hpp"
#include "sosia/gallery/template.hpp"
