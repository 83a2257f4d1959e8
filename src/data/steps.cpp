// The steps of pipelines. Random draws are those of torchvision's get_params, in its order.

#include "data/steps.hpp"

#include "data/colour.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include <fmt/format.h>

namespace sosia::data {

namespace {

using image::Image;

constexpr double kNeeded = std::numeric_limits<double>::quiet_NaN();
constexpr Key kHeight{"height", kNeeded, 1, 4096}, kWidth{"width", kNeeded, 1, 4096},
    kBicubic{"bicubic", 0, 0, 1};
constexpr Key probability(double value) {
  return {"p", value, 0, 1};
}

using Apply = std::function<Image(Image, RandomStream&)>;

bool happens(double p, RandomStream& stream) {
  const double draw = stream.uniform();
  return draw < p;
}

int drawn_to(int most, RandomStream& stream) {
  return static_cast<int>(stream.below(static_cast<std::uint64_t>(most) + 1));
}

/// A change in place that happens with probability p.
template <class F>
Action sometimes(double p, F change) {
  return {.apply = [p, change](Image picture, RandomStream& stream) {
    if (happens(p, stream)) change(picture, stream);
    return picture;
  }};
}

// torchvision's RandomResizedCrop.get_params: ten tries, then the middle in the nearest allowed
// proportion.
image::Box random_area(image::Extent picture, const Numbers& n, RandomStream& stream) {
  const double width = picture.width_px, height = picture.height_px;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = width * height * stream.uniform(n.at("scale"), n.at("scale_to"));
    const double ratio =
        std::exp(stream.uniform(std::log(n.at("ratio")), std::log(n.at("ratio_to"))));
    const int w = static_cast<int>(std::lround(std::sqrt(area * ratio)));
    const int h = static_cast<int>(std::lround(std::sqrt(area / ratio)));
    if (w < 1 || h < 1 || w > picture.width_px || h > picture.height_px) continue;
    const int y = drawn_to(picture.height_px - h, stream);
    const int x = drawn_to(picture.width_px - w, stream);
    return {double(x), double(y), double(w), double(h)};
  }
  const double ratio = std::clamp(width / height, n.at("ratio"), n.at("ratio_to"));
  const double w = std::max(1.0, std::min(width, std::round(height * ratio)));
  const double h = std::max(1.0, std::min(height, std::round(width / ratio)));
  return {std::floor((width - w) / 2), std::floor((height - h) / 2), w, h};
}

Action resizing(const Numbers& n, std::function<image::Box(image::Extent, RandomStream&)> area) {
  Action action;
  action.extent = {static_cast<int>(n.at("width")), static_cast<int>(n.at("height"))};
  action.kernel = n.at("bicubic") != 0 ? Kernel::bicubic : Kernel::bilinear;
  action.area = std::move(area);
  return action;
}

Action make_resize(const Numbers& n) {
  return resizing(n, [](image::Extent full, RandomStream&) {
    return image::Box{0, 0, double(full.width_px), double(full.height_px)};
  });
}

Action make_random_resized_crop(const Numbers& n) {
  return resizing(
      n, [n](image::Extent full, RandomStream& stream) { return random_area(full, n, stream); });
}

Action make_centre_crop(const Numbers& n) {
  const int w = static_cast<int>(n.at("width")), h = static_cast<int>(n.at("height"));
  return {.apply = [w, h](Image picture, RandomStream&) {
    if (picture.width_px() < w || picture.height_px() < h) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("a picture of {} x {} has no middle of {} x {}", picture.width_px(),
                              picture.height_px(), w, h),
                  "put a resize step before centre_crop");
    }
    return Image::copy_of(
        picture.view().crop((picture.width_px() - w) / 2, (picture.height_px() - h) / 2, w, h));
  }};
}

