// Forgetting on a Milvus server.

#include "gallery/milvus_change.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace sosia::gallery {

using milvus::Birth;
using milvus::Consistency;
using milvus::Document;
using milvus::State;
using milvus::SubjectRow;
using milvus::TemplateRow;

namespace {

constexpr const char* kUnproven =
    "no search or query finds the rows any more, and compaction was asked for; the server keeps "
    "their bytes in its log and object storage until it has flushed, compacted and collected "
    "garbage (by default after 3 hours and more, the log after up to 3 days), which cannot be seen "
    "from here; `sosia gallery compact` makes it flush now";

constexpr std::size_t kMostLabels = 10'000;  ///< that a suggestion is looked for among

}  // namespace

/// Without a flush for each subject that is forgotten: every flush closes a segment, and hundreds
/// of small ones make the server slow.
void MilvusGallery::ask_for_compaction(bool flush, RunContext& run) {
  for (const std::string& name : {names_.templates, names_.subjects, names_.meta}) {
    if (flush) client_.flush(name, run);
    client_.compact(name, run);
  }
}

/// Which subject is nearest by name to one that is not there.
Error MilvusGallery::no_subject(const State& now, std::string_view label, std::string_view tenant,
                                RunContext& run) {
  static constexpr std::string_view kFields[] = {"label"};
  const auto columns = client_.query(names_.subjects,
                                     fmt::format("subject < {} && tenant == {} && {}", kMostLabels,
                                                 milvus::literal(tenant), visible_subjects(now)),
                                     kFields, Consistency::strong, run);
  std::vector<std::string> labels;
  if (columns.size() > 0) labels = columns.texts("label");
  return Error(ErrorCode::not_found,
               "the gallery has no subject " + quote(label) +
                   (tenant.empty() ? std::string() : " of tenant " + quote(tenant)),
               did_you_mean(label, labels));
}

ForgetReport MilvusGallery::forget(std::string_view label, std::string_view tenant,
                                   RunContext& run) {
  run.check_cancelled();
  return change([&](milvus::Session& session) {
    const State base = session.begin(run);
    State next = milvus::next_state(base);
    const milvus::Named before(next);
    const Birth birth = session.birth(base);
    const auto found = read_subjects(
        client_.query(names_.subjects,
                      fmt::format("label == {} && tenant == {} && {}", milvus::literal(label),
                                  milvus::literal(tenant), visible_subjects(next)),
                      milvus::subject_columns(), Consistency::strong, run));
    if (found.empty()) throw no_subject(next, label, tenant, run);
    static constexpr std::string_view kFields[] = {"checksum"};
    const auto rows =
        client_.query(names_.templates,
                      fmt::format("subject == {} && {}", found[0].subject, visible_templates(next)),
                      kFields, Consistency::strong, run);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      next.digest = milvus::minus(next.digest, rows.integers("checksum")[i]);
    }
    next.generation = birth.generation;
    next.templates -= static_cast<std::int64_t>(rows.size());
    next.subjects -= 1;
    next.forgotten.push_back(found[0].subject);
    std::vector<Document> notes = {
        audit_document(next, birth, options_.who.empty() ? "forget" : options_.who, &found[0],
                       fmt::format("{} templates", rows.size()))};
    client_.upsert(names_.meta, milvus::to_rows(std::span(notes)), run);
    session.commit(next, run);
    remember(next);
    return erase_forgotten(next, before, rows.size(), run);
  });
}

/// Deletes what a committed state has forgotten or retired, and looks that nothing is found any
/// more.
ForgetReport MilvusGallery::erase_forgotten(const State& now, const milvus::Named& before,
                                            std::size_t templates, RunContext& run) {
  static constexpr std::string_view kFields[] = {"id"};
  constexpr std::size_t kAtOnce = 500;
  erase_retired(client_, names_, now, before, run);
  for (std::size_t first = before.forgotten; first < now.forgotten.size(); first += kAtOnce) {
    const auto part = std::span<const std::int64_t>(now.forgotten)
                          .subspan(first, std::min(kAtOnce, now.forgotten.size() - first));
    const std::string expression = "subject in " + milvus::literal(part);
    for (const std::string& name : {names_.templates, names_.subjects}) {
      const auto rows = client_.query(name, expression, kFields, Consistency::strong, run);
      if (rows.size() > 0) client_.erase(name, rows.integers("id"), run);
      if (const std::uint64_t left = client_.count(name, expression, run); left > 0) {
        throw Error(
            ErrorCode::internal,
            fmt::format("{} rows of what was forgotten are still found in {}", left, quote(name)),
            "they no longer count; run this again to delete them");
      }
    }
  }
  ask_for_compaction(false, run);
  ForgetReport report;
  report.templates = templates;
  report.note = kUnproven;
  return report;
}

