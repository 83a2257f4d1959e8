// Enrolment on a Milvus server.

#include "gallery/enrol.hpp"
#include "gallery/milvus_change.hpp"
#include "gallery/selection.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <unordered_map>

#include <fmt/format.h>
#include <sodium.h>

namespace sosia::gallery {

using milvus::Birth;
using milvus::Consistency;
using milvus::Document;
using milvus::State;
using milvus::SubjectRow;
using milvus::TemplateRow;

namespace {

constexpr std::size_t kMetadataBytes = 65535;  // of a Milvus text
constexpr std::size_t kLabelsAtOnce = 500;
/// Rows that one state can retire: the readers' expressions name them.
constexpr std::size_t kMostRetired = 20'000;
/// Entries of the audit in one document row are one each; sent in pieces.
constexpr std::size_t kDocumentsAtOnce = 2000;

std::string random_key() {
  std::array<std::uint8_t, 32> key{};
  randombytes_buf(key.data(), key.size());
  return to_hex(key);
}

/// Texts hold no control characters: NUL keeps tenant and label apart.
std::string subject_key(std::string_view tenant, std::string_view label) {
  return std::string(tenant) + '\0' + std::string(label);
}

}  // namespace

/// One call of `add`, on its way.
struct MilvusGallery::Batch {
  State next = {};
  milvus::Named before = {};
  Birth birth = {};
  std::string verb = {};
  std::vector<TemplateRow> rows = {};  ///< accepted ones, in order
  AddReport report = {};

  /// A subject of the batch.
  struct Group {
    SubjectRow subject = {};
    bool fresh = true;
    std::int64_t before = -1;               ///< row of its present version
    std::vector<std::size_t> rows = {};     ///< of the batch
    std::vector<TemplateRow> present = {};  ///< loaded when it must be chosen among
    std::vector<double> sum = {};           ///< of all vectors
  };
  std::vector<Group> groups = {};
  std::unordered_map<std::string, std::size_t> numbers = {};
  std::vector<bool> kept = {};  ///< by row
};

namespace {

/// Rows of the batch that may be enrolled, with their ids.
void accept(std::span<const Template> batch, State& next, Birth birth,
            std::vector<TemplateRow>& rows, AddReport& report, RunContext& run) {
  const std::int64_t enrolled_ms = milvus::now_ms();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (i % 256 == 0) run.check_cancelled();
    // Refused rows take a number too, as in a gallery file.
    const std::int64_t id = next.next_template++;
    Enrolment enrolment;
    std::string problem = check_template(batch[i], next.dimension, next.type, enrolment);
    if (problem.empty() && enrolment.metadata.size() > kMetadataBytes) {
      problem = fmt::format("the metadata have {} bytes; a Milvus server takes {}",
                            enrolment.metadata.size(), kMetadataBytes);
    }
    if (!problem.empty()) {
      report.skipped.push_back({i, std::move(problem)});
      continue;
    }
    TemplateRow row{.enrolled_ms = enrolled_ms, .birth = birth};
    static_cast<Template&>(row.value) = batch[i];
    row.value.id = id;
    row.value.vector = milvus::stored_vector(enrolment.unit, next.type);
    rows.push_back(std::move(row));
  }
}

}  // namespace

/// Present versions of the batch's subjects.
void MilvusGallery::find_subjects(Batch& batch, RunContext& run) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    const StoredTemplate& t = batch.rows[i].value;
    const auto [at, fresh] =
        batch.numbers.try_emplace(subject_key(t.tenant, t.label), batch.groups.size());
    if (fresh) {
      batch.groups.emplace_back();
      batch.groups.back().subject.label = t.label;
      batch.groups.back().subject.tenant = t.tenant;
      labels.push_back(t.label);
    }
    batch.groups[at->second].rows.push_back(i);
  }
  if (batch.next.subjects > 0) {
    const std::string visible = visible_subjects(batch.next);
    for (std::size_t first = 0; first < labels.size(); first += kLabelsAtOnce) {
      const auto part = std::span<const std::string>(labels).subspan(
          first, std::min(kLabelsAtOnce, labels.size() - first));
      const auto found = read_subjects(
          client_.query(names_.subjects, "label in " + milvus::literal(part) + " && " + visible,
                        milvus::subject_columns(), Consistency::strong, run));
      for (const SubjectRow& row : found) {
        const auto at = batch.numbers.find(subject_key(row.tenant, row.label));
        if (at == batch.numbers.end()) continue;
        Batch::Group& group = batch.groups[at->second];
        group.subject = row;
        group.fresh = false;
        group.before = row.row;
      }
    }
  }
  for (Batch::Group& group : batch.groups) {
    if (group.fresh) {
      group.subject.subject = batch.next.next_subject++;
      group.subject.audit_key = random_key();
      ++batch.report.new_subjects;
      ++batch.next.subjects;
    }
    group.sum.assign(batch.next.dimension, 0.0);
    for (std::size_t i = 0; i < group.subject.centroid.size(); ++i) {
      group.sum[i] = group.subject.centroid[i] * group.subject.norm;
    }
    for (const std::size_t row : group.rows) {
      batch.rows[row].subject = group.subject.subject;
      const auto& vector = batch.rows[row].value.vector;
      for (std::size_t i = 0; i < vector.size(); ++i) group.sum[i] += vector[i];
    }
  }
}

