#pragma once
// Procedural faces, attacks, persons, organisations and records with ground truth: the same seed
// gives the same pixels on every x86-64 machine.

#include "sosia/world/attack.hpp"
#include "sosia/world/caption.hpp"
#include "sosia/world/face.hpp"
#include "sosia/world/organisation.hpp"
#include "sosia/world/person.hpp"
#include "sosia/world/record.hpp"
