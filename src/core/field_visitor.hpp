#pragma once
// What the visitors of `Fields` share: dotted paths, and reading and writing a member of any of the
// permitted types.

#include "sosia/core/settings.hpp"

#include <string>
#include <type_traits>

namespace sosia {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

class FieldVisitor : public Fields {
 protected:
  void begin_section(std::string_view name) override {
    prefix_ += name;
    prefix_ += '.';
  }
  void end_section() override {
    prefix_.pop_back();
    const std::size_t dot = prefix_.rfind('.');
    prefix_.resize(dot == std::string::npos ? 0 : dot + 1);
  }
  std::string path_of(const Field& field) const { return prefix_ + field.name; }
  const std::string& prefix() const noexcept { return prefix_; }

  static bool is_list(FieldType type) {
    return type == FieldType::text_list || type == FieldType::integer_list ||
           type == FieldType::real_list;
  }

  static bool is_optional(const FieldRef& member) {
    return std::visit([](auto* p) { return IsOptional<std::remove_pointer_t<decltype(p)>>::value; },
                      member);
  }

  static FieldType type_of(const FieldRef& member) {
    struct {
      FieldType operator()(bool*) { return FieldType::boolean; }
      FieldType operator()(std::int64_t*) { return FieldType::integer; }
      FieldType operator()(int*) { return FieldType::integer; }
      FieldType operator()(std::optional<std::int64_t>*) { return FieldType::integer; }
      FieldType operator()(double*) { return FieldType::real; }
      FieldType operator()(std::optional<double>*) { return FieldType::real; }
      FieldType operator()(std::string*) { return FieldType::text; }
      FieldType operator()(std::vector<std::string>*) { return FieldType::text_list; }
      FieldType operator()(std::vector<std::int64_t>*) { return FieldType::integer_list; }
      FieldType operator()(std::vector<double>*) { return FieldType::real_list; }
    } by_type;
    return std::visit(by_type, member);
  }

  /// The member's present value.
  static Value read(const FieldRef& member) {
    return std::visit(
        [](auto* p) -> Value {
          using T = std::remove_pointer_t<decltype(p)>;
          if constexpr (IsOptional<T>::value) {
            return p->has_value() ? Value(**p) : Value();
          } else if constexpr (std::is_same_v<T, std::vector<std::string>> ||
                               std::is_same_v<T, std::vector<std::int64_t>> ||
                               std::is_same_v<T, std::vector<double>>) {
            Value list = Value::list();
            for (const auto& item : *p) list.push(Value(item));
            return list;
          } else {
            return Value(*p);
          }
        },
        member);
  }

 private:
  std::string prefix_;
};

}  // namespace sosia
