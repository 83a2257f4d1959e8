#include "llm/methods/lookahead/prompts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::llm::lookahead {
namespace fs = std::filesystem;

namespace {

template <class Take>
std::vector<std::string> read_lines(const fs::path& path, const Take& take) {
  std::vector<std::string> texts;
  const std::string content = read_text(path);
  for (const std::string_view line : split(content, '\n')) {
    if (trim(line).empty()) continue;
    std::string text = take(parse_json(line, path.string()));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> some_of(std::vector<std::string> all, std::size_t count,
                                 RandomStream stream) {
  stream.shuffle(std::span(all));
  all.resize(std::min(count, all.size()));
  return all;
}

/// Questions about orders, all of one template, with names and numbers that differ.
std::vector<std::string> templated(std::size_t count, RandomStream stream) {
  const std::vector<std::string> names{"Ada", "Bo", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana"};
  const std::vector<std::string> things{"apples", "books", "chairs", "lamps", "pens", "shirts"};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& name = names[stream.below(names.size())];
    const auto& thing = things[stream.below(things.size())];
    const std::uint64_t number = 2 + stream.below(40), price = 1 + stream.below(20);
    texts.push_back(
        fmt::format("Write a JSON object with the keys customer, item, quantity and "
                    "price for this order: {} buys {} {} at {} dollars each.",
                    name, number, thing, price));
  }
  return texts;
}

}  // namespace

Prompts draw_prompts(const fs::path& folder, std::size_t warm, std::size_t test,
                     std::uint64_t seed) {
  Prompts prompts;
  if (folder.empty()) {
    // Some may be asked twice; that is what such traffic is like.
    prompts.warm = templated(warm, RandomStream(seed, "warm"));
    prompts.test = templated(test, RandomStream(seed, "test"));
    prompts.described = "templated requests that the claim draws itself";
    return prompts;
  }
  prompts.warm = some_of(read_lines(folder / "gsm8k" / "train-1000.jsonl",
                                    [](const Value& v) { return v.at("question").as_text(); }),
                         warm, RandomStream(seed, "warm"));
  prompts.test = some_of(read_lines(folder / "spec-bench" / "question.jsonl",
                                    [](const Value& v) {
                                      return v.at("category").as_text() == "math_reasoning"
                                                 ? v.at("turns").as_list().at(0).as_text()
                                                 : std::string();
                                    }),
                         test, RandomStream(seed, "test"));
  if (prompts.warm.empty() || prompts.test.empty()) {
    throw Error(ErrorCode::corrupt_data, "the data hold no prompts", "", folder.string());
  }
  prompts.described = "questions of GSM8K, tested on the math questions of Spec-Bench";
  return prompts;
}

}  // namespace sosia::llm::lookahead
