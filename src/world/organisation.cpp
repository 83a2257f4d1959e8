// The grammar of organisation names: a registered name, and what people write instead of it.

#include "sosia/world/organisation.hpp"

#include "sosia/core/error.hpp"
#include "world/draw.hpp"
#include "world/organisation_words.hpp"
#include "world/record_typing.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace sosia::world {
namespace {

using words::Country;
using words::LegalForm;

constexpr int kMaxMentions = 100;

void check(const OrganisationOptions& o) {
  const auto refuse = [](std::string what) {
    throw Error(ErrorCode::invalid_argument, std::move(what));
  };
  if (!(o.typing_errors >= 0 && o.typing_errors <= 1)) {
    refuse("typing_errors must be 0 to 1");
  }
  if (!(o.hard_negatives >= 0 && o.hard_negatives <= 1)) refuse("hard_negatives must be 0 to 1");
  if (o.min_mentions < 1 || o.max_mentions > kMaxMentions || o.min_mentions > o.max_mentions) {
    refuse("mentions: " + std::to_string(o.min_mentions) + " to " + std::to_string(o.max_mentions) +
           " must lie in 1 to " + std::to_string(kMaxMentions) + " and not be empty");
  }
}

std::string capital(std::string word) {
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') {
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
  }
  return word;
}

std::string_view any(Draw& draw, std::span<const std::string_view> list) {
  return list[static_cast<std::size_t>(draw.below(static_cast<int>(list.size())))];
}

/// A made-up word in the manner of the country.
std::string coin(Draw& draw, const Country& c) {
  std::string word(any(draw, c.starts));
  const std::string_view first = any(draw, c.ends), second = any(draw, c.ends);
  const bool syllables = c.code == "JP" || c.code == "CN";
  word += first;
  if ((syllables && c.code == "JP") || (!syllables && draw.chance(0.12))) word += second;
  return capital(word);
}

/// What a name is made of, before it is written down.
struct Base {
  const Country* country = nullptr;
  std::string coined, partner, former;
  std::size_t trade = 0;
  const LegalForm* form = nullptr;
  std::string city;
  int pattern = 0;
};

Base draw_base(const OrganisationOptions& o, std::int64_t entity) {
  Draw draw(o.seed, "organisation", static_cast<std::uint64_t>(entity));
  Base b;
  const auto countries = words::countries();
  b.country = &countries[static_cast<std::size_t>(draw.below(static_cast<int>(countries.size())))];
  b.coined = coin(draw, *b.country);
  b.partner = coin(draw, *b.country);
  b.former = coin(draw, *b.country);
  if (b.former == b.coined) b.former += b.country->ends.front();
  b.trade = static_cast<std::size_t>(draw.below(static_cast<int>(b.country->trades.size())));
  b.form =
      &b.country
           ->forms[static_cast<std::size_t>(draw.below(static_cast<int>(b.country->forms.size())))];
  b.city = any(draw, b.country->cities);
  b.pattern = static_cast<int>(draw.pick({0.38, 0.2, 0.14, 0.12, 0.16}));
  return b;
}

using Words = std::vector<std::string>;

/// The words of a name without its legal form.
Words core_words(const Base& b, std::string_view coined, std::string_view trade) {
  const std::string first(coined), what(trade);
  switch (b.pattern) {
    case 0:
      return {first, what};
    case 1:
      return {first, "&", b.partner};
    case 2:
      return {what, first};
    case 3:
      return {first, what, b.city};
    default:
      return {first};
  }
}

