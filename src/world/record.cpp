// Person records and the ways in which registers get them wrong.

#include "sosia/world/record.hpp"

#include "sosia/core/error.hpp"
#include "world/draw.hpp"
#include "world/record_typing.hpp"
#include "world/record_words.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace sosia::world {
namespace {

using words::Named;
using words::Region;

void check(const RecordOptions& o) {
  const auto refuse = [](std::string what) {
    throw Error(ErrorCode::invalid_argument, std::move(what));
  };
  if (o.min_copies < 0 || o.max_copies > 100 || o.min_copies > o.max_copies) {
    refuse("copies: " + std::to_string(o.min_copies) + " to " + std::to_string(o.max_copies) +
           " must lie in 0 to 100 and not be empty");
  }
  if (!(o.corruption >= 0 && o.corruption <= 3)) refuse("corruption must be 0 to 3");
  if (!(o.households >= 0 && o.households <= 1)) refuse("households must be 0 to 1");
}

template <class T>
const T& any(Draw& draw, std::span<const T> list) {
  return list[static_cast<std::size_t>(draw.below(static_cast<int>(list.size())))];
}

std::string digits(Draw& draw, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>('0' + draw.below(10));
  return out;
}

std::string coin_family_name(Draw& draw, const Region& r) {
  const std::string_view start = any(draw, r.starts), end = any(draw, r.ends);
  return std::string(start) + std::string(end);
}

bool number_first(const Region& r) {
  return r.code == "GB" || r.code == "US" || r.code == "FR";
}

struct Address {
  std::string street, postcode, city;
};

Address draw_address(Draw& draw, const Region& r) {
  Address a;
  const std::string_view name = any(draw, r.streets);
  const Named& kind = any(draw, r.kinds);
  const Named& city = any(draw, r.cities);
  const std::string number = std::to_string(draw.between(1, 180));
  const std::string n(name), k(kind.name);
  if (r.code == "DE") {
    a.street = n + k + " " + number;
  } else if (number_first(r)) {
    a.street = r.code == "FR" ? number + " " + k + " " + n : number + " " + n + " " + k;
  } else {
    a.street = k + " " + n + " " + number;
  }
  a.postcode = std::string(city.brief);
  if (r.code == "GB") {
    a.postcode += " " + digits(draw, 1);
    a.postcode += static_cast<char>('A' + draw.below(24));
    a.postcode += static_cast<char>('A' + draw.below(24));
  } else {
    a.postcode += digits(draw, 2);
  }
  a.city = city.name;
  return a;
}

/// The clean record and the region it comes from.
struct Origin {
  PersonRecord record;
  const Region* region = nullptr;
};

std::string email_of(Draw& draw, const PersonRecord& r) {
  static constexpr std::array<std::string_view, 3> kHosts{"example.com", "example.org",
                                                          "example.net"};
  const std::string given = typing::slug(r.given_name), family = typing::slug(r.family_name);
  const std::string host(kHosts[static_cast<std::size_t>(draw.below(3))]);
  const std::string number = std::to_string(draw.between(1, 99));
  switch (draw.below(3)) {
    case 0:
      return given + "." + family + "@" + host;
    case 1:
      return given.substr(0, 1) + family + number + "@" + host;
    default:
      return given + number + "@" + host;
  }
}

Origin draw_origin(const RecordOptions& o, std::int64_t entity) {
  Draw draw(o.seed, "person record", static_cast<std::uint64_t>(entity));
  Origin origin;
  origin.region = &any(draw, words::regions());
  const Region& region = *origin.region;
  PersonRecord& r = origin.record;
  r.entity = entity;
  r.given_name = any(draw, region.given).name;
  r.family_name = coin_family_name(draw, region);
  const int year = draw.between(1935, 2006), month = draw.between(1, 12), day = draw.between(1, 28);
  r.birth_date = fmt::format("{:04}-{:02}-{:02}", year, month, day);
  const Address a = draw_address(draw, region);
  r.street = a.street;
  r.postcode = a.postcode;
  r.city = a.city;
  r.country = region.code;
  r.phone = std::string(region.phone) + digits(draw, region.code == "US" ? 2 : 4);
  r.email = email_of(draw, r);
  return origin;
}

/// The clean record of an entity, which may live with another.
Origin settled(const RecordOptions& o, std::int64_t entity, std::int64_t& household) {
  Origin origin = draw_origin(o, entity);
  Draw kin(o.seed, "household", static_cast<std::uint64_t>(entity));
  if (!kin.chance(o.households) || entity == 1) return origin;
  household =
      1 + static_cast<std::int64_t>(kin.stream().below(static_cast<std::uint64_t>(entity - 1)));
  // Family and address of another entity, which may have them from a third (numbers fall, so this
  // ends): similar records that must not be linked.
  std::int64_t unused = 0;
  const Origin head = settled(o, household, unused);
  PersonRecord& r = origin.record;
  std::string given(any(kin, head.region->given).name);
  for (int i = 0; given == head.record.given_name && i < 16; ++i) {
    given = any(kin, head.region->given).name;
  }
  r.given_name = given;
  r.family_name = head.record.family_name;
  r.street = head.record.street;
  r.postcode = head.record.postcode;
  r.city = head.record.city;
  r.country = head.record.country;
  const bool same_line = kin.chance(0.5);
  const std::string own =
      std::string(head.region->phone) + digits(kin, head.region->code == "US" ? 2 : 4);
  r.phone = same_line ? head.record.phone : own;
  r.email = email_of(kin, r);
  origin.region = head.region;
  return origin;
}

/// Changes copies, noting each change.
class Corrupter {
 public:
  Corrupter(const RecordOptions& o, const Region& region, Draw& draw, PersonRecord& record)
      : o_(o), region_(region), draw_(draw), r_(record) {}

