// Sets of files: folders, layouts of re-identification, RecordIO.

#include "data/sources.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/dataset.hpp"
#include "sosia/formats/recordio.hpp"
#include "sosia/image/decode.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace sosia::data {

namespace {

image::Image decode_rgb(std::span<const std::byte> bytes, const Shrink& shrink) {
  image::DecodeOptions options;
  options.channels = image::Channels::rgb;
  if (shrink) options.scale_denominator = shrink(image::probe(bytes).upright_extent());
  return image::decode(bytes, options).image;
}

class Files final : public Dataset {
 public:
  Files(std::vector<Item> items, std::string described)
      : items_(std::move(items)), described_(std::move(described)) {}
  std::size_t size() const override { return items_.size(); }
  const Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const Shrink& shrink) const override {
    try {
      const MappedFile file(items_[index].name);
      return decode_rgb(file.bytes(), shrink);
    } catch (Error& error) {
      throw error.add_context(items_[index].name);
    }
  }
  std::string described() const override { return described_; }

 private:
  std::vector<Item> items_;
  std::string described_;
};

class Records final : public Dataset {
 public:
  explicit Records(const std::string& path) : path_(path), set_(path) {
    std::vector<std::byte> scratch;
    std::map<std::int64_t, std::int64_t> numbers;
    for (const std::uint64_t key : set_.image_keys()) {
      const auto label = static_cast<std::int64_t>(set_.read(key, scratch).labels.front());
      items_.push_back({.subject = label, .name = fmt::format("{}: record {}", path, key)});
      numbers.emplace(label, 0);
    }
    std::int64_t next = 0;
    for (auto& [label, number] : numbers) number = next++;
    for (Item& item : items_) item.subject = numbers.at(item.subject);
    if (items_.empty()) throw Error(ErrorCode::not_found, "there is no picture in " + quote(path));
  }
  std::size_t size() const override { return items_.size(); }
  const Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const Shrink& shrink) const override {
    std::vector<std::byte> scratch;
    try {
      return decode_rgb(set_.read(set_.image_keys()[index], scratch).image, shrink);
    } catch (Error& error) {
      throw error.add_context(items_[index].name);
    }
  }
  std::string described() const override {
    return fmt::format("{} pictures of {} subjects in {}", size(), subjects(), quote(path_));
  }

 private:
  std::string path_;
  formats::RecordSet set_;
  std::vector<Item> items_;
};

const std::vector<formats::ReidImage>& part_of(const formats::ReidDataset& set,
                                               const DataSpec& spec) {
  if (!set.unsplit.empty()) return set.unsplit;
  if (spec.part == "val") return set.val;
  if (spec.part == "query") return set.query;
  if (spec.part == "gallery") return set.gallery;
  return set.train;
}

formats::ReidLayout layout_of(const DataSpec& spec) {
  if (spec.layout == "auto") return formats::detect_reid_layout(spec.path);
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(formats::ReidLayout::csv); ++i) {
    const auto layout = static_cast<formats::ReidLayout>(i);
    names.emplace_back(formats::reid_layout_name(layout));
    if (names.back() == spec.layout) return layout;
  }
  throw Error(ErrorCode::usage, "data.layout: there is no layout " + quote(spec.layout),
              "auto, " + enumerate(names));
}

}  // namespace

std::shared_ptr<const Dataset> open_folder(const DataSpec& spec) {
  const formats::SubjectListing listing = formats::list_subjects(spec.path);
  std::vector<Item> items;
  for (std::size_t s = 0; s < listing.subjects.size(); ++s) {
    for (const std::string& path : listing.subjects[s].images) {
      items.push_back({.subject = static_cast<std::int64_t>(s), .name = path});
    }
  }
  std::string described = fmt::format("{} pictures of {} subjects in {}", items.size(),
                                      listing.subjects.size(), quote(spec.path));
  return std::make_shared<Files>(std::move(items), std::move(described));
}

std::shared_ptr<const Dataset> open_reid(const DataSpec& spec) {
  const formats::ReidDataset set = formats::load_reid(spec.path, layout_of(spec), {});
  std::vector<formats::ReidImage> images = part_of(set, spec);
  const std::size_t subjects = formats::relabel_subjects(images).size();
  if (images.empty()) {
    throw Error(ErrorCode::not_found,
                fmt::format("the part {} of {} is empty", quote(spec.part), quote(spec.path)));
  }
  std::vector<Item> items;
  for (const formats::ReidImage& image : images) {
    items.push_back({.subject = image.subject,
                     .camera = image.camera_known ? image.camera : -1,
                     .name = image.path});
  }
  std::string described =
      fmt::format("{} pictures of {} subjects, part {} of {} ({})", items.size(), subjects,
                  spec.part, quote(spec.path), formats::reid_layout_name(set.layout));
  return std::make_shared<Files>(std::move(items), std::move(described));
}

std::shared_ptr<const Dataset> open_recordio(const DataSpec& spec) {
  return std::make_shared<Records>(spec.path);
}

}  // namespace sosia::data
