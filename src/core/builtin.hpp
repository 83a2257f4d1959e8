#pragma once
// Verbs that need the catalogue besides their options; private to core.

#include "sosia/core/catalogue.hpp"

namespace sosia {

/// A verb of `function(const Options&, RunContext&)`, which holds what it needs besides. `plan`,
/// where it is given, is the dry run.
template <class Options, class Function, class Plan = std::nullptr_t>
Verb bound_verb(VerbInfo info, Function function, Plan plan = nullptr) {
  Options defaults;
  Schema schema = schema_of([&](Fields& f) { describe(f, defaults); });
  Verb::Run plan_erased;
  if constexpr (!std::is_null_pointer_v<Plan>) {
    plan_erased = [plan](const Settings& settings, RunContext& context) {
      return plan(decode<Options>(settings), context);
    };
  }
  return Verb(
      std::move(info), std::move(schema),
      [function](const Settings& settings, RunContext& context) {
        return function(decode<Options>(settings), context);
      },
      std::move(plan_erased),
      [](const Settings& settings) { return encode(decode<Options>(settings)); });
}

/// `sosia train`.
Verb train_verb(const Catalogue& catalogue);

}  // namespace sosia
