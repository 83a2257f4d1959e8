// The layouts of the published re-identification sets.

#include "formats/bytes.hpp"
#include "formats/dataset_parts.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <map>
#include <system_error>

namespace sosia::formats {

namespace fs = std::filesystem;

namespace {

struct LayoutRow {
  ReidLayout layout;
  std::string_view name;
  std::string_view marker;  // what must be in the root
};

constexpr LayoutRow kLayouts[] = {
    {ReidLayout::market1501, "market1501", "query"},
    {ReidLayout::dukemtmc, "dukemtmc", "query"},
    {ReidLayout::msmt17, "msmt17", "list_query.txt"},
    {ReidLayout::cuhk03_np, "cuhk03_np", "query"},
    {ReidLayout::viper, "viper", "cam_a"},
    {ReidLayout::ltcc, "ltcc", "query"},
    {ReidLayout::prcc, "prcc", "rgb"},
    {ReidLayout::folder, "folder", ""},
    {ReidLayout::csv, "csv", ""},
};

const LayoutRow& row_of(ReidLayout layout) {
  return kLayouts[static_cast<std::size_t>(layout)];
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// `root`, or the only folder in it that holds `marker`.
fs::path find_root(const fs::path& root, std::string_view marker) {
  if (!is_there(root)) {
    throw Error(ErrorCode::not_found, quote(root.string(), 200) + " does not exist",
                "check the spelling and the folder you are in");
  }
  if (marker.empty() || is_there(root / marker) || !is_folder(root)) return root;
  std::vector<fs::path> found;
  for (const std::string& name : folder_names(root)) {
    if (is_there(root / name / marker)) found.push_back(root / name);
  }
  return found.size() == 1 ? found.front() : root;
}

std::string first_image(const fs::path& folder) {
  if (!is_folder(folder)) return {};
  const std::vector<std::string> names = image_names(folder);
  return names.empty() ? std::string() : names.front();
}

using Parser = std::optional<ReidName> (*)(std::string_view);

/// Adds the images of one folder. A folder that is missing is a warning.
void add_folder(ReidDataset& data, std::vector<ReidImage>& part, const fs::path& folder,
                Parser parse, std::string_view pattern) {
  if (!is_folder(folder)) {
    data.warnings.push_back("the folder " + quote(folder.string(), 200) + " is missing");
    return;
  }
  OddNames odd;
  for (const std::string& name : image_names(folder)) {
    const std::optional<ReidName> parsed = parse(name);
    if (!parsed) {
      odd.add(name);
      continue;
    }
    if (parsed->subject == -1) {
      ++data.junk_dropped;
      continue;
    }
    ReidImage& image = part.emplace_back();
    image.path = (folder / name).string();
    image.subject = parsed->subject;
    image.camera = parsed->camera;
    image.clothes = parsed->clothes;
    image.time = parsed->time;
  }
  odd.report(data.warnings, folder.string(), pattern);
}

void load_market(const fs::path& root, ReidDataset& data, std::string_view pattern) {
  add_folder(data, data.train, root / "bounding_box_train", parse_market_name, pattern);
  add_folder(data, data.query, root / "query", parse_market_name, pattern);
  add_folder(data, data.gallery, root / "bounding_box_test", parse_market_name, pattern);
  if (data.layout == ReidLayout::dukemtmc) return;  // its distractors have numbers of their own
  data.distractors = static_cast<std::uint64_t>(
      std::count_if(data.gallery.begin(), data.gallery.end(),
                    [](const ReidImage& image) { return image.subject == 0; }));
}

void load_cuhk03(const fs::path& root, ReidDataset& data, const std::string& variant) {
  if (variant != "detected" && variant != "labeled") {
    throw Error(ErrorCode::invalid_argument, quote(variant) + " is no variant of CUHK03-NP",
                "use detected or labeled");
  }
  // The root may be the folder above both variants, the one above that, or a variant itself.
  const fs::path inside = find_root(root, variant) / variant;
  const fs::path folder = is_folder(inside) ? inside : find_root(root, "query");
  load_market(folder, data, "PPPP_cC_N.png");
}

void load_msmt17(const fs::path& root, ReidDataset& data) {
  const auto folder = [&](const char* v1, const char* v2) {
    return (is_folder(root / v2) ? root / v2 : root / v1).string();
  };
  struct Part {
    std::vector<ReidImage>* images;
    const char* list;
    std::string folder;
  };
  const Part parts[] = {{&data.train, "list_train.txt", folder("train", "mask_train_v2")},
                        {&data.val, "list_val.txt", folder("train", "mask_train_v2")},
                        {&data.query, "list_query.txt", folder("test", "mask_test_v2")},
                        {&data.gallery, "list_gallery.txt", folder("test", "mask_test_v2")}};
  for (const Part& part : parts) {
    const fs::path list = root / part.list;
    if (!is_there(list)) {
      data.warnings.push_back("the list " + quote(list.string(), 200) + " is missing");
      continue;
    }
    *part.images = parse_msmt17_list(read_text(list), part.folder, list.string());
  }
}

void load_viper(const fs::path& root, ReidDataset& data) {
  const char* const folders[] = {"cam_a", "cam_b"};
  for (int camera = 0; camera < 2; ++camera) {
    const std::size_t before = data.unsplit.size();
    add_folder(data, data.unsplit, root / folders[camera], parse_viper_name, "PPP_*.bmp");
    for (std::size_t i = before; i < data.unsplit.size(); ++i) data.unsplit[i].camera = camera;
  }
}

/// LTCC numbers outfits per person; afterwards they are distinct across persons.
void load_ltcc(const fs::path& root, ReidDataset& data) {
  constexpr std::string_view kPattern = "PPP_O_cC_FFFFFF.png";
  add_folder(data, data.train, root / "train", parse_ltcc_name, kPattern);
  add_folder(data, data.query, root / "query", parse_ltcc_name, kPattern);
  add_folder(data, data.gallery, root / "test", parse_ltcc_name, kPattern);
  std::map<std::pair<std::int64_t, int>, int> outfits;
  for (auto* part : {&data.train, &data.query, &data.gallery}) {
    for (const ReidImage& image : *part) outfits.try_emplace({image.subject, image.clothes}, 0);
  }
  int next = 0;
  for (auto& [outfit, number] : outfits) number = next++;
  for (auto* part : {&data.train, &data.query, &data.gallery}) {
    for (ReidImage& image : *part) image.clothes = outfits.at({image.subject, image.clothes});
  }
}

/// PRCC: cameras A and B show the same clothes, C others.
class PrccLoader {
 public:
  PrccLoader(const fs::path& root, ReidDataset& data) : root_(root), data_(data) {}

  void load() {
    load_training("train", data_.train);
    load_training("val", data_.val);
    const fs::path test = root_ / "test";
    for (int camera = 0; camera < 3; ++camera) {
      const fs::path folder = test / std::string(1, static_cast<char>('A' + camera));
      if (!is_folder(folder)) {
        data_.warnings.push_back("the folder " + quote(folder.string(), 200) + " is missing");
        continue;
      }
      for (const std::string& subject : folder_names(folder)) {
        add_subject(camera == 0 ? data_.gallery : data_.query, folder / subject, subject, camera);
      }
    }
    odd_.report(data_.warnings, root_.string(), "<pid>/{A,B,C}_*.jpg");
  }

 private:
  void load_training(const char* name, std::vector<ReidImage>& part) {
    const fs::path folder = root_ / name;
    if (!is_folder(folder)) {
      data_.warnings.push_back("the folder " + quote(folder.string(), 200) + " is missing");
      return;
    }
    for (const std::string& subject : folder_names(folder)) {
      add_subject(part, folder / subject, subject, -1);
    }
  }

  /// `camera` -1: the file name starts with its letter.
  void add_subject(std::vector<ReidImage>& part, const fs::path& folder, const std::string& subject,
                   int camera) {
    long long id = 0;
    const bool numbered = parse_integer(subject, id) && id >= 0 && id < 1'000'000;
    for (const std::string& name : image_names(folder)) {
      int seen_by = camera;
      if (camera < 0 && name.size() > 1 && name[1] == '_' && name[0] >= 'A' && name[0] <= 'C') {
        seen_by = name[0] - 'A';
      }
      if (!numbered || seen_by < 0) {
        odd_.add(subject + "/" + name);
        continue;
      }
      ReidImage& image = part.emplace_back();
      image.path = (folder / name).string();
      image.subject = id;
      image.camera = seen_by;
      image.clothes = static_cast<int>(id) * 2 + (seen_by == 2);
    }
  }

  fs::path root_;
  ReidDataset& data_;
  OddNames odd_;
};

bool is_empty(const ReidDataset& data) {
  return data.train.empty() && data.val.empty() && data.query.empty() && data.gallery.empty() &&
         data.unsplit.empty();
}

}  // namespace

std::string_view reid_layout_name(ReidLayout layout) {
  return row_of(layout).name;
}

ReidLayout detect_reid_layout(const fs::path& root) {
  if (!is_there(root)) {
    throw Error(ErrorCode::not_found, quote(root.string(), 200) + " does not exist",
                "check the spelling and the folder you are in");
  }
  if (!is_folder(root)) return ReidLayout::csv;
  if (is_there(find_root(root, "list_query.txt") / "list_query.txt")) return ReidLayout::msmt17;
  if (is_folder(find_root(root, "cam_a") / "cam_a")) return ReidLayout::viper;
  if (is_folder(find_root(root, "rgb") / "rgb" / "test" / "A")) return ReidLayout::prcc;
  if (is_folder(root / "detected") || is_folder(root / "labeled")) return ReidLayout::cuhk03_np;
  const fs::path with_query = find_root(root, "query");
  const std::string name = first_image(with_query / "query");
  if (is_folder(with_query / "bounding_box_test")) {
    if (name.find("_f") != std::string::npos) return ReidLayout::dukemtmc;
    return name.ends_with(".png") ? ReidLayout::cuhk03_np : ReidLayout::market1501;
  }
  if (parse_ltcc_name(name)) return ReidLayout::ltcc;
  return ReidLayout::folder;
}

ReidDataset load_reid(const fs::path& given, ReidLayout layout, const ReidOptions& options) {
  ReidDataset data;
  const fs::path root = find_root(given, row_of(layout).marker);
  if (layout == ReidLayout::csv) {
    const std::vector<std::byte> bytes = read_file(root);
    data = parse_reid_csv(bytes, root.parent_path().string(), root.string());
  }
  data.layout = layout;
  data.root = root.string();
  switch (layout) {
    case ReidLayout::market1501:
      load_market(root, data, "PPPP_cCsS_FFFFFF_NN.jpg");
      break;
    case ReidLayout::dukemtmc:
      load_market(root, data, "PPPP_cC_fFFFFFFF.jpg");
      break;
    case ReidLayout::msmt17:
      load_msmt17(root, data);
      break;
    case ReidLayout::cuhk03_np:
      load_cuhk03(given, data, options.variant);
      break;
    case ReidLayout::viper:
      load_viper(root, data);
      break;
    case ReidLayout::ltcc:
      load_ltcc(root, data);
      break;
    case ReidLayout::prcc:
      PrccLoader(root / "rgb", data).load();
      break;
    case ReidLayout::folder:
      load_folder_layout(root, data);
      break;
    case ReidLayout::csv:
      break;
  }
  if (is_empty(data)) {
    throw Error(ErrorCode::not_found,
                quote(root.string(), 200) + " holds no image in the layout " +
                    std::string(row_of(layout).name),
                data.warnings.empty() ? "" : data.warnings.front());
  }
  sort_by_path(data);
  number_unknown_cameras(data);
  if (options.compare_counts) compare_published_counts(data, options.variant);
  return data;
}

}  // namespace sosia::formats
