// dlib itself as the oracle of the graphs that are built from its weights.
// Nets: dlib, examples/dnn_face_recognition_ex.cpp and dnn_mmod_face_detection_ex.cpp.

#include "models/support.hpp"
#include "sosia/image/image.hpp"

#include <algorithm>
#include <cmath>

#if SOSIA_TEST_DLIB
#include <dlib/data_io.h>
#include <dlib/dnn.h>
#endif

namespace sosia::models {
namespace {

#if SOSIA_TEST_DLIB

namespace oracle {
using namespace dlib;  // NOLINT: the nets are spelled as dlib's examples do

template <template <int, template <typename> class, int, typename> class block, int N,
          template <typename> class BN, typename SUBNET>
using residual = add_prev1<block<N, BN, 1, tag1<SUBNET>>>;
template <template <int, template <typename> class, int, typename> class block, int N,
          template <typename> class BN, typename SUBNET>
using residual_down = add_prev2<avg_pool<2, 2, 2, 2, skip1<tag2<block<N, BN, 2, tag1<SUBNET>>>>>>;
template <int N, template <typename> class BN, int stride, typename SUBNET>
using block = BN<con<N, 3, 3, 1, 1, relu<BN<con<N, 3, 3, stride, stride, SUBNET>>>>>;
template <int N, typename SUBNET>
using ares = relu<residual<block, N, affine, SUBNET>>;
template <int N, typename SUBNET>
using ares_down = relu<residual_down<block, N, affine, SUBNET>>;
template <typename SUBNET>
using alevel0 = ares_down<256, SUBNET>;
template <typename SUBNET>
using alevel1 = ares<256, ares<256, ares_down<256, SUBNET>>>;
template <typename SUBNET>
using alevel2 = ares<128, ares<128, ares_down<128, SUBNET>>>;
template <typename SUBNET>
using alevel3 = ares<64, ares<64, ares<64, ares_down<64, SUBNET>>>>;
template <typename SUBNET>
using alevel4 = ares<32, ares<32, ares<32, SUBNET>>>;
using ResNet = loss_metric<fc_no_bias<
    128, avg_pool_everything<alevel0<alevel1<alevel2<alevel3<alevel4<max_pool<
             3, 3, 2, 2, relu<affine<con<32, 7, 7, 2, 2, input_rgb_image_sized<150>>>>>>>>>>>>>;

template <long N, typename SUBNET>
using con5d = con<N, 5, 5, 2, 2, SUBNET>;
template <long N, typename SUBNET>
using con5 = con<N, 5, 5, 1, 1, SUBNET>;
template <typename SUBNET>
using downsampler =
    relu<affine<con5d<32, relu<affine<con5d<32, relu<affine<con5d<16, SUBNET>>>>>>>>>;
template <typename SUBNET>
using rcon5 = relu<affine<con5<45, SUBNET>>>;
using Mmod = loss_mmod<
    con<1, 9, 9, 1, 1, rcon5<rcon5<rcon5<downsampler<input_rgb_image_pyramid<pyramid_down<6>>>>>>>>;
}  // namespace oracle

std::filesystem::path source(const std::string& name) {
  return std::filesystem::path(SOSIA_TEST_MODELS_DIR) / "sources" / name;
}

#define SOSIA_NEED_SOURCE(name) \
  if (!std::filesystem::exists(source(name))) GTEST_SKIP() << name << " is not here: make setup"

/// Smooth shapes with noise on them: both what the first layers look for and what they do not.
image::Image picture(int width, int height, std::uint32_t seed) {
  image::Image out(width, height, 3);
  const std::vector<float> grain = noise(static_cast<std::size_t>(width * height * 3), seed);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave = std::sin(x * (0.03 + 0.02 * seed)) * std::cos(y * 0.05 + c);
        const double value =
            128 + 90 * wave + 30 * grain[static_cast<std::size_t>((y * width + x) * 3 + c)];
        out.pixel(x, y)[c] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return out;
}

dlib::matrix<dlib::rgb_pixel> to_dlib(const image::Image& picture) {
  dlib::matrix<dlib::rgb_pixel> out(picture.height_px(), picture.width_px());
  for (int y = 0; y < picture.height_px(); ++y) {
    for (int x = 0; x < picture.width_px(); ++x) {
      const std::uint8_t* p = picture.pixel(x, y);
      out(y, x) = dlib::rgb_pixel(p[0], p[1], p[2]);
    }
  }
  return out;
}

TEST(DlibOracle, FaceResNet) {
  const ModelStore store = own_store();
  SOSIA_NEED_WEIGHTS(store, "dlib-resnet");
  SOSIA_NEED_SOURCE("dlib_face_recognition_resnet_model_v1.dat");
  oracle::ResNet net;
  dlib::deserialize(source("dlib_face_recognition_resnet_model_v1.dat").string()) >> net;
  const ModelCard& card = store.at("dlib-resnet");
  const Network network = Network::open(card, store);
  double worst = 0, longest = 0;
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    const image::Image face = picture(150, 150, seed);
    const dlib::matrix<float, 0, 1> wanted = net(to_dlib(face));
    const std::vector<float> have = network.run(image_tensor(card.input, face))[0].values;
    ASSERT_EQ(have.size(), 128u);
    ASSERT_EQ(wanted.size(), 128);
    for (long i = 0; i < 128; ++i) {
      worst = std::max(
          worst, std::abs(static_cast<double>(have[static_cast<std::size_t>(i)]) - wanted(i)));
    }
    longest = std::max(longest, static_cast<double>(dlib::length(wanted)));
  }
  EXPECT_LT(worst, 1e-4) << worst;
  EXPECT_GT(longest, 0.5);  // not zeros beside zeros
  RecordProperty("worst_difference_1e_9", static_cast<int>(worst * 1e9));
}

TEST(DlibOracle, MmodScores) {
  const ModelStore store = own_store();
  SOSIA_NEED_WEIGHTS(store, "dlib-mmod");
  SOSIA_NEED_SOURCE("mmod_human_face_detector.dat");
  oracle::Mmod net;
  dlib::deserialize(source("mmod_human_face_detector.dat").string()) >> net;
  const ModelCard& card = store.at("dlib-mmod");
  const Network network = Network::open(card, store);
  for (const auto& [width, height] : {std::pair{200, 160}, {161, 127}, {90, 333}}) {
    const Tensor input = image_tensor(card.input, picture(width, height, 2));
    dlib::resizable_tensor x(1, 3, height, width);
    std::copy(input.values.begin(), input.values.end(), x.host());
    const dlib::tensor& wanted = net.subnet().forward(x);
    const Tensor have = network.run(input)[0];
    EXPECT_EQ(have.shape, (std::vector<std::int64_t>{1, 1, wanted.nr(), wanted.nc()}));
    ASSERT_EQ(have.values.size(), wanted.size());
    double worst = 0, spread = 0;
    for (std::size_t i = 0; i < have.values.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(have.values[i]) - wanted.host()[i]));
      spread = std::max(spread, std::abs(static_cast<double>(wanted.host()[i]) - wanted.host()[0]));
    }
    RecordProperty(std::to_string(width) + "_worst_difference_1e_9", static_cast<int>(worst * 1e9));
    EXPECT_LT(worst, 1e-4) << width << " x " << height;
    EXPECT_GT(spread, 0.01) << "all scores are alike: the comparison shows nothing";
  }
}

#else

TEST(DlibOracle, FaceResNet) {
  GTEST_SKIP() << "libdlib-dev or libopenblas-dev is absent: make setup-dev installs them";
}

#endif

}  // namespace
}  // namespace sosia::models
