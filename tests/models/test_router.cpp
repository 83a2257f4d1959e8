// The router's suggestions, for the shapes of face recognition's own files.

#include "models/support.hpp"

namespace sosia::models {
namespace {

using Shape = std::vector<std::int64_t>;

Port port(const std::string& name, Shape shape) {
  return {name, std::move(shape), "f32"};
}

Suggestion suggest(const std::vector<Port>& inputs, const std::vector<Port>& outputs,
                   const std::string& file) {
  return suggest_card(inputs, outputs, file, built_in_cards());
}

std::string convention(const Shape& input, const Shape& output, const std::string& file) {
  return suggest({port("input", input)}, {port("output", output)}, file).convention;
}

TEST(Router, Recognisers) {
  const Shape face{-1, 3, 112, 112};
  EXPECT_EQ(convention(face, {-1, 512}, "w600k_r50.onnx"), "convention-insightface");
  EXPECT_EQ(convention(face, {1, 512}, "adaface_ir101.onnx"), "convention-adaface");
  EXPECT_EQ(convention(face, {1, 512}, "AdaFace.onnx"), "convention-adaface");
  EXPECT_EQ(convention(face, {1, 128}, "face_recognition_sface_2021dec.onnx"), "convention-sface");
  EXPECT_EQ(convention(face, {1, 512}, "arcfaceresnet100-8.onnx"), "convention-arcface-zoo");
  EXPECT_EQ(convention(face, {-1, 128}, "mobilefacenet.onnx"), "convention-recogniser");
  EXPECT_EQ(convention({-1, 3, 160, 160}, {-1, 512}, "vggface2.onnx"), "convention-facenet");
}

TEST(Router, OtherRoles) {
  EXPECT_EQ(convention({1, 3, 192, 192}, {1, 212}, "2d106det.onnx"), "convention-2d106det");
  EXPECT_EQ(convention({1, 3, 192, 192}, {1, 3309}, "1k3d68.onnx"), "convention-1k3d68");
  EXPECT_EQ(convention({1, 3, 96, 96}, {1, 3}, "genderage.onnx"), "convention-genderage");
  EXPECT_EQ(convention({1, 3, 80, 80}, {1, 3}, "2.7_80x80_MiniFASNetV2.onnx"),
            "convention-minifasnet");
  EXPECT_EQ(convention({1, 3, 128, 128}, {1, 2}, "AntiSpoofing_bin_1.5_128.onnx"),
            "convention-hairymax");
  EXPECT_EQ(convention({-1, 3, 256, 128}, {-1, 512}, "osnet_x1_0.onnx"), "convention-osnet");
  EXPECT_EQ(suggest({port("target", {1, 3, 128, 128}), port("source", {1, 512})},
                    {port("output", {1, 3, 128, 128})}, "inswapper_128.onnx")
                .convention,
            "convention-inswapper");
}

TEST(Router, ANamedConventionIsTaken) {
  const std::vector<Port> in{port("data", {-1, 3, 112, 112})}, out{port("fc1", {-1, 256})};
  const Suggestion named =
      suggest_card(in, out, "My Net.onnx", built_in_cards(), "convention-adaface");
  EXPECT_EQ(named.convention, "convention-adaface");
  // The same care as with a convention that was found.
  EXPECT_EQ(named.card.name, "my-net");
  EXPECT_EQ(named.card.output.dimension, 256);
  EXPECT_EQ(named.card.provenance.licence, "not looked up");
  EXPECT_FALSE(named.card.threshold.has_value());
  expect_refused([&] { suggest_card(in, out, "n.onnx", built_in_cards(), "convention-none"); },
                 "convention-none", ErrorCode::not_found);
  expect_refused([&] { suggest_card(out, out, "n.onnx", built_in_cards(), named.convention); },
                 "no convention fits", ErrorCode::unsupported);
}

TEST(Router, Detectors) {
  std::vector<Port> nine;
  for (const std::int64_t last : {1, 1, 1, 4, 4, 4, 10, 10, 10}) {
    nine.push_back(port("out" + std::to_string(nine.size()), {1, -1, last}));
  }
  const Suggestion scrfd = suggest({port("input.1", {1, 3, -1, -1})}, nine, "det_10g.onnx");
  EXPECT_EQ(scrfd.convention, "convention-scrfd");
  EXPECT_EQ(scrfd.card.output.decoder, "scrfd");
  EXPECT_EQ(scrfd.card.input.name, "input.1");
  std::vector<Port> twelve;
  for (const char* name : {"cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8",
                           "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"}) {
    twelve.push_back(port(name, {1, -1, 1}));
  }
  EXPECT_EQ(suggest({port("input", {1, 3, 640, 640})}, twelve, "detector.onnx").convention,
            "convention-yunet");
}

TEST(Router, TheFileGoesBeforeTheConvention) {
  const Suggestion made =
      suggest({port("data", {1, 112, 112, 3})}, {port("emb", {1, 256})}, "My Own Model (2).onnx");
  EXPECT_EQ(made.card.name, "my-own-model--2-");
  EXPECT_EQ(made.card.input.layout, Layout::nhwc);
  EXPECT_EQ(made.card.input.name, "data");
  EXPECT_EQ(made.card.output.name, "emb");
  EXPECT_EQ(made.card.output.dimension, 256);
  EXPECT_EQ(made.card.kind, CardKind::model);
  EXPECT_FALSE(made.why.empty());
  EXPECT_FALSE(made.check.empty());
  EXPECT_FALSE(made.card.threshold.has_value());
  EXPECT_FALSE(made.card.provenance.commercial_use);
  const Suggestion three =
      suggest({port("input", {1, 3, 128, 128})}, {port("output", {1, 3})}, "a.onnx");
  EXPECT_EQ(three.card.output.classes, (std::vector<std::string>{"live", "print", "replay"}));
  EXPECT_EQ(suggest({port("i", {1, 3, 80, 80})}, {port("o", {1, 3})}, "4_0_0_80x80.onnx")
                .card.input.box_scale,
            4.0);
}

TEST(Router, NothingFits) {
  for (const auto& [input, output] : std::vector<std::pair<Shape, Shape>>{
           {{1, 3, 50, 60}, {1, 10}}, {{1, 3, 100, 100}, {1, 512}}, {{1, 7}, {1, 512}}, {{}, {}}}) {
    const Error error = error_of([&, in = input, out = output] { convention(in, out, "x.onnx"); });
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_TRUE(contains(error.message(), "input")) << error.message();
  }
  EXPECT_EQ(error_of([] { suggest({}, {}, ""); }).code(), ErrorCode::unsupported);
}

}  // namespace
}  // namespace sosia::models
