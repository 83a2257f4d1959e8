#pragma once

/// Everything of the room "core": errors, values, fields, verbs, reports, runs.

#include "sosia/core/catalogue.hpp"
#include "sosia/core/claim.hpp"
#include "sosia/core/config.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/execute.hpp"
#include "sosia/core/fields.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/http.hpp"
#include "sosia/core/registry.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/settings.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/trained_network_abi.hpp"
#include "sosia/core/training.hpp"
#include "sosia/core/value.hpp"
#include "sosia/core/verb.hpp"
