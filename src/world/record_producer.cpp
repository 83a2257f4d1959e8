// Organisations and person records for `world render`: rows of one CSV file, truth beside it.

#include "sosia/world/organisation.hpp"
#include "sosia/world/record.hpp"
#include "world/producer.hpp"

#include <algorithm>

namespace sosia::world {
namespace {

/// Both kinds allow this many names or copies of an entity.
constexpr int kMostVariants = 100;

class OrganisationProducer final : public Producer {
 public:
  explicit OrganisationProducer(const RenderRequest& request) {
    options_.seed = request.seed;
    options_.min_mentions = options_.max_mentions =
        std::min(request.images_per_subject, kMostVariants);
  }

  SubjectItems subject(std::uint64_t index) const override {
    const Organisation o = organisation(options_, static_cast<std::int64_t>(index) + 1);
    SubjectItems out{.folder = subject_folder(index), .items = {}};
    for (const OrganisationMention& m : o.mentions) {
      Item item;
      item.truth = to_value(m);
      item.truth.set("kind", "organisation");
      // What belongs to the organisation stands beside its registered name.
      if (m.mention == 0) {
        Value whole = to_value(o);
        for (const auto& [key, value] : whole.as_object()) {
          if (key != "mentions" && key != "entity") item.truth.set(key, value);
        }
      }
      item.csv_cells = {std::to_string(m.entity), std::to_string(m.mention), m.name, o.country,
                        o.city};
      out.items.push_back(std::move(item));
    }
    return out;
  }

  std::string csv_name() const override { return "organisations.csv"; }
  std::vector<std::string> csv_header() const override {
    return {"entity", "mention", "name", "country", "city"};
  }

 private:
  OrganisationOptions options_;
};

class RecordProducer final : public Producer {
 public:
  explicit RecordProducer(const RenderRequest& request) {
    options_.seed = request.seed;
    options_.min_copies = options_.max_copies =
        std::min(request.images_per_subject - 1, kMostVariants);
  }

  SubjectItems subject(std::uint64_t index) const override {
    const PersonEntity entity = person_entity(options_, static_cast<std::int64_t>(index) + 1);
    SubjectItems out{.folder = subject_folder(index), .items = {}};
    for (const PersonRecord& r : entity.records) {
      Item item;
      item.truth = to_value(r);
      item.truth.set("kind", "record");
      if (entity.household != 0) item.truth.set("household", entity.household);
      item.csv_cells = {std::to_string(r.entity),
                        std::to_string(r.copy),
                        r.given_name,
                        r.family_name,
                        r.birth_date,
                        r.street,
                        r.postcode,
                        r.city,
                        r.country,
                        r.phone,
                        r.email};
      out.items.push_back(std::move(item));
    }
    return out;
  }

  std::string csv_name() const override { return "records.csv"; }
  std::vector<std::string> csv_header() const override {
    return {"entity",   "copy", "given_name", "family_name", "birth_date", "street",
            "postcode", "city", "country",    "phone",       "email"};
  }

 private:
  RecordOptions options_;
};

}  // namespace

std::unique_ptr<Producer> make_organisation_producer(const RenderRequest& request) {
  return std::make_unique<OrganisationProducer>(request);
}

std::unique_ptr<Producer> make_record_producer(const RenderRequest& request) {
  return std::make_unique<RecordProducer>(request);
}

}  // namespace sosia::world
