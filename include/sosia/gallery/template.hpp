#pragma once
// What a gallery holds and what it is asked: templates of subjects, filters, searches, decisions.

#include "sosia/core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::gallery {

/// How vectors are stored. Sums are always accumulated in f32 or wider.
enum class StoredType : std::uint8_t { f16, f32 };

/// One template of a subject, as it is enrolled.
///
/// A subject is (tenant, label). Texts are UTF-8 without control characters.
struct Template {
  std::string label = {};                    ///< the subject; 1 to 1024 bytes
  std::vector<float> vector = {};            ///< finite, norm above 0; stored with length 1
  std::optional<double> quality = {};        ///< in [0, 1], higher is better
  std::optional<std::int64_t> time_ms = {};  ///< when it was taken, since 1970-01-01 UTC
  std::string camera = {};                   ///< camera or other source of its kind; may be empty
  std::string tenant = {};                   ///< whose subject it is; "" for the only tenant
  std::string origin = {};                   ///< file or address that it was made from
  Value metadata = {};  ///< null, or an object that belongs to the user; at most 64 KiB as JSON
};

/// A template as a gallery gives it back. `vector` has length 1, rounded to the stored type.
struct StoredTemplate : Template {
  std::int64_t id = 0;  ///< numbered from 0 in the order of enrolment, never used again
};

/// Which templates a search looks at. Empty members let everything pass; all must hold.
struct Filter {
  std::vector<std::string> labels = {};
  std::vector<std::string> cameras = {};
  std::optional<std::int64_t> from_ms = {};  ///< taken at or after; templates without time fail
  std::optional<std::int64_t> to_ms = {};    ///< taken before
  std::optional<std::string> tenant = {};
  bool empty() const noexcept {
    return labels.empty() && cameras.empty() && !from_ms && !to_ms && !tenant;
  }
};

/// How the scores of a subject's templates become one score.
enum class SubjectRule : std::uint8_t {
  mean_top3,  ///< mean of its three nearest templates (of all, when it has fewer)
  maximum,    ///< its nearest template
  centroid,   ///< cosine with the running centroid of everything ever enrolled for it
};

/// How templates are found.
enum class SearchMode : std::uint8_t {
  automatic,    ///< by size, filter and recall target
  exact,        ///< every template is compared
  prefiltered,  ///< int8 bounds first, then exact: the same result as `exact`
  approximate,  ///< the graph index, with exact re-ranking
};

/// Several probes at once.
struct SearchRequest {
  std::span<const float> probes = {};  ///< n x dimension, row-major; finite, norm above 0
  std::size_t k = 10;                  ///< templates per probe; at least 1
  Filter filter = {};
  /// One per probe or empty: templates of this camera are not looked at ("" excludes nothing).
  std::vector<std::string> exclude_cameras = {};
  SubjectRule rule = SubjectRule::mean_top3;
  SearchMode mode = SearchMode::automatic;
  double recall = 0.99;  ///< at k, wanted of the approximate path; in (0, 1]
};

/// One template of a result.
struct Match {
  std::int64_t template_id = 0;
  std::string label = {};
  std::string tenant = {};
  std::string camera = {};
  float score = 0;  ///< cosine with the probe
};

/// One subject of a result.
struct SubjectMatch {
  std::string label = {};
  std::string tenant = {};
  float score = 0;  ///< by the request's `SubjectRule`
};

/// The answer to one probe. Scores fall; equal ones are in the order of enrolment.
struct SearchResult {
  std::vector<Match> templates = {};        ///< min(k, templates that pass the filter)
  std::vector<SubjectMatch> subjects = {};  ///< those of `templates`, each once
};

/// The answers to a request, in the order of the probes, and how they were found.
struct SearchAnswer {
  std::vector<SearchResult> results = {};
  SearchMode used = SearchMode::exact;
  std::size_t subjects_searched = 0;  ///< distinct subjects that passed the filter
  std::string note = {};  ///< why this mode, and its measured recall, for people; may be empty
};

}  // namespace sosia::gallery
