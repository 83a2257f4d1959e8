#include "cli/help.hpp"

#include "sosia/core/config.hpp"
#include "sosia/core/text.hpp"
#include "sosia/version.hpp"

#include <algorithm>

namespace sosia::cli {

namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

bool is_list(const FieldSpec& spec) {
  return spec.type == FieldType::text_list || spec.type == FieldType::integer_list ||
         spec.type == FieldType::real_list;
}

/// The placeholder of a value: <number>, <file>, <a|b|c>.
std::string placeholder(const FieldSpec& spec) {
  if (!spec.field.choices.empty()) {
    std::string text;
    for (const std::string& choice : spec.field.choices) text += (text.empty() ? "" : "|") + choice;
    return "<" + text + ">";
  }
  switch (spec.field.role) {
    case FieldRole::input:
    case FieldRole::input_file:
    case FieldRole::output_file:
      return "<file>";
    case FieldRole::input_folder:
    case FieldRole::output_folder:
      return "<folder>";
    case FieldRole::assignment:
      return "<name=value>";
    case FieldRole::plain:
      break;
  }
  if (!spec.field.unit.empty()) return "<" + spec.field.unit + ">";
  switch (spec.type) {
    case FieldType::integer:
    case FieldType::integer_list:
      return "<integer>";
    case FieldType::real:
    case FieldType::real_list:
      return "<number>";
    default:
      return "<text>";
  }
}

std::string label(const FieldSpec& spec) {
  if (spec.field.positional) return upper(spec.path) + (is_list(spec) ? "..." : "");
  if (spec.type == FieldType::boolean) {
    return spec.default_value == Value(true) ? "--no-" + spec.flag().substr(2) : spec.flag();
  }
  return spec.flag() + " " + placeholder(spec);
}

std::string shown_default(const FieldSpec& spec) {
  const Value& value = spec.default_value;
  if (value.is_null() || spec.field.required) return {};
  if (value.is_text()) return value.as_text();
  if (value.is_list()) {
    std::string text;
    for (const Value& item : value.as_list()) {
      text += (text.empty() ? "" : ",") + (item.is_text() ? item.as_text() : to_json(item, -1));
    }
    return text;
  }
  return spec.type == FieldType::boolean ? "" : to_json(value, -1);
}

std::string usage_line(const VerbEntry& verb) {
  std::string line = "sosia " + verb.info.path();
  for (const FieldSpec& spec : verb.schema) {
    if (!spec.field.positional) continue;
    line += spec.field.required ? " " + label(spec) : " [" + label(spec) + "]";
  }
  return line + " [options]";
}

std::string examples_text(const VerbEntry& verb, std::size_t width, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, verb.info.examples.size()); ++i) {
    const Example& example = verb.info.examples[i];
    text += "  " + example.command + "\n";
    text += "      " + wrap_text(example.explains, width > 6 ? width - 6 : width, 6) + "\n";
  }
  return text;
}

/// `left` and, beside it from `column` on, `right`; below it where the left part or the terminal
/// leaves no room.
std::string two_columns(const std::string& left, const std::string& right, std::size_t column,
                        std::size_t width) {
  const bool narrow = width < 60;
  const bool below = narrow || left.size() + 2 > column;
  const std::size_t indent = narrow ? 6 : column;
  return (below ? left + "\n" + std::string(indent, ' ') : padded(left, column)) +
         wrap_text(right, width - indent, indent) + "\n";
}

/// One option of a list. Choices that do not fit beside its name go to the help.
std::string option_lines(const FieldSpec& spec, const std::string& environment, std::size_t width,
                         bool complete) {
  std::string help = spec.field.help;
  std::string left = "  " + label(spec);
  if (left.size() > width && !spec.field.choices.empty()) {
    left = "  " + spec.flag() + " <choice>";
    help += ": " + enumerate(spec.field.choices, "or");
  }
  const std::string value = shown_default(spec);
  if (spec.field.required) help += " (required)";
  if (!value.empty()) help += " [" + value + "]";
  if (complete) {
    if (const std::string bounds = bounds_of(spec.field); !bounds.empty()) help += "; " + bounds;
    if (!spec.field.symbol.empty()) help += "; the paper's " + spec.field.symbol;
    if (!environment.empty()) help += "; " + environment;
  }
  return two_columns(left, help, 30, width);
}

std::string group_of(const FieldSpec& spec) {
  if (spec.field.positional) return "input";
  return spec.field.group.empty() ? "options" : spec.field.group;
}

std::string grouped_options(const Schema& schema, const VerbEntry* verb, std::size_t width) {
  std::vector<std::string> groups;
  for (const FieldSpec& spec : schema) {
    const std::string group = group_of(spec);
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  std::string text;
  for (const std::string& group : groups) {
    text += "\n" + group + ":\n";
    for (const FieldSpec& spec : schema) {
      if (group_of(spec) == group) {
        text += option_lines(spec, environment_name(verb, spec), width, true);
      }
    }
  }
  return text;
}

std::string paragraphs(const std::string& text, std::size_t width) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) out += wrap_text(line, width) + "\n";
  return out;
}

/// The usage line, broken between its parts.
std::string usage(const std::string& line, std::size_t width) {
  return wrap_text("usage: " + line, width < 10 ? width : width - 7, 7) + "\n";
}

}  // namespace