std::string join(const Words& list) {
  std::string out;
  for (const std::string& word : list) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

bool form_leads(const Base& b) {
  return b.country->code == "RU";
}

std::string with_form(const Base& b, const std::string& core, std::string_view form) {
  if (form_leads(b)) return std::string(form) + " " + core;
  return core + " " + std::string(form);
}

std::string acronym_of(const Words& list) {
  std::string out;
  for (const std::string& word : list) {
    if (word == "&" || word == "-") continue;
    const std::string ascii = typing::to_ascii(word);
    if (!ascii.empty()) out += ascii[0];
  }
  return out.size() >= 2 ? typing::upper_ascii(out) : std::string();
}

/// The first letter of a Greek or Cyrillic word as a capital: both alphabets have theirs 32 places
/// before the small ones, in two bytes.
void capitalise_native(std::string& word) {
  if (word.size() < 2) return;
  const auto lead = static_cast<unsigned char>(word[0]), tail = static_cast<unsigned char>(word[1]);
  const unsigned code = ((lead & 0x1fu) << 6) | (tail & 0x3fu);
  const bool greek = code >= 0x3b1 && code <= 0x3c9, cyrillic = code >= 0x430 && code <= 0x44f;
  if ((lead & 0xe0) != 0xc0 || (!greek && !cyrillic)) return;
  const unsigned capital_code = code - 0x20;
  word[0] = static_cast<char>(0xc0 | (capital_code >> 6));
  word[1] = static_cast<char>(0x80 | (capital_code & 0x3f));
}

/// A Latin word letter by letter in another script; as it is where a letter has no counterpart.
std::string in_script(const std::string& latin, std::span<const words::Replacement> letters) {
  const std::string text = typing::lower_ascii(typing::to_ascii(latin));
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto fits = [&](const words::Replacement& r) {
      return std::string_view(text).substr(i).starts_with(r.from);
    };
    const auto found = std::find_if(letters.begin(), letters.end(), fits);
    if (found == letters.end()) return latin;
    out += found->to;
    i += found->from.size();
  }
  constexpr std::string_view kSigma = "\u03c3";
  if (out.ends_with(kSigma)) out.replace(out.size() - kSigma.size(), kSigma.size(), "\u03c2");
  capitalise_native(out);
  return out;
}

/// The name as its own country's register writes it; empty where the script is Latin.
std::string native_name(const Base& b, std::string_view coined) {
  const auto letters = words::script_of(b.country->code);
  if (letters.empty()) return {};
  const bool spaced = b.country->code == "RU" || b.country->code == "GR";
  std::string core;
  for (const std::string& word : core_words(b, coined, b.country->native_trades[b.trade])) {
    const bool latin = word != b.country->native_trades[b.trade];
    if (!core.empty() && spaced) core += ' ';
    if (word == "&") {
      core += spaced ? "&" : "\u30fb";
    } else if (word == b.city) {
      const auto cities = words::native_cities();
      const auto found = std::find_if(cities.begin(), cities.end(),
                                      [&](const words::Replacement& r) { return r.from == word; });
      core += found == cities.end() ? word : std::string(found->to);
    } else {
      core += latin ? in_script(word, letters) : word;
    }
  }
  const std::string form(b.form->native);
  if (b.country->code == "RU") return form + " \u00ab" + core + "\u00bb";
  if (b.country->code == "GR") return core + " " + form;
  return b.country->code == "JP" ? form + core : core + form;
}

class Writer {
 public:
  Writer(const OrganisationOptions& o, const Base& base, Organisation& organisation)
      : o_(o), b_(base), out_(organisation) {
    core_ = core_words(base, base.coined, base.country->trades[base.trade]);
  }

  /// One mention other than the registered name.
  OrganisationMention mention(std::int64_t number) {
    Draw draw(derive_seed(o_.seed, "mention", static_cast<std::uint64_t>(out_.entity)), "name",
              static_cast<std::uint64_t>(number));
    OrganisationMention m;
    m.entity = out_.entity;
    m.mention = number;
    m.change = pick(draw);
    m.name = write(draw, m.change);
    int errors = m.change == NameChange::typing_error ? draw.between(1, 2) : 0;
    if (draw.chance(o_.typing_errors) && m.change != NameChange::acronym &&
        m.change != NameChange::native_script && m.change != NameChange::typing_error) {
      ++m.typing_errors;
    }
    m.typing_errors += errors;
    for (int i = 0; i < m.typing_errors; ++i) m.name = typing::slip(draw, m.name);
    return m;
  }

