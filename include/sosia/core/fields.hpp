#pragma once
// One declaration per option. A verb's options are a plain struct with defaults; its `describe`
// names every member once:
//
//   struct IdentifyOptions {
//     std::vector<std::string> images;
//     double max_fpir = 0.01;
//   };
//   void describe(Fields& f, IdentifyOptions& o) {
//     f({.name = "images", .help = "photos or folders", .role = FieldRole::input,
//        .positional = true, .required = true}, o.images);
//     f({.name = "max_fpir", .help = "false positive identification rate", .above = 0, .max = 1},
//       o.max_fpir);
//   }
//
// Command line, TOML, JSON, run manifests, reference pages and completion are all visitors of
// that function. `Fields` is abstract rather than a template, so that a describe compiles once.

#include "sosia/core/error.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sosia {

/// What a text field holds; drives existence checks, completion, input hashes, and whether a comma
/// separates items (in plain text only).
enum class FieldRole {
  plain,
  input,  ///< a file, a folder or a pattern
  input_file,
  input_folder,
  output_file,    ///< written whole; what exists is refused before the run, unless --force
  output_folder,  ///< made before the run where it is missing
  assignment,     ///< name=value
};

/// All that is to be said about one option.
struct Field {
  std::string name = {};    ///< snake_case; the command line spells it --kebab-case
  std::string help = {};    ///< one sentence, lower case, no full stop
  std::string unit = {};    ///< "px", "ms", "bytes", ...; empty when it has none
  std::string symbol = {};  ///< the paper's symbol, e.g. "lambda"
  std::optional<double> min = {}, max = {};  ///< inclusive bounds of a number (of every list item)
  std::optional<double> above = {}, below = {};  ///< exclusive bounds
  std::vector<std::string> choices = {};         ///< closed list for text
  FieldRole role = FieldRole::plain;
  bool positional = false;  ///< given without its name, in order of declaration; a list comes last
  bool required = false;    ///< there is no usable default
  std::string group = {};   ///< heading in the complete help; default "options"
};

/// The member types that options may have. An empty optional means "not given".
using FieldRef =
    std::variant<bool*, std::int64_t*, int*, double*, std::string*, std::optional<std::int64_t>*,
                 std::optional<double>*, std::vector<std::string>*, std::vector<std::int64_t>*,
                 std::vector<double>*>;

/// The visitor. Thread-safety: none.
class Fields {
 public:
  virtual ~Fields() = default;

  /// One option.
  template <class T>
  void operator()(const Field& field, T& member) {
    visit(field, FieldRef(&member));
  }

  /// One option of enumeration type, spelled by `names`. The spelling must cover every value that
  /// the member can have.
  template <class E>
  void choice(Field field, E& member, std::initializer_list<std::pair<std::string_view, E>> names) {
    std::string text;
    for (const auto& [name, value] : names) {
      field.choices.emplace_back(name);
      if (value == member) text = name;
    }
    if (text.empty()) {
      throw Error(ErrorCode::internal, "option " + field.name + " has a value without a name");
    }
    visit(field, FieldRef(&text));
    for (const auto& [name, value] : names) {
      if (name == text) member = value;
    }
  }

  /// A nested options struct; its fields become `name.field`.
  template <class T>
  void section(std::string_view name, T& nested) {
    begin_section(name);
    describe(*this, nested);
    end_section();
  }

  /// A condition between options, checked after decoding; `otherwise` is a full sentence.
  virtual void require(bool holds, std::string_view otherwise) = 0;

 protected:
  virtual void visit(const Field& field, FieldRef member) = 0;
  virtual void begin_section(std::string_view name) = 0;
  virtual void end_section() = 0;
};

}  // namespace sosia
