// Enrolment in the local gallery.

#include "gallery/bytes.hpp"
#include "gallery/enrol.hpp"
#include "gallery/local_gallery.hpp"
#include "gallery/selection.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::gallery {

namespace {

constexpr std::int64_t kGivenUp = -1;

/// A row of the batch on its way in.
struct Prepared {
  std::string problem = {};
  TemplateRow row = {};
};

std::vector<Prepared> prepare(std::span<const Template> batch, const FixedInfo& fixed,
                              RunContext& run) {
  std::vector<Prepared> prepared(batch.size());
  run.parallel_for(0, batch.size(), 64, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      Enrolment enrolment;
      prepared[i].problem = check_template(batch[i], fixed.dimension, fixed.type, enrolment);
      if (!prepared[i].problem.empty()) continue;
      TemplateRow& row = prepared[i].row;
      row.vector = pack_vector(enrolment.unit, fixed.type);
      row.norm = enrolment.norm;
      // 0 + -0 is 0: SQLite does not keep the sign of a zero.
      if (batch[i].quality) row.quality = 0.0 + *batch[i].quality;
      row.time_ms = batch[i].time_ms;
      row.camera = batch[i].camera;
      row.origin = batch[i].origin;
      row.metadata = std::move(enrolment.metadata);
    }
  });
  return prepared;
}

/// The rows of the batch by subject, in the order in which subjects come.
struct Group {
  const Template* first = nullptr;
  std::vector<std::size_t> rows = {};
};

std::vector<Group> group_rows(std::span<const Template> batch,
                              const std::vector<Prepared>& prepared) {
  std::vector<Group> groups;
  std::unordered_map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!prepared[i].problem.empty()) continue;
    // Texts hold no control characters: NUL keeps tenant and label apart.
    const auto [at, fresh] =
        numbers.try_emplace(batch[i].tenant + '\0' + batch[i].label, groups.size());
    if (fresh) groups.push_back({&batch[i], {}});
    groups[at->second].rows.push_back(i);
  }
  return groups;
}

/// Adds a vector that is given up to its subject's sum.
void give_up(CentroidRow& centroid, const TemplateRow& row, StoredType type,
             std::int64_t enrolled_ms) {
  std::vector<float> vector(centroid.sum.size());
  unpack_vector(row.vector, type, vector);
  for (std::size_t i = 0; i < vector.size(); ++i) centroid.sum[i] += vector[i];
  const std::int64_t time = row.time_ms.value_or(enrolled_ms);
  centroid.oldest_ms = centroid.count == 0 ? time : std::min(centroid.oldest_ms, time);
  ++centroid.count;
}

/// Chooses among what a subject has and gets. Clears the ids of new rows that are not kept.
void choose(Change& change, const SubjectRow& subject, std::span<TemplateRow*> fresh,
            AddReport& report) {
  const FixedInfo& fixed = change.store().fixed();
  std::vector<TemplateRow> present = change.store().templates_of(subject.id);
  std::vector<TemplateRow*> rows;
  for (TemplateRow& row : present) rows.push_back(&row);
  rows.insert(rows.end(), fresh.begin(), fresh.end());
  std::vector<float> units(rows.size() * fixed.dimension);
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto unit = std::span(units).subspan(i * fixed.dimension, fixed.dimension);
    unpack_vector(rows[i]->vector, fixed.type, unit);
    candidates.push_back({unit, rows[i]->quality});
  }
  const auto kept = choose_templates(candidates, fixed.max_templates, fixed.min_quality);
  if (kept.size() == rows.size()) return;
  CentroidRow centroid = change.store().read_centroid(subject.id).value_or(CentroidRow{});
  centroid.subject = subject.id;
  centroid.sum.resize(fixed.dimension, 0.0f);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::binary_search(kept.begin(), kept.end(), i)) continue;
    const bool was_present = i < present.size();
    give_up(centroid, *rows[i], fixed.type, was_present ? rows[i]->enrolled_ms : change.time_ms());
    if (was_present) {
      change.remove(*rows[i]);
    } else {
      rows[i]->id = kGivenUp;
    }
    ++report.dropped;
  }
  change.write_centroid(centroid);
}

}  // namespace

AddReport LocalGallery::add(std::span<const Template> batch, const std::string& model,
                            RunContext& run) {
  run.check_cancelled();
  const std::lock_guard lock(write_mutex_);
  return add_rows(batch, model, run);
}

AddReport LocalGallery::add_rows(std::span<const Template> batch, const std::string& model,
                                 RunContext& run) {
  Store& store = writer();
  const FixedInfo& fixed = store.fixed();
  AddReport report;
  if (batch.empty()) return report;
  std::vector<Prepared> prepared = prepare(batch, fixed, run);
  Change change(store, options_.who.empty() ? "add" : options_.who);
  State& state = change.state();
  check_model(model, state.model, state.templates.rows == 0);
  state.model = model;
  const std::int64_t first = state.next_template;
  if (state.next_template + static_cast<std::int64_t>(batch.size()) >= 0xffffffff) {
    throw Error(ErrorCode::unsupported, "a gallery file holds at most 2^32 templates",
                "use several galleries, or a server (docs/scale.md)");
  }
  // Refused rows take a number too: in a new gallery, template i is row i of what was given.
  state.next_template += static_cast<std::int64_t>(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    prepared[i].row.id = first + static_cast<std::int64_t>(i);
    if (!prepared[i].problem.empty()) report.skipped.push_back({i, prepared[i].problem});
  }
  for (const Group& group : group_rows(batch, prepared)) {
    run.check_cancelled();
    const auto [subject, fresh] = change.subject(group.first->tenant, group.first->label);
    report.new_subjects += fresh ? 1 : 0;
    std::vector<TemplateRow*> rows;
    for (const std::size_t i : group.rows) {
      prepared[i].row.subject = subject.id;
      rows.push_back(&prepared[i].row);
    }
    const std::int64_t present = fresh ? 0 : store.count_templates_of(subject.id);
    if (fixed.min_quality > 0 ||
        static_cast<std::size_t>(present) + rows.size() > fixed.max_templates) {
      choose(change, subject, rows, report);
    }
    change.audit(&subject, fmt::format("{} given", rows.size()));
  }
  for (Prepared& row : prepared) {
    if (!row.problem.empty() || row.row.id == kGivenUp) continue;
    change.insert(row.row);
    ++report.enrolled;
  }
  change.commit();
  return report;
}

}  // namespace sosia::gallery
