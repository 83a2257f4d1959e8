// Pipelines: steps in words, read, checked and run.

#include "sosia/data/transform.hpp"

#include "data/steps.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace sosia::data {

namespace {

using image::Image;

/// A picture is shrunk while it is decoded only as long as it keeps this many times the pixels of
/// the result in each direction (the name is PIL's).
constexpr double kReducingGap = 1;

[[noreturn]] void refuse(const std::string& step, const std::string& message,
                         const std::string& hint = {}) {
  throw Error(ErrorCode::usage, fmt::format("transform {}: {}", quote(step), message), hint);
}

const Kind& find_kind(const std::string& step, std::string_view name) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) {
    if (kind.name == name) return kind;
    names.emplace_back(kind.name);
  }
  const std::string near = did_you_mean(name, names);
  refuse(step, fmt::format("there is no step {}", quote(name)),
         near.empty() ? "there are " + enumerate(names) : near);
}

Numbers read_numbers(const std::string& step, const Kind& kind,
                     std::span<const std::string_view> words) {
  Numbers numbers;
  for (const std::string_view word : words) {
    const std::size_t equal = word.find('=');
    const std::string_view name = word.substr(0, equal);
    const auto key = std::find_if(kind.keys.begin(), kind.keys.end(),
                                  [&](const Key& k) { return k.name == name; });
    if (equal == word.npos || key == kind.keys.end()) {
      std::vector<std::string> names;
      for (const Key& k : kind.keys) names.emplace_back(k.name);
      const std::string near = did_you_mean(name, names);
      refuse(step, fmt::format("{} is none of its numbers", quote(word)),
             near.empty() ? "name=value, of " + enumerate(names) : near);
    }
    const std::string_view text = word.substr(equal + 1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() ||
        !(value >= key->low && value <= key->high)) {
      refuse(step,
             fmt::format("{} must be a number from {} to {}", quote(word), key->low, key->high));
    }
    numbers.insert_or_assign(std::string(name), value);
  }
  for (const Key& key : kind.keys) {
    if (numbers.contains(key.name)) continue;
    if (std::isnan(key.value)) refuse(step, fmt::format("it needs {}=", key.name));
    numbers.emplace(key.name, key.value);
  }
  for (const auto& [name, value] : numbers) {
    const auto upper = numbers.find(name + "_to");
    if (upper != numbers.end() && value > upper->second) {
      refuse(step, fmt::format("{} = {} is above {}_to = {}", name, value, name, upper->second));
    }
  }
  return numbers;
}

/// `area` of a picture of extent `full`, in the pixels of the same picture at `now`.
image::Box scaled(const image::Box& area, image::Extent full, image::Extent now) {
  if (full == now) return area;
  const double x = double(now.width_px) / full.width_px, y = double(now.height_px) / full.height_px;
  const double left = area.x_px * x, top = area.y_px * y;
  return {left, top, std::min(area.width_px * x, now.width_px - left),
          std::min(area.height_px * y, now.height_px - top)};
}

Image resize_part(image::ImageView picture, const image::Box& area, const Action& step) {
  const image::Box whole{0, 0, double(picture.width_px), double(picture.height_px)};
  if (area == whole && picture.extent() == step.extent) return Image::copy_of(picture);
  return resample(picture, area, step.extent, step.kernel);
}

}  // namespace

struct Pipeline::Impl {
  std::vector<Action> steps;
  image::Extent extent;
};

Pipeline::Pipeline(const std::vector<std::string>& steps) {
  const auto impl = std::make_shared<Impl>();
  for (const std::string& step : steps) {
    std::vector<std::string_view> words;
    for (const std::string_view word : split(step, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.empty()) refuse(step, "it is empty");
    const Kind& kind = find_kind(step, words.front());
    const Numbers numbers = read_numbers(step, kind, std::span(words).subspan(1));
    if (numbers.contains("height")) {
      impl->extent = {static_cast<int>(numbers.at("width")),
                      static_cast<int>(numbers.at("height"))};
    }
    impl->steps.push_back(kind.make(numbers));
  }
  impl_ = impl;
}

image::Extent Pipeline::extent() const noexcept {
  return impl_->extent;
}

int Pipeline::shrink(image::Extent full, RandomStream stream) const {
  if (impl_->steps.empty() || !impl_->steps.front().area) return 1;
  const Action& first = impl_->steps.front();
  const image::Box area = first.area(full, stream);
  int n = 8;
  while (n > 1 && (area.width_px < kReducingGap * n * first.extent.width_px ||
                   area.height_px < kReducingGap * n * first.extent.height_px)) {
    n /= 2;
  }
  return n;
}

Image Pipeline::operator()(image::ImageView picture, RandomStream& stream,
                           image::Extent full) const {
  if (full.width_px == 0) full = picture.extent();
  Image now;  // empty: still the picture that was given
  for (const Action& step : impl_->steps) {
    const image::ImageView seen = now.empty() ? picture : now.view();
    if (step.area) {
      const image::Box area = step.area(full, stream);
      now = resize_part(seen, scaled(area, full, seen.extent()), step);
    } else {
      now = step.apply(now.empty() ? Image::copy_of(picture) : std::move(now), stream);
    }
    full = now.extent();
  }
  return now.empty() ? Image::copy_of(picture) : std::move(now);
}

std::vector<std::string> barlow_view(int view, int side_px) {
  const bool second = view == 1;
  return {fmt::format("random_resized_crop height={} width={} bicubic=1", side_px, side_px),
          "flip p=0.5",
          "colour_jitter brightness=0.4 contrast=0.4 saturation=0.2 hue=0.1 p=0.8",
          "grey p=0.2",
          fmt::format("blur sigma=0.1 sigma_to=2 p={}", second ? 0.1 : 1.0),
          fmt::format("solarise p={}", second ? 0.2 : 0.0)};
}

}  // namespace sosia::data
