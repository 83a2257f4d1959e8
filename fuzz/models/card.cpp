// Fuzz target: model cards, and texts for the tokenizer. A card that is read must be written such
// that it reads again as the same.

#include "../fuzz_target.hpp"
#include "sosia/models.hpp"

#include <cstdlib>

namespace {

using namespace sosia;

void exercise(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  static const models::WordPieceTokenizer kTokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n");
  if (kTokenizer.encode(text, 16).size() > 16) std::abort();
  const models::ModelCard card = models::parse_card(text, "fuzz");
  const models::ModelCard again = models::parse_card(models::card_to_toml(card), "again");
  if (models::to_value(again) != models::to_value(card)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  std::vector<std::string> seeds;
  for (const models::ModelCard& card : models::built_in_cards()) {
    seeds.push_back(models::card_to_toml(card));
  }
  return fuzz::add_seeds(argc, argv, seeds);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::run(exercise, data, size);
}
