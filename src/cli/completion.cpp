#include "cli/completion.hpp"

#include "cli/help.hpp"
#include "sosia/core/config.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia::cli {

namespace {

/// Single quotes for the shell.
std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string first_words(const Catalogue& catalogue) {
  std::string words;
  for (const std::string& noun : nouns(catalogue)) words += noun.empty() ? "" : noun + " ";
  for (const VerbEntry& verb : catalogue.verbs()) {
    if (verb.info.noun.empty()) words += verb.info.name + " ";
  }
  return words + "completion help";
}

std::string flags_of(const VerbEntry& verb) {
  std::string words;
  for (const Schema* schema : {&verb.schema, &common_schema()}) {
    for (const FieldSpec& spec : *schema) {
      if (!spec.field.positional) words += (words.empty() ? "" : " ") + spec.flag();
    }
  }
  return words + " --help";
}

/// Calls `use(flag, choices)` for every option with a closed list.
template <class Use>
void for_choices(const VerbEntry& verb, Use use) {
  for (const Schema* schema : {&verb.schema, &common_schema()}) {
    for (const FieldSpec& spec : *schema) {
      if (spec.field.choices.empty() || spec.field.positional) continue;
      std::string words;
      for (const std::string& choice : spec.field.choices) {
        words += (words.empty() ? "" : " ") + choice;
      }
      use(spec.flag(), words);
    }
  }
}

/// The body shared by bash and zsh (through bashcompinit): sets `words` from the words typed.
std::string bash_script(const Catalogue& catalogue) {
  std::string text =
      "_sosia() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= verb=\n"
      "  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    const std::string pattern =
        verb.info.noun.empty() ? "\"" + verb.info.name + " \"*" : "\"" + verb.info.path() + "\"";
    text += "    " + pattern + ") verb=" + shell_quoted(verb.info.path()) +
            "; words=" + shell_quoted(flags_of(verb)) + ";;\n";
  }
  text += "  esac\n  case \"$verb $prev\" in\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    for_choices(verb, [&](const std::string& flag, const std::string& choices) {
      text +=
          "    \"" + verb.info.path() + " " + flag + "\") words=" + shell_quoted(choices) + ";;\n";
    });
  }
  text +=
      "  esac\n  if [ \"$COMP_CWORD\" = 1 ]; then words=" + shell_quoted(first_words(catalogue)) +
      "; fi\n";
  text += "  if [ \"$COMP_CWORD\" = 2 ]; then\n    case \"${COMP_WORDS[1]}\" in\n";
  for (const std::string& noun : nouns(catalogue)) {
    if (noun.empty()) continue;
    std::string verbs;
    for (const VerbEntry& verb : catalogue.verbs()) {
      if (verb.info.noun == noun) verbs += (verbs.empty() ? "" : " ") + verb.info.name;
    }
    text += "      " + noun + ") words=" + shell_quoted(verbs) + ";;\n";
  }
  text +=
      "      completion) words='bash zsh fish';;\n    esac\n  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "  if [ ${#COMPREPLY[@]} = 0 ]; then COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
      "}\n"
      "complete -o filenames -F _sosia sosia\n";
  return text;
}

std::string fish_script(const Catalogue& catalogue) {
  std::string text = "complete -c sosia -n __fish_use_subcommand -f -a " +
                     shell_quoted(first_words(catalogue)) + "\n";
  for (const VerbEntry& verb : catalogue.verbs()) {
    std::string seen = "__fish_seen_subcommand_from " + verb.info.name;
    if (!verb.info.noun.empty()) {
      text += "complete -c sosia -n " +
              shell_quoted("__fish_seen_subcommand_from " + verb.info.noun) + " -f -a " +
              verb.info.name + " -d " + shell_quoted(verb.info.summary) + "\n";
      seen = "__fish_seen_subcommand_from " + verb.info.noun + "; and " + seen;
    }
    for (const Schema* schema : {&verb.schema, &common_schema()}) {
      for (const FieldSpec& spec : *schema) {
        if (spec.field.positional) continue;
        std::string choices;
        for (const std::string& choice : spec.field.choices) choices += choice + " ";
        text += "complete -c sosia -n " + shell_quoted(seen) + " -l " + spec.flag().substr(2) +
                (spec.type == FieldType::boolean ? "" : " -r") +
                (choices.empty() ? "" : " -f -a " + shell_quoted(choices)) + " -d " +
                shell_quoted(spec.field.help) + "\n";
      }
    }
  }
  return text +
         "complete -c sosia -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
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
