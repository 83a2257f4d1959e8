#pragma once
// Words of the command line -> settings, by the schema of the verb.

#include "sosia/core/catalogue.hpp"
#include "sosia/core/settings.hpp"

#include <string>
#include <vector>

namespace sosia::cli {

/// Parses what follows the verb. Anything that is not an option of the verb or a common one is kept
/// under the name it was given, so that decoding reports it together with all other problems.
/// Dashes and underscores are both accepted in names; nothing may be abbreviated.
/// Throws usage when a flag lacks its value.
Settings parse_arguments(const VerbEntry& verb, const std::vector<std::string>& words);

}  // namespace sosia::cli
