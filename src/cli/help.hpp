#pragma once
// Help texts, made from the catalogue alone: no module is opened.

#include "sosia/core/catalogue.hpp"

#include <cstddef>
#include <string>

namespace sosia::cli {

/// `sosia` alone: ten lines.
std::string overview(const Catalogue& catalogue, std::size_t width);
/// `sosia --help`: every noun and verb.
std::string full_overview(const Catalogue& catalogue, std::size_t width);
/// `sosia <noun>`: its verbs.
std::string noun_help(const Catalogue& catalogue, const std::string& noun, std::size_t width);
/// `-h`: one screen, two examples first.
std::string short_help(const VerbEntry& verb, std::size_t width);
/// `--help`: everything, grouped.
std::string long_help(const VerbEntry& verb, std::size_t width);
/// A reference page of one noun (or of the verbs without one, for ""), as Markdown.
std::string markdown_page(const Catalogue& catalogue, const std::string& noun);
/// Nouns in the order of the catalogue; "" stands for verbs of one word.
std::vector<std::string> nouns(const Catalogue& catalogue);

}  // namespace sosia::cli
