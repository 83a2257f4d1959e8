#pragma once
// The engine over a Milvus server.

#include "gallery/milvus_session.hpp"
#include "sosia/gallery/gallery.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sosia::gallery {

class MilvusGallery final : public Gallery {
 public:
  MilvusGallery(const MilvusAddress& address, const OpenOptions& options);

  /// Makes the collections and the first state.
  static void create(const MilvusAddress& address, const CreateOptions& options,
                     const OpenOptions& open, RunContext& run);

  GalleryInfo info() override;
  AddReport add(std::span<const Template> batch, const std::string& model,
                RunContext& run) override;
  SearchAnswer search(const SearchRequest& request, RunContext& run) override;
  void scan(const Filter& filter, const std::function<bool(const StoredTemplate&)>& each,
            RunContext& run) override;
  ForgetReport forget(std::string_view label, std::string_view tenant, RunContext& run) override;
  ForgetReport forget_before(std::int64_t before_ms, RunContext& run) override;
  std::vector<Damage> verify(RunContext& run) override;
  Compacted compact(IndexChoice index, double recall, RunContext& run) override;
  std::optional<Calibration> calibration() override;
  void set_calibration(const Calibration& calibration, RunContext& run) override;
  std::vector<AuditEntry> audit() override;

 private:
  struct Search;
  struct Batch;

  /// The state that readers work with. `fresh`: asked for now.
  milvus::State state(bool fresh, RunContext& run);
  void remember(const milvus::State& state);
  /// Runs `body(state)` until the gallery did not change meanwhile.
  template <class Body>
  auto steady(RunContext& run, Body&& body);
  milvus::Session& writer();
  /// Runs a change; what it threw half-way is never seen.
  template <class Body>
  auto change(Body&& body);
  std::vector<milvus::Document> documents(milvus::Kind kind, const milvus::State& state,
                                          RunContext& run);

  SearchAnswer search_in(const milvus::State& state, const SearchRequest& request,
                         std::span<const float> probes, RunContext& run);
  void find_hits(Search& search, std::size_t k, RunContext& run);
  void finish_subjects(Search& search, RunContext& run);
  std::size_t count_subjects(const milvus::State& state, const Filter& filter, RunContext& run);
  void scan_rows(const milvus::State& state, const std::string& expression,
                 const std::function<bool(const milvus::TemplateRow&)>& each, RunContext& run);

  AddReport add_batch(Batch& batch, RunContext& run);
  void find_subjects(Batch& batch, RunContext& run);
  void choose(Batch& batch, RunContext& run);
  Error no_subject(const milvus::State& now, std::string_view label, std::string_view tenant,
                   RunContext& run);
  ForgetReport erase_forgotten(const milvus::State& now, const milvus::Named& before,
                               std::size_t templates, RunContext& run);
  std::vector<milvus::SubjectRow> aged_subjects(
      const milvus::State& now, const std::map<std::int64_t, std::vector<milvus::TemplateRow>>& old,
      std::int64_t limit, RunContext& run);
  void shrink(const milvus::State& next, const std::string& visible, milvus::SubjectRow& subject,
              std::int64_t limit, RunContext& run);
  void ask_for_compaction(bool flush, RunContext& run);
  void exchange_index(const std::string& type, RunContext& run);
  std::vector<milvus::TemplateRow> sample(const milvus::State& now, std::size_t most,
                                          RunContext& run);
  std::vector<std::vector<std::int64_t>> nearest_ids(const milvus::State& now,
                                                     std::span<const float> probes, std::size_t k,
                                                     std::size_t width, RunContext& run);
  void commit_widths(std::vector<milvus::State::Width> widths, RunContext& run);

  MilvusAddress address_;
  milvus::Names names_;
  OpenOptions options_;
  milvus::Client client_;

  std::mutex write_mutex_;
  std::unique_ptr<milvus::Session> session_;  ///< null when opened for reading

  std::mutex read_mutex_;
  std::optional<milvus::State> seen_;
  std::string index_type_;  ///< of the templates, as it was in a generation
  std::int64_t seen_index_generation_ = -1;
  struct Counted {
    std::int64_t generation = 0;
    std::string expression = {};
    std::size_t subjects = 0;
  };
  std::optional<Counted> counted_;  ///< of the last filter
};

namespace milvus {

/// An entry of the audit as a document; `subject` may be null.
Document audit_document(State& next, Birth birth, const std::string& verb,
                        const SubjectRow* subject, const std::string& detail);
/// Sets centroid and norm from the sum of a subject's vectors.
void set_centroid(SubjectRow& subject, std::span<const double> sum);
/// The vector rounded to the stored type; zeros without sign.
std::vector<float> stored_vector(std::span<const float> unit, StoredType type);
std::int64_t now_ms();
/// How many rows with vectors are sent or asked for at once.
std::size_t rows_at_once(std::size_t dimension);
std::string filter_expression(const State& state, const Filter& filter);

}  // namespace milvus
}  // namespace sosia::gallery
