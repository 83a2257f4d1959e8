#include "sosia/core/claim.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia {

void describe(Fields& f, ClaimOptions& o) {
  f({.name = "quick", .help = "check the code in about a minute; says nothing about the claim"},
    o.quick);
  f({.name = "data",
     .help = "folder with real data; without it the embedded world is used",
     .role = FieldRole::input_folder},
    o.data);
  f({.name = "seeds", .help = "how many seeds every arm is run with", .min = 1, .max = 1000},
    o.seeds);
}

std::string_view to_string(ArmRole role) {
  switch (role) {
    case ArmRole::method:
      return "method";
    case ArmRole::ablation:
      return "ablation";
    case ArmRole::control:
      return "control";
    case ArmRole::oracle:
      return "oracle";
  }
  return "unknown";
}

std::string_view to_string(ClaimVerdict verdict) {
  switch (verdict) {
    case ClaimVerdict::shown:
      return "shown";
    case ClaimVerdict::not_shown_here:
      return "not shown here";
    case ClaimVerdict::tied_with_control:
      return "tied with control";
  }
  return "unknown";
}

namespace {

void check_rows(const Claim& claim, const ClaimOptions& options, const ClaimResult& result) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorCode::internal, "the claim of " + claim.method + " " + why);
  };
  for (const ArmRole role :
       {ArmRole::method, ArmRole::ablation, ArmRole::control, ArmRole::oracle}) {
    const bool present = std::any_of(result.rows.begin(), result.rows.end(),
                                     [&](const ClaimRow& row) { return row.role == role; });
    if (!present) refuse("has no row with the role " + std::string(to_string(role)));
  }
  for (const ClaimRow& row : result.rows) {
    if (row.metrics.empty() || row.seeds.empty()) refuse("has an arm without figures or seeds");
    if (!options.quick && row.seeds.size() < 3) refuse("was run with fewer than three seeds");
  }
}

Value pairs_to_value(const std::vector<std::pair<std::string, double>>& pairs) {
  Value object = Value::object();
  for (const auto& [key, v] : pairs) object.set(key, v);
  return object;
}

}  // namespace

Report claim_report(const Claim& claim, const ClaimOptions& options, const ClaimResult& result,
                    double wall_s) {
  check_rows(claim, options, result);
  Report report("reproduce", claim.method + ": " + claim.title);
  report.scalar("method", claim.method);
  report.scalar("rule", claim.rule, "rule, written before the run");
  report.scalar("data_used", result.data_used, "data");
  Value rows = Value::list();
  std::vector<Column> columns{{"arm", "arm", ""}, {"role", "role", ""}};
  for (const auto& metric : result.rows.front().metrics) {
    columns.push_back({metric.first, metric.first, ""});
    columns.push_back({metric.first + "_sd", "+-", ""});
  }
  Table shown{.key = "arms", .title = "Arms", .columns = columns, .rows = {}, .note = ""};
  for (const ClaimRow& row : result.rows) {
    Value seeds = Value::list();
    for (const std::uint64_t seed : row.seeds) seeds.push(seed);
    rows.push(Value::object({{"arm", row.arm},
                             {"role", to_string(row.role)},
                             {"metrics", pairs_to_value(row.metrics)},
                             {"spreads", pairs_to_value(row.spreads)},
                             {"seeds", std::move(seeds)}}));
    std::vector<Value> cells{row.arm, to_string(row.role)};
    const Value metrics = pairs_to_value(row.metrics);
    const Value spreads = pairs_to_value(row.spreads);
    for (std::size_t c = 2; c < columns.size(); c += 2) {
      const Value* mean = metrics.find(columns[c].key);
      const Value* spread = spreads.find(columns[c].key);
      cells.push_back(mean ? *mean : Value());
      cells.push_back(spread ? *spread : Value());
    }
    shown.add(std::move(cells));
  }
  report.data("rows", std::move(rows));
  report.table(shown.key, shown.title, shown.columns, "mean over seeds, and standard deviation")
      .rows = shown.rows;
  report.scalar("wall_s", wall_s, "wall time");
  if (options.quick) {
    report.warning("--quick checks that the code runs; it says nothing about the claim");
  }
  report.verdict(std::string(to_string(result.verdict)));
  return report;
}

}  // namespace sosia
