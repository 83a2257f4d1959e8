#pragma once
// The order of the subjects of an answer, the same for every engine.

#include "sosia/gallery/template.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace sosia::gallery {

struct RankedSubject {
  std::int64_t subject = 0;  ///< grows with the order of enrolment
  SubjectMatch match = {};
};

/// Scores fall; equal ones are in the order of enrolment.
inline std::vector<SubjectMatch> in_order(std::vector<RankedSubject> subjects) {
  std::sort(subjects.begin(), subjects.end(), [](const RankedSubject& a, const RankedSubject& b) {
    return a.match.score != b.match.score ? a.match.score > b.match.score : a.subject < b.subject;
  });
  std::vector<SubjectMatch> out;
  out.reserve(subjects.size());
  for (RankedSubject& ranked : subjects) out.push_back(std::move(ranked.match));
  return out;
}

}  // namespace sosia::gallery
