// Person records: the truth that links copies, and that every kind of corruption occurs and is
// noted.

#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/world/record.hpp"
#include "world/truth.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

bool same_fields(const PersonRecord& a, const PersonRecord& b) {
  return a.given_name == b.given_name && a.family_name == b.family_name &&
         a.birth_date == b.birth_date && a.street == b.street && a.postcode == b.postcode &&
         a.city == b.city && a.phone == b.phone && a.email == b.email;
}

std::string text_hash(const std::string& text) {
  const auto size = static_cast<int>(text.size());
  return pixel_hash(reinterpret_cast<const std::uint8_t*>(text.data()), size, 1, 1, size);
}

TEST(Record, GoldenText) {
  // The same on every machine and with every compiler.
  std::string all;
  for (const PersonEntity& e : person_entities({.seed = 1}, 300)) {
    for (const PersonRecord& r : e.records) all += to_json(to_value(r), -1);
  }
  EXPECT_EQ(text_hash(all), "3d8c9e89e028f598");
}

TEST(Record, IsAPureFunctionOfSeedAndNumber) {
  const auto list = person_entities({.seed = 3}, 30);
  for (const PersonEntity& e : list) {
    const PersonEntity again = person_entity({.seed = 3}, e.entity);
    ASSERT_EQ(again.records.size(), e.records.size());
    for (std::size_t i = 0; i < e.records.size(); ++i) {
      EXPECT_EQ(to_json(to_value(again.records[i])), to_json(to_value(e.records[i])));
    }
  }
}

TEST(Record, CopiesNoteWhatWasDone) {
  std::map<RecordChange, int> changes;
  int copies = 0, exact = 0;
  for (const PersonEntity& e : person_entities({.seed = 1, .min_copies = 1}, 3000)) {
    const PersonRecord& clean = e.records[0];
    EXPECT_TRUE(clean.changes.empty());
    EXPECT_EQ(clean.birth_date.size(), 10u);
    EXPECT_NE(clean.email.find('@'), std::string::npos);
    for (std::size_t i = 1; i < e.records.size(); ++i) {
      const PersonRecord& copy = e.records[i];
      EXPECT_EQ(copy.entity, e.entity);
      EXPECT_EQ(copy.copy, static_cast<std::int64_t>(i));
      for (const RecordChange c : copy.changes) ++changes[c];
      ++copies;
      exact += copy.changes.empty();
      // Noted where it differs. (A change may undo another: then something is noted for nothing.)
      EXPECT_TRUE(!copy.changes.empty() || same_fields(copy, clean));
      const bool missing = copy.birth_date.empty() || copy.phone.empty() || copy.email.empty() ||
                           copy.street.empty() || copy.postcode.empty();
      const bool noted = std::find(copy.changes.begin(), copy.changes.end(),
                                   RecordChange::missing) != copy.changes.end();
      EXPECT_EQ(missing, noted);
    }
  }
  EXPECT_EQ(changes.size(), kRecordChanges);
  // Observed .11: most copies differ, some do not.
  EXPECT_GT(static_cast<double>(exact) / copies, 0.05);
  EXPECT_LT(static_cast<double>(exact) / copies, 0.30);
  EXPECT_GT(changes[RecordChange::typing_error], changes[RecordChange::swapped_names]);
}

TEST(Record, NoCorruptionGivesExactCopies) {
  for (const PersonEntity& e : person_entities({.min_copies = 2, .corruption = 0}, 200)) {
    for (const PersonRecord& r : e.records) EXPECT_TRUE(same_fields(r, e.records[0]));
  }
}

TEST(Record, HouseholdsShareTheAddressButNotThePerson) {
  const auto list = person_entities({.seed = 2}, 2000);
  int households = 0;
  for (const PersonEntity& e : list) {
    if (e.household == 0) continue;
    ++households;
    ASSERT_LT(e.household, e.entity);
    const PersonRecord &a = e.records[0],
                       &b = list[static_cast<std::size_t>(e.household - 1)].records[0];
    EXPECT_EQ(a.family_name, b.family_name);
    EXPECT_EQ(a.street, b.street);
    EXPECT_EQ(a.postcode, b.postcode);
    EXPECT_NE(a.given_name, b.given_name);
  }
  EXPECT_NEAR(households / 2000.0, 0.15, 0.03);
}

TEST(Record, RefusesBadInput) {
  expect_refused([] { person_entities({}, 0); }, "at least 1");
  expect_refused([] { person_entity({}, 0); }, "count from 1");
  expect_refused([] { person_entity({.min_copies = 4, .max_copies = 3}, 1); }, "copies");
  expect_refused([] { person_entity({.corruption = -1}, 1); }, "corruption");
}

}  // namespace
}  // namespace sosia::world
