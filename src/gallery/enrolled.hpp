#pragma once
// The templates of a gallery in memory, grouped by subject: for verbs that compare all of them.

#include "sosia/gallery/gallery.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sosia::gallery {

/// Templates in the order of enrolment.
struct Enrolled {
  std::size_t dimension = 0;
  std::vector<float> vectors = {};           ///< n x dimension, unit length
  std::vector<std::int64_t> ids = {};        ///< n
  std::vector<std::uint32_t> subjects = {};  ///< n, numbered by the first template
  struct Subject {
    std::string label = {}, tenant = {};
  };
  std::vector<Subject> names = {};  ///< by subject
  std::size_t size() const noexcept { return ids.size(); }
};

/// Reads the templates that pass `filter`. With `most` > 0 and a larger gallery only about so many:
/// all templates of subjects that are drawn by a hash of the run's seed and their name.
Enrolled load_enrolled(Gallery& gallery, const Filter& filter, std::size_t most, RunContext& run);

/// The same templates, those of a subject together: subject s has rows first[s] to first[s + 1].
struct BySubject {
  std::vector<float> vectors = {};
  std::vector<std::size_t> first = {};  ///< subjects + 1
  std::size_t subjects() const noexcept { return first.size() - 1; }
};
BySubject by_subject(const Enrolled& enrolled);

}  // namespace sosia::gallery