ForgetReport MilvusGallery::forget_before(std::int64_t before_ms, RunContext& run) {
  run.check_cancelled();
  return change([&](milvus::Session& session) -> ForgetReport {
    const State base = session.begin(run);
    State next = milvus::next_state(base);
    const milvus::Named before(next);
    const Birth birth = session.birth(base);
    const std::int64_t limit = std::max(before_ms, std::int64_t{-INT64_MAX});
    // By subject: the vectors that go are taken out of its sum.
    std::map<std::int64_t, std::vector<TemplateRow>> old;
    std::size_t count = 0;
    scan_rows(
        next,
        fmt::format(
            "((timed == true && time_ms < {}) || (timed == false && enrolled_ms < {})) && {}",
            limit, limit, visible_templates(next)),
        [&](const TemplateRow& row) {
          old[row.subject].push_back(row);
          ++count;
          return true;
        },
        run);
    const auto subjects = aged_subjects(next, old, limit, run);
    if (subjects.empty()) return {};
    const std::string visible = visible_templates(next);
    next.generation = birth.generation;
    std::vector<Document> notes;
    std::vector<SubjectRow> versions;
    for (SubjectRow subject : subjects) {
      const auto& rows = old[subject.subject];
      if (!rows.empty()) {
        notes.push_back(audit_document(next, birth, options_.who.empty() ? "forget" : options_.who,
                                       &subject, "by age"));
      }
      for (const TemplateRow& row : rows) {
        next.digest = milvus::minus(next.digest, checksum(row));
        next.retired_templates.push_back(row.value.id);
      }
      const auto gone = static_cast<std::int64_t>(rows.size());
      next.templates -= gone;
      subject.templates -= gone;
      if (subject.templates == 0) {
        --next.subjects;
        next.forgotten.push_back(subject.subject);
        continue;
      }
      next.retired_subject_rows.push_back(subject.row);
      subject.row = next.next_row++;
      subject.birth = birth;
      shrink(next, visible, subject, limit, run);
      versions.push_back(std::move(subject));
    }
    if (!notes.empty()) client_.upsert(names_.meta, milvus::to_rows(std::span(notes)), run);
    if (!versions.empty()) {
      client_.upsert(names_.subjects, milvus::to_rows(std::span<const SubjectRow>(versions)), run);
    }
    session.commit(next, run);
    remember(next);
    return erase_forgotten(next, before, count, run);
  });
}

/// Present versions of subjects with templates in `old`, or whose given up vectors reach back
/// beyond the limit.
std::vector<SubjectRow> MilvusGallery::aged_subjects(
    const State& now, const std::map<std::int64_t, std::vector<TemplateRow>>& old,
    std::int64_t limit, RunContext& run) {
  constexpr std::size_t kAtOnce = 500;
  const std::string visible = visible_subjects(now);
  std::map<std::int64_t, SubjectRow> found;
  const auto collect = [&](const std::string& expression) {
    for (SubjectRow& row :
         read_subjects(client_.query(names_.subjects, expression + " && " + visible,
                                     milvus::subject_columns(), Consistency::strong, run))) {
      found[row.subject] = std::move(row);
    }
  };
  collect(fmt::format("given_up > 0 && oldest_ms < {}", limit));
  std::vector<std::int64_t> numbers;
  for (const auto& [subject, rows] : old) numbers.push_back(subject);
  for (std::size_t first = 0; first < numbers.size(); first += kAtOnce) {
    collect("subject in " + milvus::literal(std::span<const std::int64_t>(numbers).subspan(
                                first, std::min(kAtOnce, numbers.size() - first))));
  }
  std::vector<SubjectRow> out;
  for (auto& [subject, row] : found) out.push_back(std::move(row));
  return out;
}

/// The sum of a subject without what `next` retires; `visible` is what counted before. Vectors that
/// were given up cannot be taken out of it one by one: when the oldest of them has to go, all of
/// them do.
void MilvusGallery::shrink(const State& next, const std::string& visible, SubjectRow& subject,
                           std::int64_t limit, RunContext& run) {
  const auto everything = read_templates(
      client_.query(names_.templates, fmt::format("subject == {} && {}", subject.subject, visible),
                    milvus::template_columns(), Consistency::strong, run));
  const std::set<std::int64_t> gone(next.retired_templates.begin(), next.retired_templates.end());
  std::vector<double> all(next.dimension, 0.0), kept(next.dimension, 0.0);
  for (const TemplateRow& row : everything) {
    const bool stays = !gone.contains(row.value.id);
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] += row.value.vector[i];
      if (stays) kept[i] += row.value.vector[i];
    }
  }
  const bool drop = subject.given_up > 0 && subject.oldest_ms < limit;
  if (!drop && subject.given_up > 0) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      kept[i] += subject.centroid[i] * subject.norm - all[i];
    }
  }
  if (drop) subject.given_up = subject.oldest_ms = 0;
  set_centroid(subject, kept);
}

}  // namespace sosia::gallery
