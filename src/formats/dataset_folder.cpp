// One folder per subject: face training sets and the generic layout of re-identification.

#include "formats/bytes.hpp"
#include "formats/dataset_parts.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <system_error>

namespace sosia::formats {

namespace fs = std::filesystem;

namespace {

/// Images anywhere below `folder`, sorted by path.
std::vector<std::string> images_below(const fs::path& folder) {
  constexpr auto kOptions = fs::directory_options::skip_permission_denied;
  std::error_code error;
  std::vector<std::string> paths;
  for (auto it = fs::recursive_directory_iterator(folder, kOptions, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) {
      if (it->is_directory(ignored)) it.disable_recursion_pending();
    } else if (is_image_name(name) && it->is_regular_file(ignored)) {
      paths.push_back(it->path().string());
    }
  }
  if (error) {
    throw Error(ErrorCode::io,
                "cannot list " + quote(folder.string(), 200) + ": " + error.message());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void require_folder(const fs::path& root) {
  if (is_folder(root)) return;
  std::error_code ignored;
  const bool exists = fs::exists(root, ignored);
  throw Error(exists ? ErrorCode::io : ErrorCode::not_found,
              quote(root.string(), 200) + (exists ? " is no folder" : " does not exist"),
              "a folder with one folder per subject is wanted");
}

}  // namespace

SubjectListing list_subjects(const fs::path& root) {
  require_folder(root);
  SubjectListing listing;
  std::vector<std::string> empty;
  for (const std::string& name : folder_names(root)) {
    std::vector<std::string> images = images_below(root / name);
    if (images.empty()) {
      empty.push_back(quote(name));
    } else {
      listing.subjects.push_back({name, std::move(images)});
    }
  }
  const std::size_t loose = image_names(root).size();
  if (listing.subjects.empty()) {
    throw Error(ErrorCode::not_found, quote(root.string(), 200) + " holds no folder with images",
                loose > 0 ? "it holds images itself; put those of each subject into a folder"
                          : "a folder with one folder per subject is wanted");
  }
  if (!empty.empty()) {
    constexpr std::size_t kShown = 5;
    const std::string count = std::to_string(empty.size());
    if (empty.size() > kShown) empty.resize(kShown);
    listing.warnings.push_back(count + " folders hold no image, for example " + enumerate(empty));
  }
  if (loose > 0) {
    listing.warnings.push_back(std::to_string(loose) + " images in " + quote(root.string(), 200) +
                               " belong to no subject's folder");
  }
  return listing;
}

namespace {

struct NamedImage {
  std::string subject;
  ReidImage image;
};

std::vector<NamedImage> subject_folders(const fs::path& root) {
  std::vector<NamedImage> images;
  for (const std::string& subject : folder_names(root)) {
    for (const std::string& name : image_names(root / subject)) {
      NamedImage& added = images.emplace_back();
      added.subject = subject;
      added.image.path = (root / subject / name).string();
      const std::optional<int> camera = parse_folder_camera(name);
      added.image.camera_known = camera.has_value();
      added.image.camera = camera.value_or(0);
    }
  }
  return images;
}

}  // namespace

void load_folder_layout(const fs::path& root, ReidDataset& data) {
  require_folder(root);
  struct Part {
    const char* name;
    std::vector<ReidImage>* images;
  };
  const Part parts[] = {{"train", &data.train},
                        {"val", &data.val},
                        {"query", &data.query},
                        {"gallery", &data.gallery}};
  const bool split =
      is_folder(root / "query") || is_folder(root / "gallery") || is_folder(root / "train");
  std::vector<std::pair<std::vector<ReidImage>*, std::vector<NamedImage>>> found;
  if (split) {
    for (const Part& part : parts) {
      if (is_folder(root / part.name)) {
        found.emplace_back(part.images, subject_folders(root / part.name));
      }
    }
  } else {
    found.emplace_back(&data.unsplit, subject_folders(root));
  }
  TextLabels subjects;
  std::uint64_t without_camera = 0;
  std::uint64_t total = 0;
  for (const auto& [part, images] : found) {
    for (const NamedImage& named : images) {
      subjects.add(named.subject);
      without_camera += !named.image.camera_known;
      ++total;
    }
  }
  subjects.finish(&data.subject_names);
  for (auto& [part, images] : found) {
    for (NamedImage& named : images) {
      named.image.subject = subjects.number(named.subject);
      if (named.image.subject == -1) {
        ++data.junk_dropped;
      } else {
        part->push_back(std::move(named.image));
      }
    }
  }
  if (without_camera > 0) {
    data.warnings.push_back(std::to_string(without_camera) + " of " + std::to_string(total) +
                            " images name no camera (<cam>_<n>.jpg); each counts as a camera of "
                            "its own");
  }
}

}  // namespace sosia::formats
