#pragma once
// The spellings of a card's enumerations.

#include "models/table_reader.hpp"
#include "sosia/models/card.hpp"

namespace sosia::models {

const Spellings<CardKind>& card_kinds();
const Spellings<Role>& roles();
const Spellings<Graph>& graphs();
const Spellings<Alignment>& alignments();
const Spellings<Colour>& colours();
const Spellings<Layout>& layouts();
const Spellings<Metric>& metrics();

}  // namespace sosia::models
