#include "sosia/core/error.hpp"
#include "tensor/image.hpp"

#include <gtest/gtest.h>

namespace sosia::tensor {
namespace {

image::Image pattern(int width_px, int height_px, int channels) {
  image::Image out(width_px, height_px, channels);
  for (int y = 0; y < height_px; ++y) {
    for (int x = 0; x < width_px * channels; ++x) {
      out.mutable_view().row(y)[x] = static_cast<std::uint8_t>((31 * x + 17 * y) % 256);
    }
  }
  return out;
}

TEST(TensorImage, EveryPictureComesBack) {
  const image::PlanarOptions options{.mean = {0.5, 0.4, 0.3}, .deviation = {0.5, 0.25, 0.2}};
  for (const int channels : {1, 3}) {
    const image::Image a = pattern(7, 5, channels), b = pattern(7, 5, channels);
    const at::Tensor batch = from_images(std::vector<image::ImageView>{a, b}, options);
    ASSERT_EQ(batch.sizes(), (at::IntArrayRef{2, channels, 5, 7}));
    EXPECT_NEAR(batch[1][channels - 1][2][3].item<double>(),
                (a.view().pixel(3, 2)[channels - 1] / 255.0 - options.mean[channels - 1]) /
                    options.deviation[channels - 1],
                1e-6);
    const std::vector<image::Image> back = to_images(batch, options);
    ASSERT_EQ(back.size(), 2u);
    for (int y = 0; y < 5; ++y) {
      EXPECT_TRUE(
          std::equal(a.view().row(y), a.view().row(y) + 7 * channels, back[0].view().row(y)));
    }
  }
}

TEST(TensorImage, RefusesWhatIsNoBatch) {
  const image::Image a = pattern(4, 4, 3), b = pattern(5, 4, 3);
  EXPECT_THROW(from_images({}), Error);
  EXPECT_THROW(from_images(std::vector<image::ImageView>{a, b}), Error);
  EXPECT_THROW(to_images(at::zeros({2, 2, 4, 4})), Error);
  EXPECT_THROW(to_images(at::zeros({4, 4})), Error);
}

TEST(TensorImage, AViewIsNoCopy) {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  const at::Tensor view = view_of(values, std::vector<std::int64_t>{2, 3});
  values[4] = 50;
  EXPECT_EQ(view[1][1].item<float>(), 50);
  EXPECT_EQ(to_vector(view.t()), (std::vector<float>{1, 4, 2, 50, 3, 6}));
  EXPECT_THROW(view_of(values, std::vector<std::int64_t>{7}), Error);
}

}  // namespace
}  // namespace sosia::tensor
