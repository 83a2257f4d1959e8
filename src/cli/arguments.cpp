#include "cli/arguments.hpp"

#include "sosia/core/config.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <deque>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace sosia::cli {

namespace {

/// One option as CLI11 sees it: all values that were given, as text.
struct Bound {
  const FieldSpec* spec;
  CLI::Option* option;
  std::vector<std::string> texts;
};

bool is_list(const FieldSpec& spec) {
  return spec.type == FieldType::text_list || spec.type == FieldType::integer_list ||
         spec.type == FieldType::real_list;
}

std::string spellings(const FieldSpec& spec) {
  if (spec.field.positional) return spec.path;
  const std::string dashed = spec.flag();
  const std::string plain = "--" + spec.path;
  std::string names = dashed == plain ? dashed : dashed + "," + plain;
  if (spec.type == FieldType::boolean) {
    names += ",!--no-" + dashed.substr(2);
    if (dashed != plain) names += ",!--no_" + spec.path;
  }
  return names;
}

void bind(CLI::App& app, const Schema& schema, std::deque<Bound>& bound) {
  for (const FieldSpec& spec : schema) {
    Bound& b = bound.emplace_back(Bound{&spec, nullptr, {}});
    if (spec.type == FieldType::boolean) {
      b.option = app.add_flag(spellings(spec));
      continue;
    }
    b.option = app.add_option(spellings(spec), b.texts);
    if (spec.field.positional && is_list(spec)) {
      b.option->expected(0, CLI::detail::expected_max_vector_size);
    } else {
      // Each time one word: what comes behind it belongs to the next positional.
      b.option->expected(1)->take_all()->allow_extra_args(false);
    }
  }
}

/// `--no-such=3`, `--no-such`, `extra` -> the name under which decoding will report it.
std::string unknown_name(const std::string& word) {
  std::string name = word.substr(0, word.find('='));
  if (!name.starts_with('-')) return name;
  name.erase(0, name.find_first_not_of('-') == std::string::npos ? name.size()
                                                                 : name.find_first_not_of('-'));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

Settings parse_arguments(const VerbEntry& verb, const std::vector<std::string>& words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::deque<Bound> bound;  // CLI11 keeps references into it
  bind(app, verb.schema, bound);
  bind(app, common_schema(), bound);
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // what CLI11 wants
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::string reason = error.what();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw Error(ErrorCode::usage, std::string(trim(reason)),
                "`sosia " + verb.info.path() + " --help` lists all options");
  }
  Settings settings;
  const std::string source(kCommandLine);
  std::vector<std::string> remaining = app.remaining();
  for (Bound& b : bound) {
    if (b.option->count() == 0) continue;
    if (b.spec->field.positional && !is_list(*b.spec) && b.texts.size() > 1) {
      remaining.insert(remaining.end(), b.texts.begin() + 1, b.texts.end());
      b.texts.resize(1);
    }
    settings.set(b.spec->path,
                 b.spec->type == FieldType::boolean ? Value(b.option->as<bool>())
                                                    : value_from_text(*b.spec, b.texts),
                 source);
  }
  bool unknown_flag = false;
  for (const std::string& word : remaining) {
    if (word.starts_with('-')) {
      settings.set(unknown_name(word), word, source);
      unknown_flag = true;
    } else if (!unknown_flag) {  // beside an unknown flag a word may be its value
      throw Error(ErrorCode::usage, "unexpected argument " + quote(word),
                  "`sosia " + verb.info.path() + " --help` shows what it takes");
    }
  }
  return settings;
}

}  // namespace sosia::cli
