#pragma once
// Faces that the claim is tested on: people to learn from and people never seen.

#include "sosia/core/run.hpp"
#include "sosia/data/dataset.hpp"
#include "sosia/image/image.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sosia::face::barlow_twins {

/// Grey pictures (as RGB) of one size with their subjects, those of a subject together and in
/// order.
struct Faces {
  std::vector<image::Image> pictures;
  std::vector<std::int64_t> subjects;
  std::string described;  ///< which data, in one sentence
};

/// The people of one fold: `train` without those of `test`.
struct Fold {
  Faces train, test;
};

/// A folder per subject (ORL and its like): every picture as grey, resized to `width_px` x
/// `height_px`. Throws not_found when there is no picture, invalid_argument when fewer than
/// `least_subjects` have two or more.
Faces read_faces(const std::filesystem::path& folder, int width_px, int height_px,
                 std::size_t least_subjects, RunContext& run);

/// `subjects` rendered people in `pictures` pictures each: frontal and clear, as ORL's are.
Faces render_faces(std::uint64_t seed, std::size_t subjects, std::size_t pictures, int width_px,
                   int height_px, RunContext& run);

/// The pictures as a set, subjects numbered from 0 in order of their numbers here.
std::shared_ptr<const data::Dataset> as_dataset(const Faces& faces);

/// Fold `index` of `folds`: every `folds`-th subject, in an order drawn from `seed`, is for
/// testing.
Fold split(const Faces& all, std::size_t folds, std::size_t index, std::uint64_t seed);

}  // namespace sosia::face::barlow_twins
