#pragma once
// Enrolling all rows of a source, batch by batch, so that an interrupted import can be run again.

#include "gallery/row_source.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/gallery/gallery.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sosia::gallery {

struct EnrolOptions {
  std::string model = {};
  /// Rows that the gallery holds already are enrolled again instead of being passed over.
  bool keep_duplicates = false;
};

struct EnrolOutcome {
  std::uint64_t rows = 0;
  std::uint64_t enrolled = 0, dropped = 0, new_subjects = 0;
  std::uint64_t already = 0;  ///< passed over: the gallery held them before
  struct Refused {
    std::uint64_t row = 0;
    std::string where = {}, reason = {};
  };
  std::vector<Refused> refused = {};
  std::uint64_t refused_rows = 0;  ///< all of them; `refused` holds the first
};

/// Adds what `source` gives, in transactions of some thousand rows. A row equals a template that
/// was there before this call when subject, vector and all else are the same: it is passed over, so
/// that running an interrupted import again goes on where it stopped. Throws invalid_argument when
/// the source's dimension is not the gallery's, and what `Gallery::add` throws: batches before that
/// stay.
void enrol_all(Gallery& gallery, RowSource& source, const EnrolOptions& options, RunContext& run,
               EnrolOutcome& outcome);

/// Figures and refused rows of an import.
void add_to_report(Report& report, const EnrolOutcome& outcome);

}  // namespace sosia::gallery
