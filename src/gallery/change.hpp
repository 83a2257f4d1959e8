#pragma once
// One change of the store: a write transaction that keeps counts and digests in step with the rows.

#include "gallery/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sosia::gallery {

class Change {
 public:
  /// Begins. Nothing of it is seen until `commit` returns; destroying it takes all back.
  Change(Store& store, std::string verb);

  State& state() { return state_; }
  Store& store() { return store_; }
  /// The generation that this change makes.
  std::uint64_t generation() const { return state_.generation; }
  std::int64_t time_ms() const { return time_ms_; }

  /// The subject, made when it is new.
  struct Found {
    SubjectRow subject = {};
    bool fresh = false;
  };
  Found subject(std::string_view tenant, std::string_view label);
  /// Gives the row its checksum, generation and time of enrolment.
  void insert(TemplateRow& row);
  void remove(const TemplateRow& row);
  /// Removes a subject without templates, its centroid and its audit key.
  void remove_subject(const SubjectRow& subject);
  void write_centroid(CentroidRow& row);
  void audit(const SubjectRow* subject, std::string detail);

  void commit();

 private:
  Store& store_;
  sqlite::Transaction transaction_;
  std::string verb_;
  std::int64_t time_ms_;
  State state_;
};

}  // namespace sosia::gallery
