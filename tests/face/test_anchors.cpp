// SCRFD and YuNet: layouts by shape, decoding of hand-made numbers.

#include "errors.hpp"
#include "face/anchors.hpp"
#include "face/mtcnn.hpp"
#include "face/support.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

std::vector<models::Port> ports(std::initializer_list<std::int64_t> last) {
  std::vector<models::Port> out;
  for (const std::int64_t n : last)
    out.push_back({"o" + std::to_string(out.size()), {1, -1, n}, "f32"});
  return out;
}

TEST(ScrfdLayout, ByShapeNotByName) {
  const AnchorLayout nine = scrfd_layout(ports({1, 1, 1, 4, 4, 4, 10, 10, 10}));
  EXPECT_TRUE(nine.has_points);
  ASSERT_EQ(nine.strides.size(), 3u);
  EXPECT_EQ(nine.strides[2].stride, 32);
  EXPECT_EQ(nine.strides[2].anchors, 2);
  EXPECT_EQ(nine.strides[1].points, 7u);
  // Another order of outputs (some exports go stride by stride).
  EXPECT_EQ(scrfd_layout(ports({1, 4, 10, 1, 4, 10, 1, 4, 10})).strides[1].boxes, 4u);
  EXPECT_FALSE(scrfd_layout(ports({1, 1, 1, 4, 4, 4})).has_points);
  EXPECT_EQ(scrfd_layout(ports({1, 1, 1, 1, 1, 4, 4, 4, 4, 4})).strides[4].stride, 128);
  EXPECT_EQ(scrfd_layout(ports({1, 1, 1, 1, 1, 4, 4, 4, 4, 4})).strides[4].anchors, 1);
  for (const auto& bad : {ports({1, 4}), ports({1, 1, 1, 4, 4}), ports({1, 1, 1, 4, 4, 4, 10}),
                          ports({2, 2, 2, 4, 4, 4}), ports({})}) {
    EXPECT_EQ(code_of([&] { scrfd_layout(bad); }), ErrorCode::unsupported);
  }
}

TEST(YunetLayout, ByNameElseByOrder) {
  std::vector<models::Port> named;
  for (const char* part : {"kps_", "bbox_", "cls_", "obj_"}) {  // any order
    for (const int stride : {32, 8, 16}) {
      const std::int64_t n = part[0] == 'k' ? 10 : part[0] == 'b' ? 4 : 1;
      named.push_back({part + std::to_string(stride), {1, -1, n}, "f32"});
    }
  }
  const AnchorLayout layout = yunet_layout(named);
  EXPECT_EQ(layout.strides[0].scores, 7u);
  EXPECT_EQ(layout.strides[2].points, 0u);
  const AnchorLayout plain = yunet_layout(ports({1, 1, 1, 1, 1, 1, 4, 4, 4, 10, 10, 10}));
  EXPECT_EQ(plain.strides[1].objectness, 4u);
  EXPECT_EQ(plain.strides[1].boxes, 7u);
  EXPECT_EQ(code_of([&] { yunet_layout(ports({1, 4, 10})); }), ErrorCode::unsupported);
}

models::Tensor zeros(std::int64_t rows, std::int64_t each) {
  return {{1, rows, each}, std::vector<float>(static_cast<std::size_t>(rows * each))};
}

