#pragma once
// Token streams for the tests of this room.

#include "sosia/core/rng.hpp"
#include "sosia/llm/draft.hpp"

#include <cstdint>
#include <vector>

namespace sosia::llm::test {

inline std::vector<Token> random_tokens(std::size_t count, std::uint64_t vocabulary,
                                        std::uint64_t seed, std::uint64_t index = 0) {
  RandomStream random(seed, "tokens", index);
  std::vector<Token> tokens(count);
  for (Token& t : tokens) t = static_cast<Token>(random.below(vocabulary));
  return tokens;
}

/// Text with the repetitions of templates: phrases drawn from a stock, now and then a random token.
inline std::vector<Token> phrased_tokens(std::size_t count, std::uint64_t seed,
                                         std::uint64_t index = 0, std::size_t stock = 40) {
  std::vector<std::vector<Token>> phrases;
  RandomStream shapes(seed, "phrases");
  for (std::size_t i = 0; i < stock; ++i) {
    const std::size_t length = 4 + shapes.below(20);
    phrases.push_back(random_tokens(length, 1000, seed, 1000 + i));
  }
  RandomStream random(seed, "text", index);
  std::vector<Token> tokens;
  while (tokens.size() < count) {
    const auto& phrase = phrases[random.below(phrases.size())];
    tokens.insert(tokens.end(), phrase.begin(), phrase.end());
    if (random.below(3) == 0) tokens.push_back(static_cast<Token>(random.below(1000)));
  }
  tokens.resize(count);
  return tokens;
}

}  // namespace sosia::llm::test
