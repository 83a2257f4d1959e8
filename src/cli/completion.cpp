#include "cli/completion.hpp"

#include "cli/help.hpp"
#include "sosia/core/config.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::cli {

namespace {

/// Single quotes for the shell.
std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// What may stand first: nouns, and verbs of one word.
std::string first_words(const Catalogue& catalogue) {
  std::string words;
  for (const std::string& noun : nouns(catalogue)) words += noun.empty() ? "" : noun + " ";
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun.empty()) words += verb.info.name + " ";
  }
  return words + "completion help";
}

std::string verbs_of(const Catalogue& catalogue, const std::string& noun) {
  std::string words;
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun == noun) words += (words.empty() ? "" : " ") + verb.info.name;
  }
  return words;
}

std::string joined(const std::vector<std::string>& items) {
  std::string words;
  for (const std::string& item : items) words += (words.empty() ? "" : " ") + item;
  return words;
}

bool is_path(const FieldSpec& spec) {
  return spec.field.role != FieldRole::plain && spec.field.role != FieldRole::assignment;
}

bool takes_path(const VerbEntry& verb) {
  return std::any_of(verb.schema.begin(), verb.schema.end(),
                     [](const FieldSpec& spec) { return spec.field.positional && is_path(spec); });
}

/// Words that a verb takes beside its options, where they are known.
std::string operands(const Catalogue& catalogue, const VerbEntry& verb) {
  if (verb.info.path() != "reproduce") return {};
  std::vector<std::string> methods;
  for (const ClaimEntry& claim : catalogue.claims()) methods.push_back(claim.method);
  return joined(methods);
}

std::string flags_of(const Schema& schema) {
  std::string words;
  for (const FieldSpec& spec : schema) {
    if (!spec.field.positional) words += (words.empty() ? "" : " ") + spec.flag();
  }
  return words;
}

/// What follows an option of `schema`: one of its choices, a file, or something that nobody knows.
/// `scope` is the verb's path, or * for all verbs.
std::string bash_values(const std::string& scope, const Schema& schema) {
  std::string text, files, unknown;
  for (const FieldSpec& spec : schema) {
    if (spec.field.positional || spec.type == FieldType::boolean) continue;
    const std::string pattern = scope + "\" " + spec.flag() + "\"";
    if (!spec.field.choices.empty()) {
      text += "    " + pattern + ") value=words words=" + shell_quoted(joined(spec.field.choices)) +
              ";;\n";
    } else {
      std::string& patterns = is_path(spec) ? files : unknown;
      patterns += (patterns.empty() ? "" : "|") + pattern;
    }
  }
  if (!files.empty()) text += "    " + files + ") value=files;;\n";
  if (!unknown.empty()) text += "    " + unknown + ") value=none;;\n";
  return text;
}

/// The body shared by bash and zsh (through bashcompinit). Files are left to the shell
/// (`-o default` completes them when nothing is offered), which knows how to quote them.
std::string bash_script(const Catalogue& catalogue) {
  std::string text =
      "_sosia() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local verb= flags= words= value= first=1\n"
      "  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n"
      "    'help '*) first=2;;\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    const std::string pattern = verb.info.noun.empty() ? shell_quoted(verb.info.name + " ") + "*"
                                                       : shell_quoted(verb.info.path());
    const std::string words = operands(catalogue, verb);
    text += "    " + pattern + ") verb=" + shell_quoted(verb.info.path()) +
            " flags=" + shell_quoted(flags_of(verb.schema)) +
            (words.empty() ? "" : " words=" + shell_quoted(words)) +
            (takes_path(verb) ? " value=files" : " value=words") +
            (verb.info.path() == "config show" ? " first=3" : "") + ";;\n";
  }
  text += "  esac\n  case \"$verb $prev\" in\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    text += bash_values(shell_quoted(verb.info.path()), verb.schema);
  }
  text += bash_values("*", common_schema());
  text += "    *) case \"$cur\" in -*) value=words words=\"$flags " + flags_of(common_schema()) +
          " --help\";; esac\n  esac\n"
          "  if [ \"$COMP_CWORD\" = \"$first\" ]; then\n    value=words words=" +
          shell_quoted(first_words(catalogue)) +
          "\n  elif [ \"$COMP_CWORD\" = \"$((first + 1))\" ]; then\n"
          "    case \"${COMP_WORDS[first]}\" in\n";
  for (const std::string& noun : nouns(catalogue)) {
    if (noun.empty()) continue;
    text +=
        "      " + noun + ") value=words words=" + shell_quoted(verbs_of(catalogue, noun)) + ";;\n";
  }
  return text +
         "      completion) value=words words='bash zsh fish';;\n    esac\n  fi\n"
         "  COMPREPLY=()\n"
         "  if [ \"$value\" = words ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")); fi\n"
         "  if [ \"$value\" != files ]; then compopt +o default 2>/dev/null; fi\n"
         "  return 0\n"
         "}\n"
         "complete -o default -F _sosia sosia\n";
}

/// One rule of fish: what is offered where `condition` holds.
std::string fish_rule(const std::string& condition, const std::string& offers) {
  return fmt::format("complete -c sosia -n {} {}\n", shell_quoted(condition), offers);
}

std::string fish_option(const FieldSpec& spec) {
  std::string text =
      fmt::format("-l {} -d {}", spec.flag().substr(2), shell_quoted(spec.field.help));
  if (spec.type == FieldType::boolean) return text;
  if (is_path(spec)) return text + " -r -F";
  if (spec.field.choices.empty()) return text + " -x";
  return text + " -x -a " + shell_quoted(joined(spec.field.choices));
}

std::string fish_script(const Catalogue& catalogue) {
  const std::string first = "-a " + shell_quoted(first_words(catalogue));
  const auto seen = [](const std::string& words) { return "__fish_seen_subcommand_from " + words; };
  std::string text = "complete -c sosia -f\n" + fish_rule("__fish_use_subcommand", first);
  for (const VerbEntry& verb : catalogue.verbs()) {
    std::string here = seen(verb.info.name);
    if (!verb.info.noun.empty()) {
      const std::string noun = seen(verb.info.noun);
      const std::string verbs = seen(verbs_of(catalogue, verb.info.noun));
      text +=
          fish_rule(fmt::format("{}; and not {}", noun, verbs),
                    fmt::format("-a {} -d {}", verb.info.name, shell_quoted(verb.info.summary)));
      here = fmt::format("{}; and {}", noun, here);
    }
    if (takes_path(verb)) text += fish_rule(here, "-F");
    if (const std::string words = operands(catalogue, verb); !words.empty()) {
      text += fish_rule(here, "-a " + shell_quoted(words));
    }
    for (const Schema* schema : {&verb.schema, &common_schema()}) {
      for (const FieldSpec& spec : *schema) {
        if (!spec.field.positional) text += fish_rule(here, fish_option(spec));
      }
    }
  }
  text += fish_rule(seen("help"), first);
  text += fish_rule(fmt::format("{}; and {}", seen("config"), seen("show")), first);
  return text + fish_rule(seen("completion"), "-a 'bash zsh fish'");
}

}  // namespace

std::string completion_script(const Catalogue& catalogue, const std::string& shell) {
  if (shell == "bash") return bash_script(catalogue);
  if (shell == "zsh") {
    return "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" +
           bash_script(catalogue);
  }
  if (shell == "fish") return fish_script(catalogue);
  throw Error(ErrorCode::usage, "there is no completion for the shell " + quote(shell),
              "use bash, zsh or fish");
}

}  // namespace sosia::cli
