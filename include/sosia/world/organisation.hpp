#pragma once
// Organisations with several names: a grammar of invented company names in the manner of many
// countries, with legal forms, acronyms, aliases, transliterations and typing errors, and the truth
// which name belongs to whom. For record linkage: examples, tests and claims of the link room.
// No name is taken from a list of real companies; syllables and words are put together at random,
// so that a coincidence with a real name is possible but means nothing.

#include "sosia/core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::world {

/// How a mention came from the organisation's registered name.
enum class NameChange : std::uint8_t {
  registered,      ///< the name as registered, with its legal form
  no_form,         ///< without the legal form
  other_form,      ///< legal form spelt out, abbreviated or punctuated otherwise
  acronym,         ///< initials of the words
  alias,           ///< trade name: a part of the name, or another word
  former,          ///< an earlier name
  transliterated,  ///< umlauts, accents and letters of other scripts written in ASCII
  native_script,   ///< the name in its country's script, where it is not Latin
  translated,      ///< the words of the trade in another language
  word_order,      ///< words swapped or joined, "of" forms
  typing_error,    ///< one or two typing errors
  noise,           ///< capitals, punctuation, spaces, a place or a department added
};
std::string_view name_of(NameChange change);
inline constexpr std::size_t kNameChanges = 12;

struct OrganisationOptions {
  std::uint64_t seed = 0;
  double typing_errors = 0.25;  ///< chance that a mention gets typing errors on top
  double hard_negatives = 0.2;  ///< chance that an organisation shares its rare word with another
  int min_mentions = 2;         ///< of each organisation; 1 to 100
  int max_mentions = 6;
};

/// One name as somebody wrote it.
struct OrganisationMention {
  std::int64_t entity = 0;   ///< number of the organisation, from 1
  std::int64_t mention = 0;  ///< within the organisation, from 0; 0 is the registered name
  std::string name;          ///< UTF-8
  NameChange change = NameChange::registered;
  int typing_errors = 0;  ///< edits on top of `change`
};

struct Organisation {
  std::int64_t entity = 0;
  std::string country;     ///< ISO 3166-1 alpha-2, "DE"
  std::string name;        ///< registered, with legal form, in the Latin script
  std::string core;        ///< the same without legal form
  std::string legal_form;  ///< "GmbH"
  std::string native;      ///< in the country's script; empty where that is Latin
  std::string acronym;     ///< empty for names of one word
  std::string trade;       ///< "software", "shipping", ... in English
  std::string city;
  std::int64_t sibling = 0;  ///< the organisation whose rare word it shares (hard negative), or 0
  std::vector<OrganisationMention> mentions;  ///< the first is the registered name
};

/// Organisation `entity` (from 1) of the world of `options`: a pure function of both.
/// Throws invalid_argument for entity < 1 or an option out of range.
Organisation organisation(const OrganisationOptions& options, std::int64_t entity);

/// Organisations 1 to `count`. Throws invalid_argument for count < 1.
std::vector<Organisation> organisations(const OrganisationOptions& options, std::int64_t count);

/// One line of truth.jsonl.
Value to_value(const Organisation& organisation);
Value to_value(const OrganisationMention& mention);

}  // namespace sosia::world
