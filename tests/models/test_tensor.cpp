// Pictures as numbers, and the small sums beside.

#include "models/support.hpp"
#include "sosia/image/transform.hpp"

#include <cmath>

namespace sosia::models {
namespace {

image::Image gradient(int width, int height, int channels) {
  image::Image picture(width, height, channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        picture.pixel(x, y)[c] = static_cast<std::uint8_t>(10 * y + 3 * x + 50 * c);
      }
    }
  }
  return picture;
}

InputSpec spec(Colour colour, Layout layout = Layout::nchw) {
  InputSpec input;
  input.colour = colour;
  input.layout = layout;
  const std::int64_t channels = colour == Colour::grey ? 1 : 3;
  input.shape = layout == Layout::nchw ? std::vector<std::int64_t>{-1, channels, 4, 5}
                                       : std::vector<std::int64_t>{-1, 4, 5, channels};
  input.mean = {1, 2, 3};
  input.deviation = {10, 20, 40};
  return input;
}

TEST(ImageTensor, EveryNumberByTheFormula) {
  const image::Image picture = gradient(5, 4, 3);
  for (const Colour colour : {Colour::rgb, Colour::bgr}) {
    for (const Layout layout : {Layout::nchw, Layout::nhwc}) {
      const InputSpec input = spec(colour, layout);
      const Tensor tensor = image_tensor(input, picture);
      ASSERT_EQ(tensor.values.size(), 60u);
      EXPECT_EQ(tensor.shape, layout == Layout::nchw ? (std::vector<std::int64_t>{1, 3, 4, 5})
                                                     : (std::vector<std::int64_t>{1, 4, 5, 3}));
      for (int c = 0; c < 3; ++c) {
        for (int y = 0; y < 4; ++y) {
          for (int x = 0; x < 5; ++x) {
            const int source = colour == Colour::rgb ? c : 2 - c;
            const double byte = picture.pixel(x, y)[source];
            const auto k = static_cast<std::size_t>(c);
            const auto wanted = static_cast<float>((byte - input.mean[k]) / input.deviation[k]);
            const int at = layout == Layout::nchw ? (c * 4 + y) * 5 + x : (y * 5 + x) * 3 + c;
            EXPECT_EQ(tensor.values[static_cast<std::size_t>(at)], wanted);
          }
        }
      }
    }
  }
}

TEST(ImageTensor, ChannelsOfThePictureFollowTheCard) {
  const Tensor from_grey = image_tensor(spec(Colour::rgb), gradient(5, 4, 1));
  EXPECT_EQ(from_grey.shape, (std::vector<std::int64_t>{1, 3, 4, 5}));
  EXPECT_FLOAT_EQ(from_grey.values[7], (10 + 3 * 2 - 1) / 10.0F);   // red at (2, 1)
  EXPECT_FLOAT_EQ(from_grey.values[47], (10 + 3 * 2 - 3) / 40.0F);  // blue, the same byte
  EXPECT_EQ(image_tensor(spec(Colour::grey), gradient(5, 4, 3)).shape,
            (std::vector<std::int64_t>{1, 1, 4, 5}));
  const Tensor opaque = image_tensor(spec(Colour::rgb), gradient(5, 4, 4));
  EXPECT_EQ(opaque.values, image_tensor(spec(Colour::rgb), gradient(5, 4, 3)).values);
}

TEST(ImageTensor, BatchIsTheRowsInOrder) {
  const image::Image a = gradient(5, 4, 3), b = image::flip_horizontal(a);
  const std::vector<image::ImageView> both{a, b};
  const Tensor batch = image_tensor(spec(Colour::rgb), both);
  EXPECT_EQ(batch.rows(), 2);
  EXPECT_TRUE(std::ranges::equal(batch.row(0), image_tensor(spec(Colour::rgb), a).values));
  EXPECT_TRUE(std::ranges::equal(batch.row(1), image_tensor(spec(Colour::rgb), b).values));
}

TEST(ImageTensor, Refusals) {
  const image::Image good = gradient(5, 4, 3), other = gradient(6, 4, 3);
  Error error = error_of([&] { image_tensor(spec(Colour::rgb), other); });
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_TRUE(contains(error.message(), "6 x 4")) << error.message();
  EXPECT_TRUE(contains(error.message(), "[?, 3, 4, 5]")) << error.message();
  InputSpec open = spec(Colour::rgb);
  open.shape = {-1, 3, -1, -1};
  EXPECT_EQ(image_tensor(open, other).values.size(), 72u);
  const std::vector<image::ImageView> mixed{good, other};
  EXPECT_TRUE(contains(error_of([&] { image_tensor(open, mixed); }).message(), "5 x 4 and 6 x 4"));
  EXPECT_EQ(error_of([&] { image_tensor(open, std::span<const image::ImageView>()); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { image_tensor(open, image::ImageView()); }).code(),
            ErrorCode::invalid_argument);
}

TEST(Rows, LengthOneAndLengthsBefore) {
  std::vector<float> values{3, 4, 0, 0, 1e-20F, 0};
  const std::vector<double> lengths = normalise_rows(values, 2);
  EXPECT_EQ(lengths[0], 5);
  EXPECT_EQ(lengths[1], 0);
  EXPECT_FLOAT_EQ(values[0], 0.6F);
  EXPECT_FLOAT_EQ(values[1], 0.8F);
  EXPECT_EQ(values[2], 0);
  EXPECT_FLOAT_EQ(values[4], 1);
  EXPECT_EQ(error_of([&] { normalise_rows(values, 4); }).code(), ErrorCode::invalid_argument);
  EXPECT_EQ(error_of([&] { normalise_rows(values, 0); }).code(), ErrorCode::invalid_argument);
}

TEST(Rows, Softmax) {
  const std::vector<float> logits{1000, 1000, 999};
  const std::vector<double> shares = softmax(logits);
  EXPECT_NEAR(shares[0] + shares[1] + shares[2], 1, 1e-15);
  EXPECT_NEAR(shares[2] / shares[0], std::exp(-1.0), 1e-12);
  EXPECT_TRUE(softmax({}).empty());
}

}  // namespace
}  // namespace sosia::models
