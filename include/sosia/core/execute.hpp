#pragma once
// Running a verb the same way from every front-end: options decoded, inputs checked, outputs and
// manifest written.

#include "sosia/core/catalogue.hpp"
#include "sosia/core/config.hpp"

namespace sosia {

struct Outcome {
  Report report;
  Value manifest;
  /// Whether another process of the same run shows the report; see `RunContext::follow`.
  bool shown_elsewhere = false;
};

/// Runs `entry` with its resolved options. What cannot be written, and a device that this build
/// does not have, is refused before the verb runs. Output folders are created first. When the verb
/// wrote files, `manifest.json` is written into its output folder, or `<file>.manifest.json` beside
/// a single output file. With `html` the report is written there, the manifest inside it. With
/// `dry_run` nothing is written: the verb's plan, or else a check of options, inputs and outputs,
/// is the report.
Outcome execute(const Catalogue& catalogue, const VerbEntry& entry, const Resolved& resolved,
                std::shared_ptr<CancelToken> cancel, std::shared_ptr<RunSink> sink);

/// Adds the verbs that need no module: doctor, config init, config show, papers, reproduce,
/// train. The catalogue must outlive every use of them.
void add_builtin_verbs(Catalogue& catalogue);

}  // namespace sosia
