// Settings -> struct, with every problem reported at once; struct -> value.

#include "sosia/core/settings.hpp"

#include "core/field_visitor.hpp"
#include "sosia/core/text.hpp"

#include <climits>
#include <cmath>
#include <limits>
#include <set>

namespace sosia {

void Settings::set_all(const Value& object, const std::string& source, const std::string& prefix) {
  for (const auto& [key, member] : object.as_object()) {
    if (member.is_object()) {
      set_all(member, source, prefix + key + '.');
    } else {
      set(prefix + key, member, source);
    }
  }
}

void Settings::merge(const Settings& higher) {
  for (const auto& [path, setting] : higher.all()) given_[path] = setting;
}

const Setting* Settings::find(const std::string& path) const {
  const auto found = given_.find(path);
  return found == given_.end() ? nullptr : &found->second;
}

namespace {

std::string shown(const Value& value) {
  const std::string text = to_json(value, -1);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

/// A bound without a needless ".0".
std::string number(double v) {
  const bool whole = std::abs(v) < 1e15 && v == std::floor(v);
  return whole ? std::to_string(static_cast<std::int64_t>(v)) : to_json(Value(v), -1);
}

}  // namespace

std::string bounds_of(const Field& field) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : " and ") + part; };
  if (field.min) add("at least " + number(*field.min));
  if (field.above) add("above " + number(*field.above));
  if (field.max) add("at most " + number(*field.max));
  if (field.below) add("below " + number(*field.below));
  return text;
}

namespace {

/// Checks one number or one text against the field's bounds and choices; empty when it is fine.
std::string violation(const Field& field, const Value& item) {
  if (item.is_number()) {
    const double v = item.as_real();
    const bool inside = std::isfinite(v) && (!field.min || v >= *field.min) &&
                        (!field.max || v <= *field.max) && (!field.above || v > *field.above) &&
                        (!field.below || v < *field.below);
    if (inside) return {};
    const std::string bounds = bounds_of(field);
    return shown(item) + " is out of range: it must be " + (bounds.empty() ? "finite" : bounds);
  }
  if (item.is_text() && !field.choices.empty()) {
    for (const std::string& choice : field.choices) {
      if (choice == item.as_text()) return {};
    }
    const std::string near = did_you_mean(item.as_text(), field.choices);
    return quote(item.as_text()) + " is not one of " + enumerate(field.choices, "or") +
           (near.empty() ? "" : "; " + near);
  }
  return {};
}

/// Writes `value` into the member behind `ref`; returns what was expected when the type is wrong.
struct Assign {
  const Value& value;

  std::string operator()(bool* p) const {
    if (value.type() != Value::Type::boolean) return "true or false";
    *p = value.as_boolean();
    return {};
  }
  std::string operator()(std::int64_t* p) const {
    if (value.type() != Value::Type::integer) return "an integer";
    *p = value.as_integer();
    return {};
  }
  std::string operator()(int* p) const {
    std::int64_t wide = 0;
    if (const std::string wrong = (*this)(&wide); !wrong.empty()) return wrong;
    if (wide < INT_MIN || wide > INT_MAX) return "an integer of 32 bits";
    *p = static_cast<int>(wide);
    return {};
  }
  std::string operator()(double* p) const {
    if (!value.is_number()) return "a number";
    *p = value.as_real();
    return {};
  }
  std::string operator()(std::string* p) const {
    if (!value.is_text()) return "text";
    *p = value.as_text();
    return {};
  }
  template <class T>
  std::string operator()(std::optional<T>* p) const {
    if (value.is_null()) {
      p->reset();
      return {};
    }
    T item{};
    std::string wrong = (*this)(&item);
    if (wrong.empty()) *p = item;
    return wrong;
  }
  template <class T>
  std::string operator()(std::vector<T>* p) const {
    const std::string wanted = std::is_same_v<T, std::string> ? "a list of texts"
                               : std::is_same_v<T, double>    ? "a list of numbers"
                                                              : "a list of integers";
    if (!value.is_list()) return wanted;
    std::vector<T> items;
    for (const Value& element : value.as_list()) {
      T item{};
      if (!Assign{element}(&item).empty()) return wanted;
      items.push_back(std::move(item));
    }
    *p = std::move(items);
    return {};
  }
};

class Decoder final : public FieldVisitor {
 public:
  explicit Decoder(const Settings& settings) : settings_(settings) {}

  void require(bool holds, std::string_view otherwise) override {
    // A condition on options that could not be read would only repeat their problems.
    if (!holds && problems_.empty()) problems_.emplace_back(otherwise);
  }

