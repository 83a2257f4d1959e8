// Verification, and the index of the templates, on a Milvus server.

#include "gallery/milvus_change.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

namespace sosia::gallery {

using milvus::Columns;
using milvus::Consistency;
using milvus::Found;
using milvus::IndexSpec;
using milvus::State;
using milvus::SubjectRow;
using milvus::TemplateRow;

namespace {

constexpr std::size_t kMostDamages = 1000;
/// Below, comparing with every template is fast enough on the server.
constexpr std::int64_t kGraphLeastTemplates = 100'000;
constexpr std::size_t kRecallProbes = 200;
constexpr std::array<std::size_t, 2> kMeasuredK = {10, 50};
constexpr std::array<std::size_t, 6> kWidths = {32, 64, 128, 256, 512, 1024};

/// Runs a check; what it throws about the data is a damage.
template <class Check>
void note_damage(std::vector<Damage>& damages, const std::string& where, Check&& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_data) throw;
    if (damages.size() < kMostDamages) damages.push_back({where, error.message()});
  }
}

}  // namespace

std::vector<Damage> MilvusGallery::verify(RunContext& run) {
  return steady(run, [&](const State& now) {
    std::vector<Damage> damages;
    const auto damaged = [&](const std::string& where, std::string what) {
      if (damages.size() < kMostDamages) damages.push_back({where, std::move(what)});
    };
    std::map<std::int64_t, std::int64_t> wanted;  ///< templates by subject
    const auto window = static_cast<std::int64_t>(milvus::rows_at_once(now.dimension));
    for (std::int64_t subject = 0; subject < now.next_subject; subject += window) {
      run.check_cancelled();
      note_damage(damages, names_.subjects, [&] {
        for (const SubjectRow& row :
             read_subjects(client_.query(names_.subjects,
                                         fmt::format("subject >= {} && subject < {} && {}", subject,
                                                     subject + window, visible_subjects(now)),
                                         milvus::subject_columns(), Consistency::strong, run))) {
          if (!wanted.emplace(row.subject, row.templates).second) {
            damaged(names_.subjects, fmt::format("subject {} is there twice", row.subject));
          }
        }
      });
    }
    if (static_cast<std::int64_t>(wanted.size()) != now.subjects) {
      damaged(names_.subjects, fmt::format("{} subjects are there, but {} were counted",
                                           wanted.size(), now.subjects));
    }
    std::int64_t count = 0, digest = 0;
    note_damage(damages, names_.templates, [&] {
      scan_rows(
          now, visible_templates(now),
          [&](const TemplateRow& row) {
            ++count;
            digest = milvus::plus(digest, checksum(row));
            const auto subject = wanted.find(row.subject);
            if (subject == wanted.end()) {
              damaged(names_.templates, fmt::format("template {} belongs to subject {}, which is "
                                                    "not there",
                                                    row.value.id, row.subject));
            } else {
              --subject->second;
            }
            return true;
          },
          run);
      for (const auto& [subject, left] : wanted) {
        if (left != 0) {
          damaged(names_.templates, fmt::format("subject {} has {} templates too {}", subject,
                                                std::abs(left), left > 0 ? "few" : "many"));
        }
      }
      if (count != now.templates) {
        damaged(names_.templates,
                fmt::format("{} templates are there, but {} were counted", count, now.templates));
      } else if (digest != now.digest) {
        damaged(names_.templates, "the templates are not those that were counted");
      }
    });
    note_damage(damages, names_.meta, [&] {
      const auto entries = documents(milvus::Kind::audit, now, run);
      if (static_cast<std::int64_t>(entries.size()) != now.next_audit) {
        damaged(names_.meta, fmt::format("the audit has {} entries, but {} were counted",
                                         entries.size(), now.next_audit));
      }
    });
    return damages;
  });
}

/// Takes the index away and builds another. Searches wait (they are repeated by the client) while
/// the collection is not loaded.
void MilvusGallery::exchange_index(const std::string& type, RunContext& run) {
  IndexSpec spec;
  spec.type = type;
  client_.flush(names_.templates, run);
  client_.release(names_.templates, run);
  try {
    client_.drop_index(names_.templates, run);
    client_.create_index(names_.templates, spec, run);
    client_.wait_for_index(names_.templates, run);
  } catch (...) {
    // Without an index the collection cannot be loaded at all.
    RunContext last;
    if (client_.index_type(names_.templates, last).empty()) {
      client_.create_index(names_.templates, IndexSpec{}, last);
    }
    client_.load(names_.templates, last);
    client_.wait_loaded(names_.templates, last);
    throw;
  }
  client_.load(names_.templates, run);
  client_.wait_loaded(names_.templates, run);
}

void MilvusGallery::commit_widths(std::vector<State::Width> widths, RunContext& run) {
  milvus::Session& session = writer();
  const State base = session.begin(run);
  State next = milvus::next_state(base);
  const milvus::Birth birth = session.birth(base);
  next.generation = birth.generation;
  next.widths = std::move(widths);
  std::vector<milvus::Document> notes = {
      audit_document(next, birth, options_.who.empty() ? "compact" : options_.who, nullptr, "")};
  client_.upsert(names_.meta, milvus::to_rows(std::span(notes)), run);
  session.commit(next, run);
  remember(next);
}

