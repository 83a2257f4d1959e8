#pragma once
// How figures are said: keys of rates, options and gates that verbs of several rooms share, plots.
// Thread-safety: free functions on values.

#include "sosia/core/error.hpp"
#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/roc.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::evaluate {

/// `work()` on what `file` held: what it refuses about the data (a class without scores) becomes
/// corrupt_data of that file, because the command line was right.
template <class Work>
auto of_file(const std::string& file, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    throw Error(ErrorCode::corrupt_data, error.message(), error.hint(), file);
  }
}

/// "1e-3" for powers of ten, "0.05" otherwise.
std::string rate_key(double rate);

/// Refuses a list option that names one key of the report twice.
void require_distinct(Fields& f, std::string_view option, std::span<const double> rates);
void require_distinct(Fields& f, std::string_view option, std::span<const std::int64_t> ranks);

/// "12.34 %", four significant digits.
std::string percent(double rate);

/// Figures by rate: {"1e-1": f(0.1), ...}.
std::vector<std::pair<std::string, Value>> by_rate(std::span<const double> rates,
                                                   const std::function<double(double)>& figure);

/// Bootstrap over subjects, as options.
struct BootstrapFields {
  std::int64_t replicates = 1000;
  double level = 0.95;
  BootstrapOptions options() const;
};
/// `when` ends "bootstrap replicates ...".
void describe(Fields& f, BootstrapFields& o, const std::string& when);

/// A demand on a figure between 0 and 1.
void describe_gate(Fields& f, std::string name, std::string help, std::optional<double>& bound);

/// The demand that `value` be at least (or at most) `bound`, when there is one.
void add_gate(Report& report, std::string_view name, double value, std::optional<double> bound,
              bool at_least = true);

/// Warns about the largest of `rates` that breaks the rule of 30.
void warn_rule_of_30(Report& report, std::span<const double> rates, std::size_t trials,
                     std::string_view rate_name, std::string_view trials_name);

/// Shares of several lists over common bins of equal width.
struct NamedScores {
  std::string name;
  std::span<const double> scores;
};
Plot histogram_plot(std::string key, std::string title, std::string x_label,
                    std::span<const NamedScores> lists, std::size_t bins = 50);

/// Points of a curve as x and y.
Series curve_series(std::string name, std::span<const RocPoint> points,
                    const std::function<std::pair<double, double>(const RocPoint&)>& at);

/// TAR over FAR with a logarithmic x axis, and FNMR over FMR with two.
Plot roc_plot(const Roc& roc);
Plot det_plot(const Roc& roc);

}  // namespace sosia::evaluate