/// What lies dx to the right and dy below; black beyond the picture.
Image shifted(const Image& picture, int dx, int dy) {
  Image out(picture.width_px(), picture.height_px(), 3);
  const int left = std::max(0, -dx), right = std::min(out.width_px(), out.width_px() - dx);
  for (int y = std::max(0, -dy); y < std::min(out.height_px(), out.height_px() - dy); ++y) {
    if (left < right) {
      std::copy(picture.pixel(left + dx, y + dy), picture.row(y + dy) + 3 * (right + dx),
                out.pixel(left, y));
    }
  }
  return out;
}

Action make_pad_crop(const Numbers& n) {
  return {.apply = [pad = static_cast<int>(n.at("pad"))](Image picture, RandomStream& stream) {
    const int dy = drawn_to(2 * pad, stream) - pad;
    const int dx = drawn_to(2 * pad, stream) - pad;
    return shifted(picture, dx, dy);
  }};
}

Action make_flip(const Numbers& n) {
  return sometimes(
      n.at("p"), [](Image& picture, RandomStream&) { picture = image::flip_horizontal(picture); });
}

Action make_affine(const Numbers& n) {
  return sometimes(n.at("p"), [n](Image& picture, RandomStream& stream) {
    const double angle = stream.uniform(-n.at("degrees"), n.at("degrees")) * std::numbers::pi / 180;
    const double scale = stream.uniform(n.at("scale"), n.at("scale_to"));
    const double dx = stream.uniform(-n.at("translate"), n.at("translate")) * picture.width_px();
    const double dy = stream.uniform(-n.at("translate"), n.at("translate")) * picture.height_px();
    const double cx = (picture.width_px() - 1) / 2.0, cy = (picture.height_px() - 1) / 2.0;
    const image::Affine about = image::Affine::translation(-cx, -cy)
                                    .then(image::Affine::similarity(scale, angle, 0, 0))
                                    .then(image::Affine::translation(cx + dx, cy + dy));
    picture = image::warp_affine(picture, about, picture.width_px(), picture.height_px(),
                                 {.border = image::Border::replicate});
  });
}

double factor_of(double strength, RandomStream& stream) {
  return stream.uniform(std::max(0.0, 1 - strength), 1 + strength);
}

Action make_colour_jitter(const Numbers& n) {
  return sometimes(n.at("p"), [n](Image& picture, RandomStream& stream) {
    std::array<int, 4> order{0, 1, 2, 3};
    stream.shuffle(std::span<int>(order));
    const double brightness = factor_of(n.at("brightness"), stream);
    const double contrast = factor_of(n.at("contrast"), stream);
    const double saturation = factor_of(n.at("saturation"), stream);
    const double hue = stream.uniform(-n.at("hue"), n.at("hue"));
    for (const int step : order) {
      const auto view = picture.mutable_view();
      if (step == 0 && n.at("brightness") > 0) adjust_brightness(view, brightness);
      if (step == 1 && n.at("contrast") > 0) adjust_contrast(view, contrast);
      if (step == 2 && n.at("saturation") > 0) adjust_saturation(view, saturation);
      if (step == 3 && n.at("hue") > 0) adjust_hue(view, hue);
    }
  });
}

Action make_grey_step(const Numbers& n) {
  return sometimes(n.at("p"),
                   [](Image& picture, RandomStream&) { make_grey(picture.mutable_view()); });
}

Action make_blur(const Numbers& n) {
  return sometimes(n.at("p"), [n](Image& picture, RandomStream& stream) {
    const double sigma = stream.uniform(n.at("sigma"), n.at("sigma_to"));
    picture = image::gaussian_blur(picture, sigma);
  });
}

Action make_solarise(const Numbers& n) {
  return sometimes(n.at("p"), [n](Image& picture, RandomStream&) {
    solarise(picture.mutable_view(), static_cast<int>(n.at("threshold")));
  });
}

void fill_box(Image& picture, int x, int y, int w, int h,
              const std::function<std::uint8_t()>& value) {
  for (int row = y; row < y + h; ++row) {
    std::uint8_t* p = picture.mutable_view().row(row) + 3 * x;
    for (int i = 0; i < 3 * w; ++i) p[i] = value();
  }
}