 private:
  /// A change that this name allows.
  NameChange pick(Draw& draw) const {
    for (;;) {
      const auto change = static_cast<NameChange>(
          1 + draw.pick({0.16, 0.13, 0.10, 0.10, 0.05, 0.10, 0.08, 0.07, 0.07, 0.14, 0.10}));
      const bool fits = !(change == NameChange::acronym && out_.acronym.empty()) &&
                        !(change == NameChange::native_script && out_.native.empty()) &&
                        !(change == NameChange::transliterated && out_.native.empty() &&
                          typing::to_ascii(out_.name) == out_.name) &&
                        !(change == NameChange::translated &&
                          (b_.pattern == 1 || b_.pattern == 4 ||
                           b_.country->trades[b_.trade] == words::english_trades()[b_.trade])) &&
                        !(change == NameChange::word_order && core_.size() < 2);
      if (fits) return change;
    }
  }

  std::string write(Draw& draw, NameChange change) const {
    switch (change) {
      case NameChange::no_form:
        return out_.core;
      case NameChange::other_form:
        return with_form(b_, out_.core, draw.chance(0.5) ? b_.form->variant : b_.form->spelt);
      case NameChange::acronym:
        return draw.chance(0.4) ? with_form(b_, out_.acronym, b_.form->usual) : out_.acronym;
      case NameChange::alias:
        return alias(draw);
      case NameChange::former:
        return with_form(b_, join(core_words(b_, b_.former, b_.country->trades[b_.trade])),
                         b_.form->usual);
      case NameChange::transliterated:
        return transliterated(draw);
      case NameChange::native_script:
        return out_.native;
      case NameChange::translated: {
        const std::string core = join(core_words(b_, b_.coined, words::english_trades()[b_.trade]));
        return draw.chance(0.5) ? with_form(b_, core, b_.form->usual) : core;
      }
      case NameChange::word_order:
        return reordered(draw);
      case NameChange::noise:
        return noisy(draw);
      default:
        return out_.name;
    }
  }

  std::string alias(Draw& draw) const {
    const double kind = draw.unit();
    if (core_.size() > 1 && kind < 0.5) return b_.coined;
    if (kind < 0.75) return b_.coined + " Group";
    return b_.coined + " " + std::string(words::english_trades()[b_.trade]);
  }

  /// ASCII; for other scripts one of the competing romanisations.
  std::string transliterated(Draw& draw) const {
    const std::string ascii = typing::to_ascii(out_.name);
    if (out_.native.empty()) return ascii;
    static constexpr std::array<words::Replacement, 10> kOther{{{"kh", "h"},
                                                                {"zh", "j"},
                                                                {"y", "i"},
                                                                {"ou", "u"},
                                                                {"sh", "sch"},
                                                                {"v", "w"},
                                                                {"x", "hs"},
                                                                {"zh", "ch"},
                                                                {"k", "c"},
                                                                {"q", "ch"}}};
    const auto turn = static_cast<std::size_t>(draw.below(static_cast<int>(kOther.size())));
    for (std::size_t i = 0; i < kOther.size(); ++i) {
      const auto& [from, to] = kOther[(i + turn) % kOther.size()];
      const std::size_t at = ascii.find(from);
      if (at != std::string::npos) return std::string(ascii).replace(at, from.size(), to);
    }
    return ascii;
  }

  std::string reordered(Draw& draw) const {
    Words list = core_;
    const double kind = draw.unit();
    if (b_.pattern == 1) {
      std::swap(list[0], list[2]);
      if (kind < 0.5) list[1] = b_.country->code == "DE" ? "und" : "and";
    } else if (kind < 0.6) {
      std::swap(list[0], list[1]);
    } else {
      list[0] += "-" + list[1];
      list.erase(list.begin() + 1);
    }
    return draw.chance(0.5) ? join(list) : with_form(b_, join(list), b_.form->usual);
  }

  std::string noisy(Draw& draw) const {
    switch (draw.below(6)) {
      case 0:
        return typing::upper_ascii(typing::to_ascii(out_.name));
      case 1:
        return typing::lower_ascii(out_.name);
      case 2:
        return out_.core + ", " + std::string(b_.form->usual);
      case 3:
        return out_.name + " - " + b_.city;
      case 4:
        return "The " + out_.core + " Company";
      default: {
        std::string wide = out_.name;
        const std::size_t at = wide.find(' ');
        if (at != std::string::npos) wide.insert(at, " ");
        return wide + " ";
      }
    }
  }