std::vector<std::string> nouns(const Catalogue& catalogue) {
  std::vector<std::string> names;
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (std::find(names.begin(), names.end(), verb.info.noun) == names.end()) {
      names.push_back(verb.info.noun);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string overview(const Catalogue& catalogue, std::size_t width) {
  std::string rooms, words;
  for (const std::string& noun : nouns(catalogue)) rooms += noun.empty() ? "" : " " + noun;
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun.empty()) words += " " + verb.info.name;
  }
  const auto line = [&](const char* command, const std::string& explains) {
    return two_columns(std::string("  sosia ") + command, explains, 30, width);
  };
  return wrap_text(
             "sosia " + std::string(kVersion) + " - an identity engine: is this the same one?",
             width) +
         "\n\n" + line("demo", "see it work on this machine") + line("<noun>", "nouns:" + rooms) +
         line("<noun> <verb> -h", "two examples and the main options") +
         line("<verb>", "verbs:" + words + " completion help") + "\n" +
         paragraphs(
             "Results go to standard output; --json is the stable contract, --html FILE draws it.\n"
             "`sosia --help` lists every verb; `sosia doctor` says what this machine can do.",
             width);
}

std::string full_overview(const Catalogue& catalogue, std::size_t width) {
  constexpr std::size_t kColumn = 30;
  std::string text = usage("sosia <noun> <verb> [options]", width);
  for (const std::string& noun : nouns(catalogue)) {
    text += "\n" + (noun.empty() ? std::string("general") : noun) + ":\n";
    for (const VerbEntry& verb : catalogue.verbs()) {
      if (verb.info.noun != noun) continue;
      text += two_columns("  " + verb.info.path(), verb.info.summary, kColumn, width);
    }
    if (!noun.empty()) continue;
    text += two_columns("  completion <bash|zsh|fish>", "print a completion script for a shell",
                        kColumn, width);
    text +=
        two_columns("  help [VERB] [--markdown]", "the complete help of a verb", kColumn, width);
  }
  return text + "\n" +
         paragraphs(
             "`sosia <verb> -h` shows examples and the main options, `--help` everything. Options "
             "come from, lowest first: built-in, recipe, user config, project config (sosia.toml), "
             "SOSIA_* environment, command line.\n"
             "Exit status: 0 done, 1 failed, 2 usage, 3 input missing or corrupt, 4 feature or "
             "device unavailable, 5 done but a requested gate failed, 70 internal, 130 cancelled.",
             width);
}

std::string noun_help(const Catalogue& catalogue, const std::string& noun, std::size_t width) {
  std::string text = usage("sosia " + noun + " <verb> [options]", width) + "\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun != noun) continue;
    text += two_columns("  " + verb.info.name, verb.info.summary, 20, width);
  }
  return text + "\n" +
         paragraphs("`sosia " + noun + " <verb> -h` shows examples and the main options.", width);
}

std::string short_help(const VerbEntry& verb, std::size_t width) {
  std::string text = examples_text(verb, width, 2) + "\n" + paragraphs(verb.info.summary, width) +
                     usage(usage_line(verb), width) + "\n";
  // The main options are those without a heading of their own; one screen has no room for more.
  std::vector<std::string> headings;
  for (const FieldSpec& spec : verb.schema) {
    if (spec.field.positional || spec.field.required || spec.field.group.empty()) {
      text += option_lines(spec, "", width, false);
    } else if (std::find(headings.begin(), headings.end(), spec.field.group) == headings.end()) {
      headings.push_back(spec.field.group);
    }
  }
  std::string more;
  for (const std::string& heading : headings) more += heading + ", ";
  return text + "\n" +
         paragraphs("--help: also " + more + "output (--json, --html), run, configuration", width);
}

std::string long_help(const VerbEntry& verb, std::size_t width) {
  std::string text = usage(usage_line(verb), width) + "\n" + paragraphs(verb.info.summary, width) +
                     "\nexamples:\n" + examples_text(verb, width, verb.info.examples.size());
  if (!verb.info.details.empty()) text += "\n" + paragraphs(verb.info.details, width);
  text += grouped_options(verb.schema, &verb, width);
  text += grouped_options(common_schema(), nullptr, width);
  return text;
}

namespace {

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string markdown_options(const Schema& schema, const VerbEntry* verb) {
  std::string text =
      "| option | meaning | default | range | environment |\n|---|---|---|---|---|\n";
  for (const FieldSpec& spec : schema) {
    std::string meaning = spec.field.help;
    if (!spec.field.unit.empty()) meaning += " [" + spec.field.unit + "]";
    if (!spec.field.symbol.empty()) meaning += " (the paper's " + spec.field.symbol + ")";
    const std::string value = spec.field.required ? "required" : shown_default(spec);
    const std::string environment = environment_name(verb, spec);
    text += "| `" + markdown_cell(label(spec)) + "` | " + markdown_cell(meaning) + " | " +
            (value.empty() || spec.field.required ? value : "`" + markdown_cell(value) + "`") +
            " | " + bounds_of(spec.field) + " | " +
            (environment.empty() ? "" : "`" + environment + "`") + " |\n";
  }
  return text;
}

}  // namespace

std::string markdown_page(const Catalogue& catalogue, const std::string& noun) {
  std::string text = "# " + (noun.empty() ? std::string("General verbs") : "`sosia " + noun + "`") +
                     "\n\nGenerated by `make docs` from the declarations; do not edit.\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun != noun) continue;
    text += "\n## `" + usage_line(verb) + "`\n\n" + verb.info.summary + "\n\n";
    for (const Example& example : verb.info.examples) {
      text += "```\n" + example.command + "\n```\n" + example.explains + "\n\n";
    }
    if (!verb.info.details.empty()) text += verb.info.details + "\n\n";
    if (!verb.schema.empty()) text += markdown_options(verb.schema, &verb);
  }
  if (noun.empty()) {
    text += "\n## Options of every verb\n\n" + markdown_options(common_schema(), nullptr);
  }
  return text;
}

}  // namespace sosia::cli
