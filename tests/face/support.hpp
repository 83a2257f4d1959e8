#pragma once
// What the tests and figures of this room share: data, photos with known truth, verification.

#include "common.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/face.hpp"
#include "sosia/formats/dataset.hpp"
#include "sosia/image.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::face::testing {

/// The cards that come with sosia; weights from set-up and from the shared data, where present.
inline models::ModelStore test_store() {
  models::StoreOptions options{.user = false};
  for (const char* folder : {"weights-face-detect/yunet", "weights-face-detect/scrfd",
                             "weights-mobilefacenet/foreign-onnx", "weights-antispoof/hairymax"}) {
    if (const auto path = shared_data(folder)) options.folders.push_back(*path);
  }
  return models::ModelStore(options);
}

inline bool present(const models::ModelStore& store, std::string_view card) {
  const models::ModelCard& found = store.at(card);
  if (found.kind == models::CardKind::bundle) {
    return std::all_of(found.parts.begin(), found.parts.end(),
                       [&](const std::string& part) { return present(store, part); });
  }
  return store.state(found, false) == models::WeightState::present;
}

/// A photo and the boxes that people drew in it.
struct AnnotatedPhoto {
  std::filesystem::path file;
  std::vector<image::Box> boxes;
};

/// dlib's own annotation: <image file='..'> with <box top='' left='' width='' height=''/>.
inline std::vector<AnnotatedPhoto> read_dlib_boxes(const std::filesystem::path& folder) {
  std::vector<AnnotatedPhoto> out;
  for (const char* name : {"training.xml", "testing.xml"}) {
    const std::string text = read_text(folder / name);
    const auto attribute = [&](std::size_t from, const std::string& key) {
      const std::size_t at = text.find(key + "='", from) + key.size() + 2;
      return text.substr(at, text.find('\'', at) - at);
    };
    for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos; ++at) {
      if (text.compare(at, 7, "<image ") == 0) {
        out.push_back({folder / attribute(at, "file"), {}});
      } else if (text.compare(at, 5, "<box ") == 0) {
        out.back().boxes.push_back(
            {std::stod(attribute(at, "left")), std::stod(attribute(at, "top")),
             std::stod(attribute(at, "width")), std::stod(attribute(at, "height"))});
      }
    }
  }
  return out;
}

/// How detections compare with annotated boxes. Boxes of two makers overlap loosely: a face counts
/// as found when the shared area is 0.3 of the union or more; each detection finds one face.
struct DetectionCount {
  int annotated = 0;   ///< whose longer side has `least_px` or more
  int found = 0;       ///< of these
  int false_ones = 0;  ///< detections that match no annotated box of any size
};

inline DetectionCount count_detections(const std::vector<Detection>& faces,
                                       const std::vector<image::Box>& boxes, double least_px) {
  DetectionCount count;
  std::vector<bool> used(faces.size());
  for (const image::Box& box : boxes) {
    const bool counts = std::max(box.width_px, box.height_px) >= least_px;
    count.annotated += counts;
    std::size_t best = faces.size();
    double most = 0.3;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const double shared = overlap(faces[i].box, box);
      if (!used[i] && shared >= most) most = shared, best = i;
    }
    if (best == faces.size()) continue;
    used[best] = true;
    count.found += counts;
  }
  count.false_ones = static_cast<int>(std::count(used.begin(), used.end(), false));
  return count;
}

/// Faces of a folder per subject: the one of highest score of each photo.
struct FolderFaces {
  LabelledFaces faces;
  std::size_t photos = 0;
  std::vector<std::string> missed;  ///< photos without a face
};

inline FolderFaces embed_folders(const FacePipeline& pipeline, const std::filesystem::path& root) {
  const formats::SubjectListing listing = formats::list_subjects(root);
  std::vector<std::filesystem::path> files;
  std::vector<std::uint32_t> subjects;
  for (std::size_t s = 0; s < listing.subjects.size(); ++s) {
    for (const std::string& image : listing.subjects[s].images) {
      files.push_back(image);
      subjects.push_back(static_cast<std::uint32_t>(s));
    }
  }
  FolderFaces out;
  out.photos = files.size();
  out.faces.dimension = pipeline.dimension();
  RunContext run;
  pipeline.stream(
      files,
      [&](Analysis&& a) {
        if (a.faces.empty()) {
          out.missed.push_back(a.file.string());
          return true;
        }
        const std::vector<float>& v = a.faces.front().embedding;
        out.faces.vectors.insert(out.faces.vectors.end(), v.begin(), v.end());
        out.faces.subjects.push_back(subjects[a.index]);
        return true;
      },
      run);
  return out;
}

inline double cosine(const LabelledFaces& f, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t k = 0; k < f.dimension; ++k) {
    sum += double{f.vectors[a * f.dimension + k]} * f.vectors[b * f.dimension + k];
  }
  return sum;
}

/// All pairs of different photos, and who is nearest to whom.
struct FolderScores {
  evaluate::ScoreSet scores;
  double rank1 = 0;
};

inline FolderScores score_all(const LabelledFaces& f) {
  FolderScores out;
  const std::size_t n = f.subjects.size();
  std::size_t right = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double best = -2;
    std::uint32_t whose = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double score = cosine(f, i, j);
      if (score > best) best = score, whose = f.subjects[j];
      if (j < i) continue;
      (f.subjects[i] == f.subjects[j] ? out.scores.genuine : out.scores.impostor).push_back(score);
    }
    right += whose == f.subjects[i];
  }
  out.rank1 = static_cast<double>(right) / static_cast<double>(n);
  return out;
}

}  // namespace sosia::face::testing
