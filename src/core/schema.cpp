// What options a describe function declares, as data.

#include "core/field_visitor.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/settings.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <set>

namespace sosia {

namespace {

constexpr std::pair<FieldType, std::string_view> kTypeNames[] = {
    {FieldType::boolean, "boolean"},     {FieldType::integer, "integer"},
    {FieldType::real, "real"},           {FieldType::text, "text"},
    {FieldType::text_list, "text_list"}, {FieldType::integer_list, "integer_list"},
    {FieldType::real_list, "real_list"},
};

constexpr std::pair<FieldRole, std::string_view> kRoleNames[] = {
    {FieldRole::plain, "plain"},
    {FieldRole::input, "input"},
    {FieldRole::input_file, "input_file"},
    {FieldRole::input_folder, "input_folder"},
    {FieldRole::output_file, "output_file"},
    {FieldRole::output_folder, "output_folder"},
    {FieldRole::assignment, "assignment"},
};

template <class E, std::size_t N>
std::string_view name_of(const std::pair<E, std::string_view> (&table)[N], E value) {
  return std::find_if(std::begin(table), std::end(table),
                      [&](const auto& row) { return row.first == value; })
      ->second;
}

template <class E, std::size_t N>
E value_of(const std::pair<E, std::string_view> (&table)[N], std::string_view name) {
  for (const auto& [value, spelled] : table) {
    if (spelled == name) return value;
  }
  throw Error(ErrorCode::corrupt_data, "unknown word " + quote(name) + " in a verb index",
              "build sosia again");
}

class SchemaVisitor final : public FieldVisitor {
 public:
  Schema take() { return std::move(schema_); }
  void require(bool, std::string_view) override {}

 protected:
  void visit(const Field& field, FieldRef member) override {
    FieldSpec spec;
    spec.field = field;
    spec.path = path_of(field);
    spec.type = type_of(member);
    spec.optional = is_optional(member);
    spec.default_value = read(member);
    check(spec);
    schema_.push_back(std::move(spec));
  }

 private:
  void check(const FieldSpec& spec) {
    const auto refuse = [&](const std::string& why) {
      throw Error(ErrorCode::internal, "option " + quote(spec.path) + " " + why);
    };
    const std::string& name = spec.field.name;
    const bool snake =
        !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!snake) refuse("is not snake_case");
    if (spec.field.help.empty()) refuse("has no help");
    if (!paths_.insert(spec.path).second) refuse("is declared twice");
    if (spec.field.positional) {
      if (list_ended_) refuse("is a positional after a list");
      list_ended_ = is_list(spec.type);
    }
  }

  Schema schema_;
  std::set<std::string> paths_;
  bool list_ended_ = false;
};

}  // namespace

std::string FieldSpec::flag() const {
  std::string text = "--" + path;
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

Schema schema_of(const Describe& describe) {
  SchemaVisitor visitor;
  describe(visitor);
  return visitor.take();
}

Value schema_to_value(const Schema& schema) {
  Value list = Value::list();
  for (const FieldSpec& spec : schema) {
    Value row = Value::object({{"name", spec.field.name},
                               {"path", spec.path},
                               {"type", name_of(kTypeNames, spec.type)},
                               {"help", spec.field.help},
                               {"default", spec.default_value}});
    const auto add_text = [&](const char* key, const std::string& text) {
      if (!text.empty()) row.set(key, text);
    };
    const auto add_bound = [&](const char* key, const std::optional<double>& bound) {
      if (bound) row.set(key, *bound);
    };
    const auto add_flag = [&](const char* key, bool flag) {
      if (flag) row.set(key, true);
    };
    add_text("unit", spec.field.unit);
    add_text("symbol", spec.field.symbol);
    add_text("group", spec.field.group);
    add_bound("min", spec.field.min);
    add_bound("max", spec.field.max);
    add_bound("above", spec.field.above);
    add_bound("below", spec.field.below);
    for (const std::string& choice : spec.field.choices) {
      (row.find("choices") ? *row.find("choices") : row.set("choices", Value::list())).push(choice);
    }
    if (spec.field.role != FieldRole::plain) row.set("role", name_of(kRoleNames, spec.field.role));
    add_flag("positional", spec.field.positional);
    add_flag("required", spec.field.required);
    add_flag("optional", spec.optional);
    list.push(std::move(row));
  }
  return list;
}

Schema schema_from_value(const Value& value) {
  Schema schema;
  for (const Value& row : value.as_list()) {
    FieldSpec spec;
    const auto text = [&](const char* key) {
      const Value* found = row.find(key);
      return found ? found->as_text() : std::string();
    };
    const auto bound = [&](const char* key) {
      const Value* found = row.find(key);
      return found ? std::optional<double>(found->as_real()) : std::nullopt;
    };
    const auto flag = [&](const char* key) { return row.find(key) != nullptr; };
    spec.path = row.at("path").as_text();
    spec.type = value_of(kTypeNames, row.at("type").as_text());
    spec.optional = flag("optional");
    spec.default_value = row.at("default");
    spec.field = {.name = row.at("name").as_text(),
                  .help = row.at("help").as_text(),
                  .unit = text("unit"),
                  .symbol = text("symbol"),
                  .min = bound("min"),
                  .max = bound("max"),
                  .above = bound("above"),
                  .below = bound("below"),
                  .choices = {},
                  .role = flag("role") ? value_of(kRoleNames, text("role")) : FieldRole::plain,
                  .positional = flag("positional"),
                  .required = flag("required"),
                  .group = text("group")};
    if (const Value* choices = row.find("choices")) {
      for (const Value& choice : choices->as_list()) spec.field.choices.push_back(choice.as_text());
    }
    schema.push_back(std::move(spec));
  }
  return schema;
}

}  // namespace sosia