  const OrganisationOptions& o_;
  const Base& b_;
  Organisation& out_;
  Words core_;
};

/// An organisation's parts once it is settled whose rare word it has.
struct Kin {
  Base base;
  std::int64_t sibling = 0;
};

Kin with_kin(const OrganisationOptions& o, std::int64_t entity) {
  Kin out{draw_base(o, entity), 0};
  Draw draw(o.seed, "organisation kin", static_cast<std::uint64_t>(entity));
  if (!draw.chance(o.hard_negatives) || entity == 1) return out;
  out.sibling =
      1 + static_cast<std::int64_t>(draw.stream().below(static_cast<std::uint64_t>(entity - 1)));
  // The sibling may have its word from another: numbers fall, so this ends.
  const Base other = with_kin(o, out.sibling).base;
  Base& b = out.base;
  b.coined = other.coined;
  if (b.former == b.coined) b.former += b.country->ends.front();
  if (b.pattern == 4 || b.pattern == 1) b.pattern = 0;
  // Unless trade or country differ, the two would be one.
  if (other.country == b.country && other.trade == b.trade) {
    b.trade = (b.trade + 1) % b.country->trades.size();
  }
  return out;
}

}  // namespace

std::string_view name_of(NameChange change) {
  static constexpr std::array<std::string_view, kNameChanges> kNames{
      "registered",     "no_form",       "other_form", "acronym",    "alias",        "former",
      "transliterated", "native_script", "translated", "word_order", "typing_error", "noise"};
  const auto i = static_cast<std::size_t>(change);
  return i < kNames.size() ? kNames[i] : "?";
}

Organisation organisation(const OrganisationOptions& options, std::int64_t entity) {
  check(options);
  if (entity < 1) {
    throw Error(ErrorCode::invalid_argument,
                "organisation " + std::to_string(entity) + " does not exist: they count from 1");
  }
  const Kin kin = with_kin(options, entity);
  const Base& b = kin.base;
  Organisation out;
  out.entity = entity;
  out.sibling = kin.sibling;
  const Words core = core_words(b, b.coined, b.country->trades[b.trade]);
  out.country = b.country->code;
  out.core = join(core);
  out.legal_form = b.form->usual;
  out.name = with_form(b, out.core, b.form->usual);
  out.native = native_name(b, b.coined);
  out.acronym = acronym_of(core);
  out.trade = typing::lower_ascii(std::string(words::english_trades()[b.trade]));
  out.city = b.city;
  out.mentions.push_back({entity, 0, out.name, NameChange::registered, 0});
  Writer writer(options, b, out);
  Draw draw(options.seed, "organisation mentions", static_cast<std::uint64_t>(entity));
  const int count = draw.between(options.min_mentions, options.max_mentions);
  for (std::int64_t m = 1; m < count; ++m) out.mentions.push_back(writer.mention(m));
  return out;
}

std::vector<Organisation> organisations(const OrganisationOptions& options, std::int64_t count) {
  if (count < 1) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(count) + " organisations were asked for", "ask for at least 1");
  }
  std::vector<Organisation> list;
  for (std::int64_t entity = 1; entity <= count; ++entity) {
    list.push_back(organisation(options, entity));
  }
  return list;
}

Value to_value(const OrganisationMention& m) {
  return Value::object({{"entity", m.entity},
                        {"mention", m.mention},
                        {"name", m.name},
                        {"change", name_of(m.change)},
                        {"typing_errors", m.typing_errors}});
}

Value to_value(const Organisation& o) {
  Value mentions = Value::list();
  for (const OrganisationMention& m : o.mentions) mentions.push(to_value(m));
  Value value = Value::object({{"entity", o.entity},
                               {"country", o.country},
                               {"name", o.name},
                               {"core", o.core},
                               {"legal_form", o.legal_form}});
  if (!o.native.empty()) value.set("native", o.native);
  if (!o.acronym.empty()) value.set("acronym", o.acronym);
  value.set("trade", o.trade);
  value.set("city", o.city);
  if (o.sibling != 0) value.set("sibling", o.sibling);
  value.set("mentions", mentions);
  return value;
}

}  // namespace sosia::world