namespace {

/// Perturbed templates, as probes whose nearest neighbours are worth finding.
std::vector<float> recall_probes(const std::vector<TemplateRow>& rows, std::size_t dimension,
                                 RunContext& run) {
  std::vector<float> probes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RandomStream random = run.random("recall", i);
    std::vector<double> probe(dimension);
    double square = 0;
    for (std::size_t d = 0; d < dimension; ++d) {
      probe[d] = rows[i].value.vector[d] +
                 0.5 * random.normal() / std::sqrt(static_cast<double>(dimension));
      square += probe[d] * probe[d];
    }
    for (const double v : probe) probes.push_back(static_cast<float>(v / std::sqrt(square)));
  }
  return probes;
}

using Lists = std::vector<std::set<std::int64_t>>;

double recall_of(const Lists& truth, const std::vector<std::vector<std::int64_t>>& found,
                 std::size_t k) {
  std::size_t hits = 0, wanted = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    wanted += std::min(k, truth[i].size());
    for (std::size_t n = 0; n < std::min(k, found[i].size()); ++n) {
      hits += truth[i].contains(found[i][n]) ? 1 : 0;
    }
  }
  return wanted == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(wanted);
}

}  // namespace

std::vector<std::vector<std::int64_t>> MilvusGallery::nearest_ids(const State& now,
                                                                  std::span<const float> probes,
                                                                  std::size_t k, std::size_t width,
                                                                  RunContext& run) {
  static constexpr std::string_view kFields[] = {"id"};
  std::vector<std::vector<std::int64_t>> out;
  const std::size_t at_once = std::min<std::size_t>(64, milvus::rows_at_once(now.dimension));
  for (std::size_t first = 0; first < probes.size() / now.dimension; first += at_once) {
    const std::size_t count = std::min(at_once, probes.size() / now.dimension - first);
    const Found found = client_.search(
        names_.templates, probes.subspan(first * now.dimension, count * now.dimension),
        now.dimension, k, visible_templates(now), kFields, width, Consistency::strong, run);
    std::size_t row = 0;
    for (const std::size_t hits : found.counts) {
      out.emplace_back();
      for (std::size_t i = 0; i < hits; ++i) {
        out.back().push_back(found.columns.integers("id")[row++]);
      }
    }
  }
  return out;
}

/// Some templates, evenly spread over the ids.
std::vector<TemplateRow> MilvusGallery::sample(const State& now, std::size_t most,
                                               RunContext& run) {
  std::vector<TemplateRow> rows;
  constexpr std::int64_t kPieces = 20;
  const std::int64_t step = std::max<std::int64_t>(1, now.next_template / kPieces);
  const auto each = static_cast<std::int64_t>(most) / kPieces;
  for (std::int64_t id = 0; id < now.next_template && rows.size() < most; id += step) {
    for (TemplateRow& row : read_templates(
             client_.query(names_.templates,
                           fmt::format("id >= {} && id < {} && {}", id, id + std::min(each, step),
                                       visible_templates(now)),
                           milvus::template_columns(), Consistency::strong, run))) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

Gallery::Compacted MilvusGallery::compact(IndexChoice choice, double recall, RunContext& run) {
  return change([&](milvus::Session& session) {
    State now = session.begin(run);
    Compacted report;
    const bool graph = choice == IndexChoice::graph ||
                       (choice == IndexChoice::automatic && now.templates >= kGraphLeastTemplates);
    const std::string before = client_.index_type(names_.templates, run);
    const std::string wanted = graph && now.templates > 0 ? "HNSW" : "FLAT";
    std::vector<State::Width> widths;
    if (wanted == "HNSW") {
      // The truth comes from the search that compares everything.
      if (before != "FLAT") exchange_index("FLAT", run);
      const auto probes = recall_probes(sample(now, kRecallProbes, run), now.dimension, run);
      std::map<std::size_t, Lists> truth;
      for (const std::size_t k : kMeasuredK) {
        for (const auto& ids : nearest_ids(now, probes, k, 0, run)) {
          truth[k].emplace_back(ids.begin(), ids.end());
        }
      }
      exchange_index("HNSW", run);
      for (const std::size_t k : kMeasuredK) {
        for (const std::size_t width : kWidths) {
          if (width < k) continue;
          const double reached = recall_of(truth[k], nearest_ids(now, probes, k, width, run), k);
          widths.push_back({k, width, reached, truth[k].size()});
          if (k == 10) {
            report.recall = reached;
            report.recall_probes = truth[k].size();
          }
          if (reached >= recall) break;
        }
      }
      if (report.recall < recall) {
        run.log(LogLevel::warning,
                fmt::format("the index reaches a recall of {:.4f} at 10, {} is wanted",
                            report.recall, recall));
      }
    } else if (before != "FLAT") {
      exchange_index("FLAT", run);
    }
    commit_widths(std::move(widths), run);
    ask_for_compaction(true, run);
    report.index = wanted == "FLAT" ? "none" : "HNSW";
    return report;
  });
}

}  // namespace sosia::gallery