Action make_cut_out(const Numbers& n) {
  return sometimes(n.at("p"), [n](Image& picture, RandomStream& stream) {
    const int least = std::min(picture.width_px(), picture.height_px());
    const int side = std::clamp(static_cast<int>(std::lround(n.at("side") * least)), 1, least);
    const int x = drawn_to(picture.width_px() - side, stream);
    const int y = drawn_to(picture.height_px() - side, stream);
    fill_box(picture, x, y, side, side, [] { return std::uint8_t{128}; });
  });
}

Action make_erase(const Numbers& n) {
  return sometimes(n.at("p"), [n](Image& picture, RandomStream& stream) {
    const double area = static_cast<double>(picture.width_px()) * picture.height_px();
    for (int attempt = 0; attempt < 10; ++attempt) {
      const double share = stream.uniform(n.at("area"), n.at("area_to"));
      const double ratio =
          std::exp(stream.uniform(std::log(n.at("ratio")), std::log(n.at("ratio_to"))));
      const int h = static_cast<int>(std::lround(std::sqrt(area * share * ratio)));
      const int w = static_cast<int>(std::lround(std::sqrt(area * share / ratio)));
      if (w < 1 || h < 1 || w >= picture.width_px() || h >= picture.height_px()) continue;
      const int x = drawn_to(picture.width_px() - w, stream);
      const int y = drawn_to(picture.height_px() - h, stream);
      const std::array<double, 3> fill{n.at("red"), n.at("green"), n.at("blue")};
      int channel = 0;
      fill_box(picture, x, y, w, h, [&] {
        if (n.at("noise") != 0) return static_cast<std::uint8_t>(stream.next_u32() >> 24);
        return static_cast<std::uint8_t>(
            std::lround(fill[static_cast<std::size_t>(channel++ % 3)]));
      });
      return;
    }
  });
}

}  // namespace

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"resize", {kHeight, kWidth, kBicubic}, make_resize},
      {"random_resized_crop",
       {kHeight,
        kWidth,
        {"scale", 0.08, 0.001, 1},
        {"scale_to", 1, 0.001, 1},
        {"ratio", 3.0 / 4, 0.1, 10},
        {"ratio_to", 4.0 / 3, 0.1, 10},
        kBicubic},
       make_random_resized_crop},
      {"centre_crop", {kHeight, kWidth}, make_centre_crop},
      {"pad_crop", {{"pad", 10, 0, 512}}, make_pad_crop},
      {"flip", {probability(0.5)}, make_flip},
      {"affine",
       {{"degrees", 10, 0, 180},
        {"translate", 0.1, 0, 1},
        {"scale", 0.9, 0.1, 10},
        {"scale_to", 1.1, 0.1, 10},
        probability(1)},
       make_affine},
      {"colour_jitter",
       {{"brightness", 0.4, 0, 2},
        {"contrast", 0.4, 0, 2},
        {"saturation", 0.4, 0, 2},
        {"hue", 0.1, 0, 0.5},
        probability(1)},
       make_colour_jitter},
      {"grey", {probability(1)}, make_grey_step},
      {"blur", {{"sigma", 0.1, 0.01, 100}, {"sigma_to", 2, 0.01, 100}, probability(1)}, make_blur},
      {"solarise", {{"threshold", 128, 0, 256}, probability(1)}, make_solarise},
      {"cut_out", {{"side", 0.3, 0.01, 1}, probability(0.5)}, make_cut_out},
      {"erase",
       {probability(0.5),
        {"area", 0.02, 0.001, 1},
        {"area_to", 0.4, 0.001, 1},
        {"ratio", 0.3, 0.05, 20},
        {"ratio_to", 10.0 / 3, 0.05, 20},
        {"noise", 1, 0, 1},
        {"red", 123.675, 0, 255},
        {"green", 116.28, 0, 255},
        {"blue", 103.53, 0, 255}},
       make_erase}};
  return all;
}

}  // namespace sosia::data
