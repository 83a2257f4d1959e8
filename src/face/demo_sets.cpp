#include "face/demo_sets.hpp"

#include "face/verb_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/world/face.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#ifndef SOSIA_PORTRAITS_DIR
#define SOSIA_PORTRAITS_DIR ""
#endif

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

// The rendered set.
constexpr int kSizePx = 256;
constexpr std::uint64_t kEnrolled = 2, kProbes = 2;  // pictures of a subject
constexpr std::uint64_t kCalibrationSubjects = 40, kCalibrationPictures = 4;
constexpr std::uint64_t kFirstCalibration = 1'000'000;  // number of the first of them

FileList pictures_of(const fs::path& folder) {
  const std::string inputs[] = {folder.string()};
  return collect_files(inputs);
}

/// The pictures of a folder by the folder below it ("" for those beside the folders).
std::map<std::string, std::vector<fs::path>> by_subject(const fs::path& folder,
                                                        std::vector<SkippedFile>& skipped) {
  std::map<std::string, std::vector<fs::path>> out;
  FileList list = pictures_of(folder);
  for (SkippedFile& file : list.skipped) skipped.push_back(std::move(file));
  for (fs::path& file : list.files) {
    const fs::path inside = file.lexically_relative(folder);
    const bool deep = std::distance(inside.begin(), inside.end()) >= 2;
    out[deep ? inside.begin()->string() : std::string()].push_back(std::move(file));
  }
  return out;
}

/// Renders pictures of the world.
class Studio {
 public:
  explicit Studio(std::uint64_t seed) : seed_(seed) {}

  const image::Image& picture(std::uint64_t subject, std::uint64_t number) {
    renderer_.render(world::random_face_identity(seed_, subject),
                     world::random_enrolment_attributes(seed_, subject, number), kSizePx, image_);
    return image_.picture;
  }

 private:
  std::uint64_t seed_;
  world::FaceRenderer renderer_;
  world::FaceImage image_;
};

std::string subject_name(std::uint64_t subject) {
  return fmt::format("subject_{:02}", subject + 1);
}

/// Scores of rendered people who are on no other picture of the demo.
gallery::Calibration calibrate_world(Studio& studio, const FacePipeline& pipeline,
                                     RunContext& run) {
  LabelledFaces faces{.dimension = pipeline.dimension()};
  for (std::uint64_t s = 0; s < kCalibrationSubjects; ++s) {
    for (std::uint64_t n = 0; n < kCalibrationPictures; ++n) {
      run.progress("calibrating on rendered faces", s * kCalibrationPictures + n,
                   kCalibrationSubjects * kCalibrationPictures);
      const Analysis found = pipeline.analyse(studio.picture(kFirstCalibration + s, n));
      if (found.faces.empty()) continue;
      const std::vector<float>& v = found.faces[0].embedding;
      faces.vectors.insert(faces.vectors.end(), v.begin(), v.end());
      faces.subjects.push_back(static_cast<std::uint32_t>(s));
    }
  }
  return calibrate_card(faces,
                        fmt::format("{} pictures of {} other rendered subjects",
                                    faces.subjects.size(), kCalibrationSubjects),
                        pipeline.model_hash());
}

}  // namespace

fs::path portrait_folder() {
  return SOSIA_PORTRAITS_DIR;
}

DemoSet portrait_set() {
  const fs::path root = portrait_folder();
  std::error_code ignored;
  if (root.empty() || !fs::is_directory(root / "enrol", ignored)) {
    throw Error(ErrorCode::missing_feature,
                "the portraits of the demo are not there: " + quote(root.string(), 200),
                "`make setup` brings them; --photos FOLDER takes your own, --world needs none");
  }
  DemoSet set{.title = "portraits"};
  for (const auto& [subject, files] : by_subject(root / "enrol", set.skipped)) {
    for (const fs::path& file : files) set.enrol.push_back({file, subject});
  }
  for (const auto& [subject, files] : by_subject(root / "known", set.skipped)) {
    for (const fs::path& file : files) set.probes.push_back({file, subject});
  }
  for (const fs::path& file : pictures_of(root / "strangers").files)
    set.probes.push_back({file, ""});
  set.story =
      "Two subjects are enrolled from one photo each. Other photos of one of them, two of which "
      "show part of the face only, and a stranger are then identified, and all photos are sorted "
      "by person without using a name.";
  return set;
}

DemoSet photo_set(const fs::path& folder) {
  DemoSet set{.title = folder.string()};
  std::size_t subjects = 0, strangers = 0, loose = 0;
  for (const auto& [subject, files] : by_subject(folder, set.skipped)) {
    if (subject.empty()) {
      for (const fs::path& file : files) set.probes.push_back({file, std::nullopt});
      loose = files.size();
    } else if (files.size() == 1) {
      set.probes.push_back({files[0], ""});
      ++strangers;
    } else {
      const std::size_t half = files.size() / 2;
      for (std::size_t i = 0; i < files.size(); ++i) {
        if (i < half) {
          set.enrol.push_back({files[i], subject});
        } else {
          set.probes.push_back({files[i], subject});
        }
      }
      ++subjects;
    }
  }
  if (set.enrol.empty() && set.probes.empty()) {
    throw Error(ErrorCode::not_found, quote(folder.string(), 200) + " holds no picture",
                "give a folder that holds one folder per subject");
  }
  set.story = fmt::format(
      "{} folders are subjects: the first half of each one's photos is enrolled, the rest is "
      "identified. {} folders with a single photo are strangers, {} photos lie beside the folders. "
      "Then all photos are sorted by person without using a name.",
      subjects, strangers, loose);
  return set;
}

DemoSet world_set(const WorldSetOptions& options, const FacePipeline& pipeline, RunContext& run) {
  DemoSet set{.title = "rendered people"};
  const auto subjects = static_cast<std::uint64_t>(options.subjects);
  Studio studio(run.seed());
  const auto write = [&](std::uint64_t subject, std::uint64_t number) {
    const fs::path folder = options.out / subject_name(subject);
    fs::create_directories(folder);
    const fs::path file = folder / fmt::format("{}_{}.png", folder.filename().string(), number);
    run.write_output(
        file, image::encode(studio.picture(subject, number), image::Format::png, {.compression = 2})
                  .bytes);
    return file;
  };
  for (std::uint64_t s = 0; s < subjects; ++s) {
    run.progress("rendering people", s, 2 * subjects);
    for (std::uint64_t n = 0; n < kEnrolled; ++n)
      set.enrol.push_back({write(s, n), subject_name(s)});
    for (std::uint64_t n = kEnrolled; n < kEnrolled + kProbes; ++n) {
      set.probes.push_back({write(s, n), subject_name(s)});
    }
  }
  for (std::uint64_t s = subjects; s < 2 * subjects; ++s) {
    run.progress("rendering people", s, 2 * subjects);
    set.probes.push_back({write(s, 0), ""});
  }
  set.calibration = calibrate_world(studio, pipeline, run);
  set.story = fmt::format(
      "No photo is needed: {} rendered subjects are enrolled from {} pictures each; {} other "
      "pictures of each and {} rendered strangers are identified, and all pictures are sorted by "
      "person without using a name. Recognisers are made for photos: rendered faces look more "
      "alike "
      "to them than people do. Thresholds come from {}.",
      subjects, kEnrolled, kProbes, subjects, set.calibration->set);
  return set;
}

}  // namespace sosia::face
