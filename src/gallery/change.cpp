#include "gallery/change.hpp"

#include "gallery/system.hpp"
#include "sosia/core/hash.hpp"

namespace sosia::gallery {

Change::Change(Store& store, std::string verb)
    : store_(store),
      transaction_(store.connection(), sqlite::Transaction::Kind::write),
      verb_(std::move(verb)),
      time_ms_(now_ms()),
      state_(store.read_state()) {
  ++state_.generation;
}

Change::Found Change::subject(std::string_view tenant, std::string_view label) {
  if (const auto id = store_.find_subject(tenant, label)) {
    SubjectRow row = store_.read_subject(*id);
    if (row.tenant != tenant || row.label != label) {
      throw Error(ErrorCode::corrupt_data, "the look-up of subjects is damaged",
                  "`sosia gallery verify` lists all damage; restore the file from a copy");
    }
    return {std::move(row), false};
  }
  SubjectRow row;
  row.id = state_.next_subject++;
  row.tenant = tenant;
  row.label = label;
  row.audit_key = random_key();
  store_.insert_subject(row);
  state_.subjects.add(row.checksum);
  return {std::move(row), true};
}

void Change::insert(TemplateRow& row) {
  row.generation = static_cast<std::int64_t>(state_.generation);
  row.enrolled_ms = time_ms_;
  store_.insert_template(row);
  state_.templates.add(row.checksum);
}

void Change::remove(const TemplateRow& row) {
  store_.delete_template(row.id);
  state_.templates.remove(row.checksum);
  state_.removals.add(store_.insert_removal(row.id, state_.generation));
}

void Change::remove_subject(const SubjectRow& subject) {
  if (const auto centroid = store_.read_centroid(subject.id)) {
    store_.delete_centroid(subject.id);
    state_.centroids.remove(centroid->checksum);
  }
  store_.delete_subject(subject.id);
  state_.subjects.remove(subject.checksum);
}

void Change::write_centroid(CentroidRow& row) {
  if (const auto before = store_.read_centroid(row.subject)) {
    state_.centroids.remove(before->checksum);
  }
  row.generation = static_cast<std::int64_t>(state_.generation);
  store_.write_centroid(row);
  state_.centroids.add(row.checksum);
}

void Change::audit(const SubjectRow* subject, std::string detail) {
  AuditEntry entry{time_ms_, verb_, {}, std::move(detail)};
  if (subject != nullptr) {
    const auto hash = audit_hash(*subject);
    entry.subject = to_hex({reinterpret_cast<const std::uint8_t*>(hash.data()), hash.size()});
  }
  const auto id = static_cast<std::int64_t>(state_.audit.rows);
  state_.audit.add(store_.insert_audit(id, entry));
}

void Change::commit() {
  store_.write_state(state_);
  transaction_.commit();
}

}  // namespace sosia::gallery
