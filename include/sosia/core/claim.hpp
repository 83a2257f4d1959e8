#pragma once
// A claim: what a paper says, tested on data that is at hand, beside the rows that keep it honest.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sosia {

enum class ArmRole {
  method,    ///< the method as published
  ablation,  ///< the method without its idea
  control,   ///< must fail: shuffled, random, untrained
  oracle,    ///< the ceiling
};

/// One row of a claim's table: figures of one arm over all seeds.
struct ClaimRow {
  std::string arm = {};
  ArmRole role = ArmRole::method;
  std::vector<std::pair<std::string, double>> metrics = {};  ///< mean over seeds
  std::vector<std::pair<std::string, double>> spreads = {};  ///< standard deviation over seeds
  std::vector<std::uint64_t> seeds = {};
};

enum class ClaimVerdict { shown, not_shown_here, tied_with_control };

struct ClaimOptions {
  bool quick = false;     ///< checks the code in about a minute, not the claim
  std::string data = {};  ///< folder with real data; empty: the embedded world
  std::int64_t seeds = 3;
};
void describe(Fields& f, ClaimOptions& o);

struct ClaimResult {
  std::vector<ClaimRow> rows = {};
  ClaimVerdict verdict = ClaimVerdict::not_shown_here;
  std::string data_used = {};  ///< which data, in one sentence
};

/// A method's claim. `rule` is the sentence, written before the run, from which `run` computes the
/// verdict.
struct Claim {
  std::string method = {};  ///< the folder's name
  std::string room = {};
  std::string title = {};  ///< what the paper claims, in one sentence
  std::string rule = {};
  std::function<ClaimResult(const ClaimOptions&, RunContext&)> run = {};
};

/// The report of a claim. Throws internal when one of the four roles is missing, or when fewer than
/// three seeds were run without `quick`.
Report claim_report(const Claim& claim, const ClaimOptions& options, const ClaimResult& result,
                    double wall_s);

std::string_view to_string(ArmRole role);
std::string_view to_string(ClaimVerdict verdict);

}  // namespace sosia
