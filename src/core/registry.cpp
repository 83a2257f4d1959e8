#include "sosia/core/registry.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

namespace sosia {

void Registry::add(Verb verb) {
  const std::string path = verb.info().path();
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::internal, "verb " + quote(path) + " " + why);
  };
  if (find_verb(path) != nullptr) refuse("is declared twice");
  if (verb.info().name.empty() || verb.info().summary.empty()) refuse("has no name or summary");
  if (verb.info().examples.size() < 2) refuse("needs two examples");
  verbs_.push_back(std::move(verb));
}

void Registry::add(Claim claim) {
  if (find_claim(claim.method) != nullptr || claim.rule.empty() || claim.method.empty()) {
    throw Error(ErrorCode::internal,
                "claim of " + quote(claim.method) + " is declared twice or has no rule");
  }
  claims_.push_back(std::move(claim));
}

void Registry::add(Training training) {
  const std::string method = training.info().method;
  if (find_training(method) != nullptr || method.empty() || training.info().title.empty()) {
    throw Error(ErrorCode::internal,
                "training of " + quote(method) + " is declared twice or has no title");
  }
  trainings_.push_back(std::move(training));
}

const Verb* Registry::find_verb(std::string_view path) const noexcept {
  for (const Verb& verb : verbs_) {
    if (verb.info().path() == path) return &verb;
  }
  return nullptr;
}

const Claim* Registry::find_claim(std::string_view method) const noexcept {
  for (const Claim& claim : claims_) {
    if (claim.method == method) return &claim;
  }
  return nullptr;
}

const Training* Registry::find_training(std::string_view method) const noexcept {
  for (const Training& training : trainings_) {
    if (training.info().method == method) return &training;
  }
  return nullptr;
}

}  // namespace sosia
