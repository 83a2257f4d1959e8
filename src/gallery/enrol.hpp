#pragma once
// What a template must be to be enrolled: shared by all engines.

#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sosia::gallery {

inline constexpr std::size_t kMaxLabelBytes = 1024;
inline constexpr std::size_t kMaxTextBytes = 4096;  ///< of camera, tenant and origin
inline constexpr std::size_t kMaxMetadataBytes = 64 << 10;

/// A template that may be enrolled.
struct Enrolment {
  std::vector<float> unit = {};  ///< length 1
  double norm = 0;               ///< as given
  std::string metadata = {};     ///< JSON, "" for none
};

/// Why `t` cannot be enrolled, or "" and `out` filled. A vector whose length is 1 already and whose
/// elements the stored type holds exactly is kept as it is: what was exported comes back the same.
std::string check_template(const Template& t, std::size_t dimension, StoredType type,
                           Enrolment& out);

/// Throws conflict, naming `face migrate`, unless vectors of model `given` may join those of model
/// `held` ("": not stated). An empty gallery without a model takes any.
void check_model(const std::string& given, const std::string& held, bool empty);

}  // namespace sosia::gallery
