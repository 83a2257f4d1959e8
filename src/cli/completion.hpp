#pragma once
// Shell completion scripts, made from the catalogue.

#include "sosia/core/catalogue.hpp"

#include <string>

namespace sosia::cli {

/// A script for "bash", "zsh" or "fish". Throws usage for another shell.
std::string completion_script(const Catalogue& catalogue, const std::string& shell);

}  // namespace sosia::cli
