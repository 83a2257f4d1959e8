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

std::string range(const FieldSpec& spec) {
  const Field& f = spec.field;
  const auto number = [](double v) { return to_json(Value(v), -1); };
  std::vector<std::string> parts;
  if (f.min) parts.push_back("at least " + number(*f.min));
  if (f.above) parts.push_back("above " + number(*f.above));
  if (f.max) parts.push_back("at most " + number(*f.max));
  if (f.below) parts.push_back("below " + number(*f.below));
  return enumerate(parts, "and");
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

/// One option in the two-column list.
std::string option_lines(const FieldSpec& spec, const std::string& environment, std::size_t width,
                         bool complete) {
  constexpr std::size_t kColumn = 30;
  std::string help = spec.field.help;
  const std::string value = shown_default(spec);
  if (spec.field.required) help += " (required)";
  if (!value.empty()) help += " [" + value + "]";
  if (complete) {
    if (const std::string bounds = range(spec); !bounds.empty()) help += "; " + bounds;
    if (!spec.field.symbol.empty()) help += "; the paper's " + spec.field.symbol;
    if (!environment.empty()) help += "; " + environment;
  }
  std::string left = "  " + label(spec);
  const bool own_line = left.size() + 2 > kColumn || width < 60;
  const std::size_t indent = width < 60 ? 6 : kColumn;
  std::string text = own_line ? left + "\n" + std::string(indent, ' ') : padded(left, kColumn);
  return text + wrap_text(help, width > indent ? width - indent : width, indent) + "\n";
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

std::string details_text(const std::string& details, std::size_t width) {
  std::string text;
  for (const std::string_view line : split(details, '\n')) text += wrap_text(line, width) + "\n";
  return text;
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

std::string overview(const Catalogue& catalogue) {
  std::string rooms, words;
  for (const std::string& noun : nouns(catalogue)) rooms += noun.empty() ? "" : " " + noun;
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun.empty()) words += " " + verb.info.name;
  }
  return "sosia " + std::string(kVersion) +
         " - an identity engine: is this the same one?\n"
         "\n"
         "  sosia demo                    see it work on this machine\n"
         "  sosia <noun>                  nouns:" +
         rooms + "\n" +
         "  sosia <noun> <verb> -h        two examples and the main options\n"
         "  sosia <verb>                  verbs:" +
         words + " completion help\n" +
         "\n"
         "Results go to standard output; --json is the stable contract, --html FILE draws it.\n"
         "`sosia --help` lists every verb; `sosia doctor` says what this machine can do.\n";
}

std::string full_overview(const Catalogue& catalogue, std::size_t width) {
  std::string text = "usage: sosia <noun> <verb> [options]\n";
  for (const std::string& noun : nouns(catalogue)) {
    text += "\n" + (noun.empty() ? std::string("general") : noun) + ":\n";
    for (const VerbEntry& verb : catalogue.verbs()) {
      if (verb.info.noun != noun) continue;
      text += padded("  " + verb.info.path(), 28) + "  " +
              wrap_text(verb.info.summary, width > 32 ? width - 30 : width, 30) + "\n";
    }
  }
  text +=
      "  completion bash|zsh|fish    print a completion script for a shell\n"
      "  help [VERB] [--markdown]    the complete help of a verb\n"
      "\n`sosia <verb> -h` shows examples, `--help` everything. Options come from, lowest first:\n"
      "built-in, recipe, user config, project config (sosia.toml), SOSIA_* environment, command "
      "line.\n"
      "Exit status: 0 done, 1 failed, 2 usage, 3 input missing or corrupt, 4 feature or device\n"
      "unavailable, 5 done but a requested gate failed, 70 internal, 130 cancelled.\n";
  return text;
}

std::string noun_help(const Catalogue& catalogue, const std::string& noun, std::size_t width) {
  std::string text = "usage: sosia " + noun + " <verb> [options]\n\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun != noun) continue;
    text += padded("  " + verb.info.name, 18) + "  " +
            wrap_text(verb.info.summary, width > 22 ? width - 20 : width, 20) + "\n";
  }
  return text + "\n`sosia " + noun + " <verb> -h` shows examples and the main options.\n";
}

std::string short_help(const VerbEntry& verb, std::size_t width) {
  std::string text = examples_text(verb, width, 2);
  text += "\n" + wrap_text(verb.info.summary, width) + "\nusage: " + usage_line(verb) + "\n\n";
  for (const FieldSpec& spec : verb.schema) text += option_lines(spec, "", width, false);
  text += "\nand --json, --html FILE, --seed N, --threads N, --dry-run, ...: `sosia " +
          verb.info.path() + " --help` has all.\n";
  return text;
}

std::string long_help(const VerbEntry& verb, std::size_t width) {
  std::string text = "usage: " + usage_line(verb) + "\n\n" + wrap_text(verb.info.summary, width) +
                     "\n\nexamples:\n" + examples_text(verb, width, verb.info.examples.size());
  if (!verb.info.details.empty()) text += "\n" + details_text(verb.info.details, width);
  text += grouped_options(verb.schema, &verb, width);
  text += grouped_options(common_schema(), nullptr, width);
  return text;
}

namespace {

std::string markdown_cell(std::string text) {
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
            " | " + range(spec) + " | " + (environment.empty() ? "" : "`" + environment + "`") +
            " |\n";
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
