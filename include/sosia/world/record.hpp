#pragma once
// Person records as two registers hold them: name, birth date, address, phone and e-mail of an
// entity, and corrupted copies of it (typing errors, nicknames, swapped fields, moved house,
// missing values), after the manner of Febrl's generator (Christen, "Febrl: a freely available
// record linkage system", HDKM 2008). Names are common given names and made-up family names;
// addresses and numbers are invented (phone numbers lie in ranges kept free for fiction where there
// are such).

#include "sosia/core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::world {

struct RecordOptions {
  std::uint64_t seed = 0;
  int min_copies = 0;  ///< corrupted copies of each entity; 0 to 100
  int max_copies = 3;
  double corruption = 1;     ///< strength, 0 (exact copies) to 3
  double households = 0.15;  ///< chance that an entity shares family name and address with another
};

/// What was done to a copy; a copy may hold several.
enum class RecordChange : std::uint8_t {
  typing_error,    ///< keyboard neighbour, dropped, doubled or swapped letter
  phonetic,        ///< "ph" for "f", "ck" for "k", ...
  scanning_error,  ///< "rn" for "m", "0" for "O", ...
  nickname,        ///< "Liz" for "Elizabeth"
  initial,         ///< given name cut to its first letter
  swapped_names,   ///< given and family name exchanged
  changed_name,    ///< other family name (marriage)
  date_error,      ///< day and month exchanged, a digit wrong, year only
  moved,           ///< another address
  abbreviated,     ///< "St." for "Street"
  other_format,    ///< phone or date written otherwise
  missing,         ///< a field empty
};
std::string_view name_of(RecordChange change);
inline constexpr std::size_t kRecordChanges = 12;

struct PersonRecord {
  std::int64_t entity = 0;  ///< from 1
  std::int64_t copy = 0;    ///< 0 is the clean record
  std::string given_name, family_name;
  std::string birth_date;  ///< "1984-03-09"; other forms in copies; may be empty in copies
  std::string street, postcode, city, country;
  std::string phone, email;
  std::vector<RecordChange> changes;
};

struct PersonEntity {
  std::int64_t entity = 0;
  std::int64_t household = 0;         ///< the entity whose address it shares, or 0
  std::vector<PersonRecord> records;  ///< the first is the clean one
};

/// Entity number `entity` (from 1): a pure function of both arguments. Throws invalid_argument for
/// entity < 1 or an option out of range.
PersonEntity person_entity(const RecordOptions& options, std::int64_t entity);

/// Entities 1 to `count`. Throws invalid_argument for count < 1.
std::vector<PersonEntity> person_entities(const RecordOptions& options, std::int64_t count);

Value to_value(const PersonRecord& record);

}  // namespace sosia::world