  void run() {
    // Life first, then how it is told, then how it is keyed in.
    if (on(0.06)) changed_name();
    if (on(0.12)) moved();
    if (on(0.12)) nickname();
    if (on(0.07)) initial();
    if (on(0.25)) abbreviated();
    if (on(0.35)) other_format();
    if (on(0.08)) date_error();
    if (on(0.03)) swapped_names();
    if (on(0.12)) edit(RecordChange::phonetic, typing::sound_alike);
    if (on(0.05)) edit(RecordChange::scanning_error, typing::misread);
    if (on(0.40)) edit(RecordChange::typing_error, typing::slip);
    if (on(0.10)) edit(RecordChange::typing_error, typing::slip);
    if (on(0.25)) missing();
  }

 private:
  bool on(double chance) { return draw_.chance(std::min(chance * o_.corruption, 0.95)); }

  void note(RecordChange change) {
    if (std::find(r_.changes.begin(), r_.changes.end(), change) == r_.changes.end()) {
      r_.changes.push_back(change);
    }
  }

  void set(std::string& field, std::string value, RecordChange change) {
    if (field == value) return;
    field = std::move(value);
    note(change);
  }

  void changed_name() {
    const std::string other = coin_family_name(draw_, region_);
    const bool joined = draw_.chance(0.3);
    set(r_.family_name, joined ? r_.family_name + "-" + other : other, RecordChange::changed_name);
  }

  void moved() {
    const Address a = draw_address(draw_, region_);
    set(r_.street, a.street, RecordChange::moved);
    r_.postcode = a.postcode;
    r_.city = a.city;
  }

  void nickname() {
    for (const Named& n : region_.given) {
      if (n.name == r_.given_name) {
        set(r_.given_name, std::string(n.brief), RecordChange::nickname);
        return;
      }
    }
  }

  void initial() {
    // The first character, which may be two bytes long.
    std::size_t bytes = 1;
    while (bytes < r_.given_name.size() &&
           (static_cast<unsigned char>(r_.given_name[bytes]) & 0xc0) == 0x80) {
      ++bytes;
    }
    set(r_.given_name, r_.given_name.substr(0, bytes) + (draw_.chance(0.5) ? "." : ""),
        RecordChange::initial);
  }

  void abbreviated() {
    for (const Named& k : region_.kinds) {
      const std::size_t at = r_.street.find(k.name);
      if (at == std::string::npos || k.name == k.brief) continue;
      std::string street = r_.street;
      set(r_.street, street.replace(at, k.name.size(), k.brief), RecordChange::abbreviated);
      return;
    }
  }

  void other_format() {
    const int kind = draw_.below(3);
    if (kind != 0 && r_.birth_date.size() == 10) {
      const std::string y = r_.birth_date.substr(0, 4), m = r_.birth_date.substr(5, 2),
                        d = r_.birth_date.substr(8, 2);
      const bool american = region_.code == "US";
      set(r_.birth_date, american ? m + "/" + d + "/" + y : d + "." + m + "." + y,
          RecordChange::other_format);
    }
    if (kind != 1) {
      // The country's prefix becomes a zero, spaces go.
      std::string phone;
      for (const char c : r_.phone.substr(std::min(r_.phone.find(' ') + 1, r_.phone.size()))) {
        if (c != ' ') phone += c;
      }
      set(r_.phone, "0" + phone, RecordChange::other_format);
    }
    if (draw_.chance(0.4)) {
      set(r_.given_name, typing::to_ascii(r_.given_name), RecordChange::other_format);
      set(r_.family_name, typing::to_ascii(r_.family_name), RecordChange::other_format);
    }
    if (draw_.chance(0.25)) {
      set(r_.family_name, typing::upper_ascii(r_.family_name), RecordChange::other_format);
    }
  }