// Input 64 x 32: 8 x 4 cells at stride 8, 4 x 2 at 16, 2 x 1 at 32.
TEST(Decode, ScrfdAnchorByHand) {
  const AnchorLayout layout = scrfd_layout(ports({1, 1, 1, 4, 4, 4, 10, 10, 10}));
  std::vector<models::Tensor> out;
  for (const int each : {1, 4, 10}) {
    for (const int cells : {32, 8, 2}) out.push_back(zeros(2 * cells, each));
  }
  // Stride 16, cell (2, 1), second anchor: row (1 * 4 + 2) * 2 + 1.
  const std::size_t row = 13;
  out[1].values[row] = 0.75F;
  const float sides[4] = {1, 0.5F, 2, 1.5F};
  std::copy_n(sides, 4, out[4].values.begin() + 4 * row);
  out[7].values[10 * row + 4] = -0.25F;  // x of the nose
  const auto faces = decode_anchors(layout, out, {64, 32}, 0.5);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_DOUBLE_EQ(faces[0].score, 0.75);
  EXPECT_EQ(faces[0].box, (image::Box{16, 8, 48, 32}));
  EXPECT_EQ(faces[0].landmarks[2], (image::Point{28, 16}));
  EXPECT_EQ(faces[0].landmarks[0], (image::Point{32, 16}));
  out[1].values.pop_back();
  EXPECT_EQ(code_of([&] { decode_anchors(layout, out, {64, 32}, 0.5); }), ErrorCode::corrupt_data);
}

TEST(Decode, YunetCellByHand) {
  const AnchorLayout layout = yunet_layout(ports({1, 1, 1, 1, 1, 1, 4, 4, 4, 10, 10, 10}));
  std::vector<models::Tensor> out;
  for (const int each : {1, 1, 4, 10}) {
    for (const int cells : {32, 8, 2}) out.push_back(zeros(cells, each));
  }
  // Stride 8, cell (3, 2): row 19. Score sqrt(0.81 * 1.2 cut to 1).
  out[0].values[19] = 0.81F, out[3].values[19] = 1.2F;
  const float box[4] = {0.5F, -0.5F, std::log(2.0F), std::log(3.0F)};
  std::copy_n(box, 4, out[6].values.begin() + 4 * 19);
  out[9].values[10 * 19 + 9] = 2;  // y of the right corner of the mouth
  const auto faces = decode_anchors(layout, out, {64, 32}, 0.5);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_NEAR(faces[0].score, 0.9, 1e-6);
  EXPECT_NEAR(faces[0].box.x_px, 20, 1e-5);  // centre 28, width 16
  EXPECT_NEAR(faces[0].box.y_px, 0, 1e-5);   // centre 12, height 24
  EXPECT_NEAR(faces[0].box.height_px, 24, 1e-5);
  EXPECT_EQ(faces[0].landmarks[4], (image::Point{24, 32}));
}

TEST(Mtcnn, PyramidEndsWhereTheWholePictureIsOneWindow) {
  const auto scales = mtcnn_scales({640, 480}, 24, 2);
  EXPECT_DOUBLE_EQ(scales.front(), 0.5);
  EXPECT_GE(480 * scales.back(), 12);
  EXPECT_LT(480 * scales.back() * 0.709, 12);
  EXPECT_DOUBLE_EQ(mtcnn_scales({100, 100}, 8, 1.2).front(), 1.2);
  EXPECT_TRUE(mtcnn_scales({10, 10}, 20, 2).empty());
}

TEST(Mtcnn, ProposalOfOneCell) {
  std::vector<float> scores(2 * 3 * 4), boxes(4 * 3 * 4);
  scores[12 + 4 + 2] = 0.9F;   // cell (2, 1)
  scores[12 + 8 + 1] = 0.95F;  // cell (1, 2), in the padding
  boxes[4 + 2] = 0.5F, boxes[36 + 4 + 2] = -1;
  const ProposalMap map{scores, boxes, 3, 4, 2, 4};
  const auto found = mtcnn_proposals(map, 0.5, 0.25, 0.6);
  ASSERT_EQ(found.size(), 1u);
  // The window starts at (2 * 2 + 1, 2 * 1 + 1) and has sides of 11.
  EXPECT_DOUBLE_EQ(found[0].x1, (5 + 5.5) / 0.5);
  EXPECT_DOUBLE_EQ(found[0].y1, 3 / 0.25);
  EXPECT_DOUBLE_EQ(found[0].x2, 16 / 0.5);
  EXPECT_DOUBLE_EQ(found[0].y2, 3 / 0.25);
}

}  // namespace
}  // namespace sosia::face
