#pragma once
// A set of plain colours whose every pixel tells subject and item.

#include "sosia/core/error.hpp"
#include "sosia/data/dataset.hpp"

#include <set>
#include <utility>

namespace sosia::data {

class ColourSet final : public Dataset {
 public:
  /// `pictures[s]` of subject s, cameras in turn; subjects from `second_domain` on are of domain 1.
  explicit ColourSet(const std::vector<int>& pictures, int cameras = 2,
                     std::size_t second_domain = 1000) {
    for (std::size_t s = 0; s < pictures.size(); ++s) {
      for (int p = 0; p < pictures[s]; ++p) {
        items_.push_back({.subject = static_cast<std::int64_t>(s),
                          .camera = p % cameras,
                          .domain = s < second_domain ? 0 : 1,
                          .name = std::to_string(s) + "/" + std::to_string(p)});
      }
    }
  }
  std::size_t size() const override { return items_.size(); }
  const Item& item(std::size_t index) const override { return items_[index]; }
  image::Image read(std::size_t index, const Shrink&) const override {
    if (broken.contains(index)) throw Error(ErrorCode::corrupt_data, "broken picture");
    return image::Image(
        24, 20, 3,
        {static_cast<std::uint8_t>(items_[index].subject), static_cast<std::uint8_t>(index % 256),
         static_cast<std::uint8_t>(index / 256)});
  }
  std::string described() const override { return "plain colours"; }

  std::set<std::size_t> broken;

 private:
  std::vector<Item> items_;
};

}  // namespace sosia::data