/// Which templates stay, where there are more than the gallery keeps.
void MilvusGallery::choose(Batch& batch, RunContext& run) {
  State& next = batch.next;
  batch.kept.assign(batch.rows.size(), true);
  std::vector<std::size_t> crowded;
  std::vector<std::int64_t> subjects;
  std::unordered_map<std::int64_t, std::size_t> by_number;
  for (std::size_t g = 0; g < batch.groups.size(); ++g) {
    const Batch::Group& group = batch.groups[g];
    if (next.min_quality <= 0 &&
        static_cast<std::size_t>(group.subject.templates) + group.rows.size() <=
            next.max_templates) {
      continue;
    }
    crowded.push_back(g);
    by_number[group.subject.subject] = g;
    if (!group.fresh) subjects.push_back(group.subject.subject);
  }
  const std::size_t at_once =
      std::max<std::size_t>(1, milvus::rows_at_once(next.dimension) / next.max_templates);
  for (std::size_t first = 0; first < subjects.size(); first += at_once) {
    const auto part = std::span<const std::int64_t>(subjects).subspan(
        first, std::min(at_once, subjects.size() - first));
    auto rows = read_templates(client_.query(
        names_.templates, "subject in " + milvus::literal(part) + " && " + visible_templates(next),
        milvus::template_columns(), Consistency::strong, run));
    for (TemplateRow& row : rows) {
      batch.groups[by_number.at(row.subject)].present.push_back(std::move(row));
    }
  }
  for (const std::size_t g : crowded) {
    Batch::Group& group = batch.groups[g];
    std::sort(group.present.begin(), group.present.end(),
              [](const auto& a, const auto& b) { return a.value.id < b.value.id; });
    if (static_cast<std::int64_t>(group.present.size()) != group.subject.templates) {
      throw Error(ErrorCode::corrupt_data,
                  fmt::format("subject {} has {} templates, but {} are there",
                              group.subject.subject, group.subject.templates, group.present.size()),
                  "`sosia gallery verify` lists all damage");
    }
    std::vector<Candidate> candidates;
    for (const TemplateRow& row : group.present) {
      candidates.push_back({row.value.vector, row.value.quality});
    }
    for (const std::size_t row : group.rows) {
      candidates.push_back({batch.rows[row].value.vector, batch.rows[row].value.quality});
    }
    const auto kept = choose_templates(candidates, next.max_templates, next.min_quality);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (std::binary_search(kept.begin(), kept.end(), i)) continue;
      const bool was_present = i < group.present.size();
      const TemplateRow& row =
          was_present ? group.present[i] : batch.rows[group.rows[i - group.present.size()]];
      const std::int64_t time = row.value.time_ms.value_or(row.enrolled_ms);
      SubjectRow& subject = group.subject;
      subject.oldest_ms = subject.given_up == 0 ? time : std::min(subject.oldest_ms, time);
      ++subject.given_up;
      ++batch.report.dropped;
      if (was_present) {
        next.retired_templates.push_back(row.value.id);
        next.digest = milvus::minus(next.digest, checksum(row));
        --next.templates;
        --subject.templates;
      } else {
        batch.kept[group.rows[i - group.present.size()]] = false;
      }
    }
  }
}

AddReport MilvusGallery::add(std::span<const Template> batch, const std::string& model,
                             RunContext& run) {
  run.check_cancelled();
  if (batch.empty()) return {};
  return change([&](milvus::Session& session) {
    const State base = session.begin(run);
    Batch work;
    work.next = milvus::next_state(base);
    work.before = milvus::Named(work.next);
    work.birth = session.birth(base);
    work.verb = options_.who.empty() ? "add" : options_.who;
    check_model(model, work.next.model, work.next.templates == 0);
    work.next.model = model;
    accept(batch, work.next, work.birth, work.rows, work.report, run);
    find_subjects(work, run);
    choose(work, run);
    return add_batch(work, run);
  });
}

/// Sends the rows and makes them count.
AddReport MilvusGallery::add_batch(Batch& batch, RunContext& run) {
  State& next = batch.next;
  std::vector<Document> notes;
  std::vector<SubjectRow> versions;
  for (Batch::Group& group : batch.groups) {
    SubjectRow& subject = group.subject;
    for (const std::size_t row : group.rows) subject.templates += batch.kept[row] ? 1 : 0;
    subject.row = next.next_row++;
    subject.birth = batch.birth;
    milvus::set_centroid(subject, group.sum);
    if (group.before >= 0) next.retired_subject_rows.push_back(group.before);
    notes.push_back(audit_document(next, batch.birth, batch.verb, &subject,
                                   fmt::format("{} given", group.rows.size())));
    versions.push_back(subject);
  }
  std::vector<TemplateRow> rows;
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    if (!batch.kept[i]) continue;
    next.digest = milvus::plus(next.digest, checksum(batch.rows[i]));
    rows.push_back(std::move(batch.rows[i]));
  }
  batch.report.enrolled = rows.size();
  next.templates += static_cast<std::int64_t>(rows.size());
  next.generation = batch.birth.generation;
  if (next.retired_templates.size() + next.retired_subject_rows.size() > kMostRetired) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("the batch replaces {} rows of the server at once; at most {} can be",
                    next.retired_templates.size() + next.retired_subject_rows.size(), kMostRetired),
        "enrol in smaller batches");
  }
  const auto send = [&]<class Row>(const std::string& collection, std::span<Row> all,
                                   std::size_t at_once) {
    for (std::size_t first = 0; first < all.size(); first += at_once) {
      run.check_cancelled();
      const auto part = all.subspan(first, std::min(at_once, all.size() - first));
      client_.upsert(collection, milvus::to_rows(part), run);
    }
  };
  const std::size_t at_once = milvus::rows_at_once(next.dimension);
  send(names_.templates, std::span<const TemplateRow>(rows), at_once);
  send(names_.subjects, std::span<const SubjectRow>(versions), at_once);
  send(names_.meta, std::span(notes), kDocumentsAtOnce);
  session_->commit(next, run);
  remember(next);
  erase_retired(client_, names_, next, batch.before, run);
  return std::move(batch.report);
}

}  // namespace sosia::gallery
