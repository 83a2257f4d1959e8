#pragma once
// Options between their declaration and their struct: schema (what may be given), settings (what
// was given, and where), and the two directions encode and decode.

#include "sosia/core/fields.hpp"
#include "sosia/core/value.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sosia {

enum class FieldType { boolean, integer, real, text, text_list, integer_list, real_list };

/// One option as data: the field, its dotted path, its type and its default.
struct FieldSpec {
  Field field = {};
  std::string path = {};  ///< "max_fpir", "detector.min_size_px"
  FieldType type = FieldType::text;
  bool optional = false;  ///< null is a value ("not given")
  Value default_value = {};

  /// "--max-fpir", "--detector.min-size-px"
  std::string flag() const;
};
using Schema = std::vector<FieldSpec>;

/// The bounds of a number in words: "at least 0 and below 1"; "" when it has none.
std::string bounds_of(const Field& field);

/// A describe function with its struct bound.
using Describe = std::function<void(Fields&)>;

/// Collects what `describe` declares. Throws internal for a bad declaration: empty help, a name
/// that is not snake_case, a duplicate, a positional after a list.
Schema schema_of(const Describe& describe);

/// Schema to JSON-like value and back (the build writes them beside each module).
Value schema_to_value(const Schema& schema);
Schema schema_from_value(const Value& value);

/// The source of settings that were typed; problems with them name the flag.
inline constexpr std::string_view kCommandLine = "command line";

/// One given value and where it came from ("command line", "sosia.toml", "SOSIA_SEED").
struct Setting {
  Value value;
  std::string source;
};

/// Given values by dotted path. Later layers override earlier ones.
class Settings {
 public:
  void set(std::string path, Value value, std::string source) {
    given_[std::move(path)] = Setting{std::move(value), std::move(source)};
  }
  /// Flattens nested objects to dotted paths.
  void set_all(const Value& object, const std::string& source, const std::string& prefix = {});
  /// Everything in `higher` overrides.
  void merge(const Settings& higher);
  const Setting* find(const std::string& path) const;
  const std::map<std::string, Setting>& all() const noexcept { return given_; }
  /// Names that are options elsewhere: suggested for unknown ones, but not decoded.
  void suggest(const std::string& path) { suggested_.push_back(path); }
  const std::vector<std::string>& suggested() const noexcept { return suggested_; }

 private:
  std::map<std::string, Setting> given_;
  std::vector<std::string> suggested_;
};

/// Turns the text of a command line or environment variable into the type of `spec`: "0.5" into a
/// number, "a,b" into a list (one item per text when the option is a path). Text that does not fit
/// stays text, so that `decode_fields` reports it together with all other problems.
Value value_from_text(const FieldSpec& spec, const std::vector<std::string>& texts);

/// Fills the struct behind `describe` from `settings`. Collects all problems - unknown keys with
/// the nearest name, wrong types, values out of range or outside the choices, missing required
/// options, unmet conditions - and throws one usage error that lists them with their sources.
void decode_fields(const Describe& describe, const Settings& settings);

/// The struct behind `describe` as an object (sections nested).
Value encode_fields(const Describe& describe);

/// Typed forms. `Options` needs `describe(Fields&, Options&)` in its namespace.
template <class Options>
Value encode(const Options& options) {
  Options copy = options;
  return encode_fields([&](Fields& f) { describe(f, copy); });
}
template <class Options>
Options decode(const Settings& settings) {
  Options options;
  decode_fields([&](Fields& f) { describe(f, options); }, settings);
  return options;
}
template <class Options>
Options decode(const Value& object, const std::string& source = "JSON") {
  Settings settings;
  settings.set_all(object, source);
  return decode<Options>(settings);
}

}  // namespace sosia