  void date_error() {
    std::string date = r_.birth_date;
    const int kind = draw_.below(3);
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < date.size(); ++i) {
      if (date[i] >= '0' && date[i] <= '9') places.push_back(i);
    }
    if (places.size() != 8) return;
    const bool iso = date.size() > 4 && date[4] == '-';
    if (kind == 0) {  // day and month exchanged
      const std::size_t first = iso ? 4 : 0;
      std::swap(date[places[first]], date[places[first + 2]]);
      std::swap(date[places[first + 1]], date[places[first + 3]]);
    } else if (kind == 1) {  // one digit of the year
      const std::size_t at = places[iso ? 3 : 7];
      date[at] = static_cast<char>('0' + (date[at] - '0' + draw_.between(1, 9)) % 10);
    } else {
      date = iso ? date.substr(0, 4) : date.substr(date.size() - 4);
    }
    set(r_.birth_date, date, RecordChange::date_error);
  }

  void swapped_names() {
    if (r_.given_name == r_.family_name) return;
    std::swap(r_.given_name, r_.family_name);
    note(RecordChange::swapped_names);
  }

  template <class Edit>
  void edit(RecordChange change, Edit how) {
    const std::array<std::string*, 5> fields{&r_.given_name, &r_.family_name, &r_.street, &r_.city,
                                             &r_.email};
    std::string& field = *fields[draw_.pick({0.25, 0.35, 0.2, 0.1, 0.1})];
    set(field, how(draw_, field), change);
  }

  void missing() {
    const std::array<std::string*, 5> fields{&r_.birth_date, &r_.phone, &r_.email, &r_.street,
                                             &r_.postcode};
    const int count = draw_.between(1, 2);
    for (int i = 0; i < count; ++i) {
      set(*fields[static_cast<std::size_t>(draw_.below(5))], "", RecordChange::missing);
    }
  }

  const RecordOptions& o_;
  const Region& region_;
  Draw& draw_;
  PersonRecord& r_;
};

}  // namespace

std::string_view name_of(RecordChange change) {
  static constexpr std::array<std::string_view, kRecordChanges> kNames{
      "typing_error", "phonetic",      "scanning_error", "nickname",
      "initial",      "swapped_names", "changed_name",   "date_error",
      "moved",        "abbreviated",   "other_format",   "missing"};
  const auto i = static_cast<std::size_t>(change);
  return i < kNames.size() ? kNames[i] : "?";
}

PersonEntity person_entity(const RecordOptions& options, std::int64_t entity) {
  check(options);
  if (entity < 1) {
    throw Error(ErrorCode::invalid_argument,
                "person " + std::to_string(entity) + " does not exist: they count from 1");
  }
  PersonEntity out;
  out.entity = entity;
  const Origin origin = settled(options, entity, out.household);
  out.records.push_back(origin.record);
  Draw draw(options.seed, "person copies", static_cast<std::uint64_t>(entity));
  const int copies = draw.between(options.min_copies, options.max_copies);
  for (std::int64_t i = 1; i <= copies; ++i) {
    PersonRecord copy = origin.record;
    copy.copy = i;
    Draw errors(derive_seed(options.seed, "person copy", static_cast<std::uint64_t>(entity)),
                "errors", static_cast<std::uint64_t>(i));
    Corrupter(options, *origin.region, errors, copy).run();
    out.records.push_back(std::move(copy));
  }
  return out;
}

std::vector<PersonEntity> person_entities(const RecordOptions& options, std::int64_t count) {
  if (count < 1) {
    throw Error(ErrorCode::invalid_argument, std::to_string(count) + " persons were asked for",
                "ask for at least 1");
  }
  std::vector<PersonEntity> list;
  for (std::int64_t entity = 1; entity <= count; ++entity) {
    list.push_back(person_entity(options, entity));
  }
  return list;
}

Value to_value(const PersonRecord& r) {
  Value changes = Value::list();
  for (const RecordChange change : r.changes) changes.push(name_of(change));
  return Value::object({{"entity", r.entity},
                        {"copy", r.copy},
                        {"given_name", r.given_name},
                        {"family_name", r.family_name},
                        {"birth_date", r.birth_date},
                        {"street", r.street},
                        {"postcode", r.postcode},
                        {"city", r.city},
                        {"country", r.country},
                        {"phone", r.phone},
                        {"email", r.email},
                        {"changes", changes}});
}

}  // namespace sosia::world
