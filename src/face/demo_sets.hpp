#pragma once
// What `sosia demo` works on: portraits that set-up fetched, the user's photos, or rendered people.

#include "face/enrolment.hpp"
#include "sosia/face/files.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sosia::face {

/// A photo that is identified. `truth`: who is on it, "" for a stranger; nothing when nobody says.
struct DemoProbe {
  std::filesystem::path file = {};
  std::optional<std::string> truth = {};
};

struct DemoSet {
  std::string title = {};
  std::string story = {};  ///< what is done with which pictures, for people
  std::vector<LabelledPhoto> enrol = {};
  std::vector<DemoProbe> probes = {};
  std::vector<SkippedFile> skipped = {};
  /// Of rendered faces: the card's, fitted on photos, says nothing about them.
  std::optional<gallery::Calibration> calibration = {};
};

/// The folder that set-up puts the portraits into.
std::filesystem::path portrait_folder();

/// The portraits of set-up. Throws missing_feature, naming what brings them, when they are not
/// there.
DemoSet portrait_set();

/// A folder of the user's: of every folder in it that holds two photos or more the first half is
/// enrolled and the rest identified; folders with one photo are strangers; photos beside the
/// folders are identified without a truth. Throws not_found when it holds no picture.
DemoSet photo_set(const std::filesystem::path& folder);

struct WorldSetOptions {
  std::int64_t subjects = 12;      ///< enrolled, and as many strangers
  std::filesystem::path out = {};  ///< pictures are written here
};
/// Rendered people, with a calibration fitted on other rendered people.
DemoSet world_set(const WorldSetOptions& options, const FacePipeline& pipeline, RunContext& run);

}  // namespace sosia::face