  void finish() {
    known_.insert(known_.end(), settings_.suggested().begin(), settings_.suggested().end());
    for (const auto& [path, setting] : settings_.all()) {
      if (known_set_.contains(path)) continue;
      std::string problem = "unknown option " + where(path, setting);
      const std::string near = did_you_mean(path, known_);
      problems_.push_back(problem + (near.empty() ? "" : "; " + near));
    }
    if (problems_.empty()) return;
    std::string message = problems_[0];
    if (problems_.size() > 1) {
      message = std::to_string(problems_.size()) + " problems with the options:";
      for (const std::string& problem : problems_) message += "\n  - " + problem;
    }
    throw Error(ErrorCode::usage, message, "the verb's --help lists all options");
  }

 protected:
  void visit(const Field& field, FieldRef member) override {
    const std::string path = path_of(field);
    known_.push_back(path);
    known_set_.insert(path);
    const Setting* setting = settings_.find(path);
    if (setting == nullptr) {
      if (field.required) {
        problems_.push_back(path + " is required: " + field.help);
      }
      return;
    }
    const std::string problem = typed_again(member, *setting)
                                    ? "given " + std::to_string(setting->value.as_list().size()) +
                                          " times; it takes one value"
                                    : assign(field, member, setting->value);
    if (!problem.empty()) {
      problems_.push_back(where(path, *setting) + ": " + problem);
    }
  }

 private:
  /// How the person who gave it knows the option.
  static std::string where(const std::string& path, const Setting& setting) {
    if (setting.source == kCommandLine) return FieldSpec{.path = path}.flag();
    return path + " (" + setting.source + ")";
  }

  /// Whether an option of one value was typed more than once: the command line makes that a list.
  static bool typed_again(const FieldRef& member, const Setting& setting) {
    const bool takes_list = std::visit(
        [](auto* p) {
          return requires { p->push_back({}); } && !std::is_same_v<decltype(p), std::string*>;
        },
        member);
    return !takes_list && setting.source == kCommandLine && setting.value.is_list();
  }

  static std::string assign(const Field& field, const FieldRef& member, const Value& value) {
    const std::string wanted = std::visit(Assign{value}, member);
    if (!wanted.empty()) return "expected " + wanted + ", found " + shown(value);
    if (!value.is_list()) return violation(field, value);
    if (field.required && value.as_list().empty()) return "the list is empty";
    for (const Value& item : value.as_list()) {
      if (std::string problem = violation(field, item); !problem.empty()) return problem;
    }
    return {};
  }

  const Settings& settings_;
  std::vector<std::string> known_;
  std::set<std::string> known_set_;
  std::vector<std::string> problems_;
};

class Encoder final : public FieldVisitor {
 public:
  Value take() { return std::move(object_); }
  void require(bool, std::string_view) override {}

 protected:
  void visit(const Field& field, FieldRef member) override {
    Value* place = &object_;
    for (std::string_view rest = prefix(); !rest.empty();) {
      const std::size_t dot = rest.find('.');
      const std::string_view name = rest.substr(0, dot);
      Value* next = place->find(name);
      place = next ? next : &place->set(name, Value::object());
      rest.remove_prefix(dot + 1);
    }
    place->set(field.name, read(member));
  }

 private:
  Value object_ = Value::object();
};

/// One item of `type`, or the text itself when it is not one.
Value item_from_text(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::boolean: {
      const std::string word = ascii_lower(text);
      if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
      if (word == "false" || word == "0" || word == "no" || word == "off") return false;
      return text;
    }
    case FieldType::integer: {
      long long v = 0;
      return parse_integer(text, v) ? Value(v) : Value(text);
    }
    case FieldType::real: {
      double v = 0;
      return parse_real(text, v) && std::isfinite(v) ? Value(v) : Value(text);
    }
    default:
      return text;
  }
}

}  // namespace

Value value_from_text(const FieldSpec& spec, const std::vector<std::string>& texts) {
  const auto items_are = [&](FieldType item_type) {
    Value list = Value::list();
    for (const std::string& text : texts) {
      // "a,b" is two items, but a path may contain a comma.
      if (spec.field.role != FieldRole::plain) {
        list.push(text);
        continue;
      }
      for (const std::string_view part : split(text, ',')) {
        list.push(item_from_text(item_type, part));
      }
    }
    return list;
  };
  switch (spec.type) {
    case FieldType::text_list:
      return items_are(FieldType::text);
    case FieldType::integer_list:
      return items_are(FieldType::integer);
    case FieldType::real_list:
      return items_are(FieldType::real);
    default:
      break;
  }
  if (texts.size() != 1) return items_are(FieldType::text);  // the decoder refuses the list
  if (spec.optional && texts[0].empty()) return {};
  return item_from_text(spec.type, texts[0]);
}

void decode_fields(const Describe& describe, const Settings& settings) {
  Decoder decoder(settings);
  describe(decoder);
  decoder.finish();
}

Value encode_fields(const Describe& describe) {
  Encoder encoder;
  describe(encoder);
  return encoder.take();
}

}  // namespace sosia
