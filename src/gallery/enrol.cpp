#include "gallery/enrol.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/array.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::gallery {

namespace {

/// Why a text cannot be stored, or "".
std::string text_problem(std::string_view text, std::string_view what, std::size_t most) {
  if (text.size() > most) {
    return fmt::format("the {} has {} bytes; at most {} are stored", what, text.size(), most);
  }
  if (!valid_utf8(text)) return fmt::format("the {} {} is not UTF-8", what, quote(text));
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (control) return fmt::format("the {} {} holds a control character", what, quote(text));
  return {};
}

std::string texts_problem(const Template& t, Enrolment& out) {
  if (t.label.empty()) return "the label is empty";
  std::string problem = text_problem(t.label, "label", kMaxLabelBytes);
  if (problem.empty()) problem = text_problem(t.tenant, "tenant", kMaxTextBytes);
  if (problem.empty()) problem = text_problem(t.camera, "camera", kMaxTextBytes);
  if (problem.empty()) problem = text_problem(t.origin, "origin", kMaxTextBytes);
  if (!problem.empty()) return problem;
  if (t.metadata.is_null()) return {};
  if (!t.metadata.is_object()) {
    return fmt::format("the metadata are a {}, not an object", type_name(t.metadata.type()));
  }
  out.metadata = to_json(t.metadata, -1);
  if (out.metadata.size() > kMaxMetadataBytes) {
    return fmt::format("the metadata have {} bytes; at most {} are stored", out.metadata.size(),
                       kMaxMetadataBytes);
  }
  return {};
}

bool exact(std::span<const float> vector, StoredType type) {
  return type == StoredType::f32 || std::all_of(vector.begin(), vector.end(), [](float v) {
           return formats::half_to_float(formats::float_to_half(v)) == v;
         });
}

}  // namespace

void check_model(const std::string& given, const std::string& held, bool empty) {
  if (given == held || (empty && held.empty())) return;
  const auto named = [](const std::string& name) {
    return name.empty() ? std::string("an unstated model") : "model " + quote(name);
  };
  throw Error(ErrorCode::conflict,
              "the vectors are of " + named(given) + ", but the gallery holds those of " +
                  named(held) + ": they cannot be compared",
              "name the right model, use another gallery, or embed the sources again with "
              "`sosia face migrate`");
}

std::string check_template(const Template& t, std::size_t dimension, StoredType type,
                           Enrolment& out) {
  std::string problem = texts_problem(t, out);
  if (!problem.empty()) return problem;
  if (t.quality && !(*t.quality >= 0 && *t.quality <= 1)) {
    return fmt::format("the quality is {}; it must be in [0, 1]", *t.quality);
  }
  if (t.vector.size() != dimension) {
    return fmt::format("the vector has dimension {}, the gallery {}", t.vector.size(), dimension);
  }
  double sum = 0;
  for (const float v : t.vector) sum += static_cast<double>(v) * v;
  if (!std::isfinite(sum)) {
    // The squares of finite numbers may overflow nothing here: f32 squared fits in f64.
    const auto bad =
        std::find_if(t.vector.begin(), t.vector.end(), [](float v) { return !std::isfinite(v); });
    return fmt::format("element {} of the vector is {}", bad - t.vector.begin(), *bad);
  }
  out.norm = std::sqrt(sum);
  if (!(out.norm > 0)) return "the vector has length 0";
  const double slack = type == StoredType::f16 ? 1e-3 : 1e-6;
  if (std::abs(out.norm - 1) <= slack && exact(t.vector, type)) {
    out.unit = t.vector;
    return {};
  }
  out.unit.resize(dimension);
  for (std::size_t i = 0; i < dimension; ++i) {
    out.unit[i] = static_cast<float>(t.vector[i] / out.norm);
  }
  return {};
}

}  // namespace sosia::gallery
