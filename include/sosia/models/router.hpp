#pragma once
// A card for a network that has none, guessed from its inputs and outputs. A suggestion: a person
// confirms it.

#include "sosia/models/card.hpp"
#include "sosia/models/network.hpp"

#include <span>
#include <string>
#include <vector>

namespace sosia::models {

struct Suggestion {
  ModelCard card = {};                  ///< without file and hash
  std::string convention = {};          ///< the built-in card that it was made from
  std::vector<std::string> why = {};    ///< what was seen, in sentences
  std::vector<std::string> check = {};  ///< what a person has to make sure of
};

/// By InsightFace's rules with the shapes of other families: five outputs or more are a detector,
/// two inputs with a 128-pixel picture a swapper, 192 landmarks, 96 attributes, a square from 112
/// up a recogniser, 256 x 128 a person, 80 or 128 with two or three numbers anti-spoofing.
/// `file_name` tells families of one shape apart (adaface: BGR). A convention that is `named` is
/// taken instead of what the rules say. Throws unsupported when no rule fits or the network takes
/// no picture, with what was seen; not_found when the convention is not among `conventions`.
/// Reference: insightface, model_zoo/model_zoo.py (ModelRouter).
Suggestion suggest_card(std::span<const Port> inputs, std::span<const Port> outputs,
                        const std::string& file_name, std::span<const ModelCard> conventions,
                        const std::string& named = {});

}  // namespace sosia::models
