#pragma once
// JSON Schema as a grammar.

#include "sosia/core/value.hpp"

#include <string>

namespace sosia::llm {

/// GBNF, with the rule `root`, of the JSON documents that satisfy `schema`.
///
/// Understood: `type` (one or a list) of object, array, string, number, integer, boolean and null;
/// `properties` (in their order), `required`, `additionalProperties: false`; `items`, `minItems`,
/// `maxItems`; `minLength`, `maxLength`; `enum`, `const`; `anyOf`, and `oneOf` taken as `anyOf`;
/// `$ref` to `#`, `#/$defs/...` or `#/definitions/...`, recursion included. Objects have no other
/// properties than those named, save one that names none. Titles, descriptions, defaults, examples
/// and comments are let be. Throws unsupported, with the name and place, for everything else, and
/// corrupt_data for what is no schema.
std::string json_schema_to_gbnf(const Value& schema);

}  // namespace sosia::llm
