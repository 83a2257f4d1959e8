// Calibrations as JSON, schema sosia.calibration/1.

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/gallery/decision.hpp"

#include <cmath>
#include <string>

namespace sosia::gallery {
namespace {

constexpr std::string_view kSchema = "sosia.calibration/1";
constexpr std::size_t kMostNumbers = 10'000'000;

[[noreturn]] void refuse(const std::string& member, const std::string& complaint,
                         const std::string& hint =
                             "write it anew with sosia gallery calibrate "
                             "--out") {
  throw Error(ErrorCode::corrupt_data, "the member " + member + " " + complaint, hint,
              "calibration record");
}

const Value& member(const Value& object, const std::string& name) {
  const Value* found = object.find(name);
  if (found == nullptr) refuse(name, "is missing");
  return *found;
}

std::string text(const Value& object, const std::string& name) {
  const Value& value = member(object, name);
  if (!value.is_text()) refuse(name, "is not text");
  return value.as_text();
}

std::uint64_t count(const Value& object, const std::string& name, std::int64_t least) {
  const Value& value = member(object, name);
  if (value.type() != Value::Type::integer || value.as_integer() < least) {
    refuse(name, "is no whole number from " + std::to_string(least) + " on");
  }
  return static_cast<std::uint64_t>(value.as_integer());
}

double number(const Value& value, const std::string& name) {
  if (!value.is_number() || !std::isfinite(value.as_real())) refuse(name, "is not a finite number");
  return value.as_real();
}

std::vector<double> numbers(const Value& object, const std::string& name, bool rising) {
  const Value& value = member(object, name);
  if (!value.is_list() || value.as_list().empty()) refuse(name, "is no list of numbers");
  if (value.as_list().size() > kMostNumbers) refuse(name, "is too long");
  std::vector<double> out;
  for (const Value& item : value.as_list()) {
    out.push_back(number(item, name));
    if (out.size() < 2) continue;
    const double last = out[out.size() - 2];
    if (rising ? out.back() < last : out.back() > last) {
      refuse(name, rising ? "does not rise" : "does not fall");
    }
  }
  return out;
}

std::vector<std::uint32_t> indices(const Value& object, const std::string& name,
                                   std::size_t below) {
  const Value& value = member(object, name);
  if (!value.is_list() || value.as_list().size() > kMostNumbers) {
    refuse(name, "is no list of whole numbers");
  }
  std::vector<std::uint32_t> out;
  for (const Value& item : value.as_list()) {
    if (item.type() != Value::Type::integer || item.as_integer() < 0 ||
        static_cast<std::uint64_t>(item.as_integer()) >= below) {
      refuse(name, "holds something else than whole numbers below " + std::to_string(below));
    }
    out.push_back(static_cast<std::uint32_t>(item.as_integer()));
  }
  return out;
}

SubjectRule subject_rule(const Value& object) {
  const std::string name = text(object, "rule");
  for (SubjectRule rule : {SubjectRule::mean_top3, SubjectRule::maximum, SubjectRule::centroid}) {
    if (name == to_string(rule)) return rule;
  }
  refuse("rule", "is " + quote(name) + "; it is one of mean_top3, maximum, centroid");
}

template <class T>
Value list(const std::vector<T>& items) {
  return Value(Value::List(items.begin(), items.end()));
}

void check_together(const Calibration& c) {
  if (c.impostor_tail.size() > c.impostor) refuse("impostor_tail", "is longer than impostor says");
  if (c.genuine_quantiles.size() > c.genuine) {
    refuse("genuine_quantiles", "is longer than genuine says");
  }
  if (c.tail_probes.empty() != c.probe_subjects.empty()) {
    refuse("probe_subjects", "and tail_probes belong together, but one of them is empty");
  }
  if (!c.tail_probes.empty() && c.tail_probes.size() != c.impostor_tail.size()) {
    refuse("tail_probes", "is not as long as impostor_tail");
  }
  if (c.probe_subjects.size() > c.impostor) {
    refuse("probe_subjects", "is longer than impostor says");
  }
}

}  // namespace

Value to_value(const Calibration& c) {
  return Value::object({{"schema", kSchema},
                        {"set", c.set},
                        {"model", c.model},
                        {"rule", to_string(c.rule)},
                        {"genuine", c.genuine},
                        {"impostor", c.impostor},
                        {"subjects", c.subjects},
                        {"a", c.a},
                        {"b", c.b},
                        {"impostor_tail", list(c.impostor_tail)},
                        {"tail_probes", list(c.tail_probes)},
                        {"probe_subjects", list(c.probe_subjects)},
                        {"genuine_quantiles", list(c.genuine_quantiles)}});
}

Calibration calibration_from_value(const Value& value) {
  if (!value.is_object()) {
    throw Error(ErrorCode::corrupt_data, "a calibration record is a JSON object",
                "write one with sosia gallery calibrate --out", "calibration record");
  }
  const std::string schema = text(value, "schema");
  if (schema != kSchema) {
    throw Error(
        schema.starts_with("sosia.calibration/") ? ErrorCode::unsupported : ErrorCode::corrupt_data,
        "the schema is " + quote(schema) + ", not " + std::string(kSchema),
        "write the record anew with sosia gallery calibrate --out", "calibration record");
  }
  Calibration c;
  c.set = text(value, "set");
  c.model = text(value, "model");
  c.rule = subject_rule(value);
  c.genuine = count(value, "genuine", 1);
  c.impostor = count(value, "impostor", 1);
  c.subjects = count(value, "subjects", 2);
  c.a = number(member(value, "a"), "a");
  c.b = number(member(value, "b"), "b");
  c.impostor_tail = numbers(value, "impostor_tail", false);
  // Subjects are numbered from 0 without gaps, so each number is below the number of probes.
  const Value& probes = member(value, "probe_subjects");
  const std::size_t count = probes.is_list() ? probes.as_list().size() : 0;
  c.probe_subjects = indices(value, "probe_subjects", count);
  c.tail_probes = indices(value, "tail_probes", count);
  c.genuine_quantiles = numbers(value, "genuine_quantiles", true);
  check_together(c);
  return c;
}

}  // namespace sosia::gallery
