#include "gallery/enrol_rows.hpp"

#include "gallery/bytes.hpp"
#include "gallery/enrol.hpp"
#include "gallery/local_gallery.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

namespace sosia::gallery {

namespace {

constexpr std::size_t kBatchRows = 8192;
constexpr std::size_t kBatchBytes = std::size_t{64} << 20;
constexpr std::size_t kMostRefused = 1000;

/// 128 bits of all that a template is.
struct ContentKey {
  std::uint64_t a = 0, b = 0;
  friend bool operator==(const ContentKey&, const ContentKey&) = default;
};
struct ContentKeyHash {
  std::size_t operator()(const ContentKey& key) const { return key.a; }
};
using ContentKeys = std::unordered_set<ContentKey, ContentKeyHash>;

ContentKey content_key(const Template& t, std::span<const float> unit, StoredType type) {
  ByteWriter writer;
  writer.text(t.label).text(t.tenant).text(t.camera).text(t.origin);
  writer.number(t.time_ms).number(t.quality);
  writer.text(t.metadata.is_null() ? std::string() : to_json(t.metadata, -1));
  writer.bytes(pack_vector(unit, type));
  return {xxh3_64(writer.view(), 0), xxh3_64(writer.view(), 1)};
}

ContentKeys keys_of(Gallery& gallery, const GalleryInfo& info, RunContext& run) {
  ContentKeys keys;
  keys.reserve(info.templates);
  gallery.scan(
      {},
      [&](const StoredTemplate& t) {
        if (keys.size() % 1024 == 0)
          run.progress("reading the gallery", keys.size(), info.templates);
        keys.insert(content_key(t, t.vector, info.type));
        return true;
      },
      run);
  return keys;
}

/// A batch on its way, with where its rows came from.
struct Batch {
  std::vector<Template> rows = {};
  std::vector<EnrolOutcome::Refused> sources = {};  ///< `reason`: refused by the source already
};

void refuse(EnrolOutcome& outcome, EnrolOutcome::Refused refused) {
  ++outcome.refused_rows;
  if (outcome.refused.size() < kMostRefused) outcome.refused.push_back(std::move(refused));
}

void send(Gallery& gallery, Batch& batch, const EnrolOptions& options, RunContext& run,
          EnrolOutcome& outcome) {
  if (batch.rows.empty()) return;
  const AddReport report = gallery.add(batch.rows, options.model, run);
  outcome.enrolled += report.enrolled;
  outcome.dropped += report.dropped;
  outcome.new_subjects += report.new_subjects;
  for (const AddReport::Skipped& skipped : report.skipped) {
    EnrolOutcome::Refused refused = batch.sources[skipped.row];
    if (refused.reason.empty()) refused.reason = skipped.reason;
    refuse(outcome, std::move(refused));
  }
  batch = Batch();
}

}  // namespace

void enrol_all(Gallery& gallery, RowSource& source, const EnrolOptions& options, RunContext& run,
               EnrolOutcome& outcome) {
  const GalleryInfo info = gallery.info();
  if (source.dimension() != 0 && source.dimension() != info.dimension) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the vectors have dimension {}, the gallery {}", source.dimension(),
                            info.dimension),
                "use a gallery of that dimension; `sosia face migrate` embeds the sources anew");
  }
  check_model(options.model, info.model, info.templates == 0);
  ContentKeys known;
  if (info.templates > 0 && !options.keep_duplicates) known = keys_of(gallery, info, run);
  const std::size_t most =
      std::clamp<std::size_t>(kBatchBytes / (info.dimension * sizeof(float)), 1, kBatchRows);
  Batch batch;
  SourceRow row;
  std::uint64_t number = 0;
  bool fresh = known.empty();
  while (source.next(row)) {
    if (number % 512 == 0) run.progress("enrolling", number, source.total());
    ++outcome.rows;
    EnrolOutcome::Refused place{number++, row.where, row.problem};
    if (row.problem.empty() && !known.empty()) {
      Enrolment enrolment;
      if (check_template(row.content, info.dimension, info.type, enrolment).empty() &&
          known.contains(content_key(row.content, enrolment.unit, info.type))) {
        ++outcome.already;
        continue;
      }
      fresh = true;
    }
    if (!row.problem.empty()) {
      // Its number is used up all the same, so that template i is row i in a new gallery; but not
      // when the rows around it were enrolled by an earlier run, which has used it up.
      if (!fresh) {
        refuse(outcome, std::move(place));
        continue;
      }
      row.content = Template();
    }
    batch.rows.push_back(std::move(row.content));
    batch.sources.push_back(std::move(place));
    if (batch.rows.size() == most) send(gallery, batch, options, run, outcome);
  }
  send(gallery, batch, options, run, outcome);
  run.progress("enrolling", number, number);
}

void add_to_report(Report& report, const EnrolOutcome& outcome) {
  report.scalar("rows", outcome.rows, "rows read");
  report.scalar("enrolled", outcome.enrolled);
  report.scalar("already_enrolled", outcome.already, "held already");
  report.scalar("dropped", outcome.dropped, "given up",
                "for others of the same subject (max_templates, min_quality)");
  report.scalar("new_subjects", outcome.new_subjects, "new subjects");
  report.scalar("refused", outcome.refused_rows, "refused rows");
  Table& table = report.table("skipped", "Refused rows",
                              {{"row", "row", ""}, {"where", "", ""}, {"reason", "", ""}});
  for (const EnrolOutcome::Refused& refused : outcome.refused) {
    table.add({refused.row, refused.where, refused.reason});
  }
  if (outcome.refused_rows > 0) {
    report.warning(fmt::format("{} of {} rows were refused; the others are enrolled",
                               outcome.refused_rows, outcome.rows));
  }
}

}  // namespace sosia::gallery
