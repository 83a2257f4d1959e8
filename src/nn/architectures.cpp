// The table of architectures.

#include "nn/iresnet.hpp"
#include "nn/mobilefacenet.hpp"
#include "nn/network.hpp"
#include "nn/osnet.hpp"
#include "nn/resnet.hpp"
#include "nn/small_cnn.hpp"
#include "nn/vit.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <functional>

namespace sosia::nn {

namespace {

using Maker = std::function<std::shared_ptr<Network>(const NetworkSpec&, at::Generator&)>;

struct Row {
  ArchitectureInfo info;
  Maker make;
};

Maker resnet(std::vector<std::int64_t> blocks, bool bottleneck, Ibn ibn = Ibn::none) {
  return [options = ResNetOptions{std::move(blocks), bottleneck, ibn}](const NetworkSpec& spec,
                                                                       at::Generator& generator) {
    return make_resnet(options, spec, generator);
  };
}

Maker iresnet(std::vector<std::int64_t> blocks, bool squeeze_excite = false) {
  return [blocks = std::move(blocks), squeeze_excite](const NetworkSpec& spec,
                                                      at::Generator& generator) {
    return make_iresnet(blocks, squeeze_excite, spec, generator);
  };
}

Maker mobilefacenet(std::vector<std::int64_t> blocks, std::int64_t scale) {
  return [blocks = std::move(blocks), scale](const NetworkSpec& spec, at::Generator& generator) {
    return make_mobilefacenet(blocks, scale, spec, generator);
  };
}

Maker osnet(double width) {
  return [width](const NetworkSpec& spec, at::Generator& generator) {
    return make_osnet(width, spec, generator);
  };
}

Maker vit(VitOptions options) {
  return [options](const NetworkSpec& spec, at::Generator& generator) {
    return make_vit(options, spec, generator);
  };
}

std::vector<Row> rows() {
  const std::string he = "He et al., CVPR 2016; names of torchvision";
  const std::string pan = "Pan et al., ECCV 2018; names of XingangPan/IBN-Net";
  const std::string deng = "Deng et al., CVPR 2019; names of InsightFace";
  const std::string chen = "Chen et al., CCBR 2018; names of InsightFace";
  const std::string zhou = "Zhou et al., ICCV 2019; names of torchreid";
  const std::string dosovitskiy = "Dosovitskiy et al., ICLR 2021; names of timm";
  return {
      {{"resnet18", he}, resnet({2, 2, 2, 2}, false)},
      {{"resnet34", he}, resnet({3, 4, 6, 3}, false)},
      {{"resnet50", he}, resnet({3, 4, 6, 3}, true)},
      {{"resnet18_ibn_a", pan}, resnet({2, 2, 2, 2}, false, Ibn::a)},
      {{"resnet34_ibn_a", pan}, resnet({3, 4, 6, 3}, false, Ibn::a)},
      {{"resnet50_ibn_a", pan}, resnet({3, 4, 6, 3}, true, Ibn::a)},
      {{"resnet50_ibn_b", pan}, resnet({3, 4, 6, 3}, true, Ibn::b)},
      {{"iresnet18", deng}, iresnet({2, 2, 2, 2})},
      {{"iresnet34", deng}, iresnet({3, 4, 6, 3})},
      {{"iresnet50", deng}, iresnet({3, 4, 14, 3})},
      {{"iresnet100", deng}, iresnet({3, 13, 30, 3})},
      {{"iresnet50_se", deng}, iresnet({3, 4, 14, 3}, true)},
      {{"mobilefacenet", chen}, mobilefacenet({1, 4, 6, 2}, 2)},
      {{"mobilefacenet_large", chen}, mobilefacenet({2, 8, 12, 4}, 4)},
      {{"osnet_x1_0", zhou}, osnet(1)},
      {{"osnet_x0_75", zhou}, osnet(0.75)},
      {{"osnet_x0_5", zhou}, osnet(0.5)},
      {{"osnet_x0_25", zhou}, osnet(0.25)},
      {{"vit_tiny", dosovitskiy}, vit({192, 12, 3})},
      {{"vit_small", dosovitskiy}, vit({384, 12, 6})},
      {{"vit_base", dosovitskiy}, vit({768, 12, 12})},
      {{"small_cnn", "of our own making"},
       [](const NetworkSpec& spec, at::Generator& generator) {
         return make_small_cnn(spec, generator);
       }},
  };
}

}  // namespace

void describe(Fields& f, NetworkSpec& o) {
  f({.name = "architecture", .help = "name of the network"}, o.architecture);
  f({.name = "channels", .help = "channels of a picture", .min = 1, .max = 16}, o.channels);
  f({.name = "height_px", .help = "height of a picture", .unit = "px", .min = 8, .max = 4096},
    o.height_px);
  f({.name = "width_px", .help = "width of a picture", .unit = "px", .min = 8, .max = 4096},
    o.width_px);
  f({.name = "dimension",
     .help = "numbers of an embedding; 0: the network's own",
     .min = 0,
     .max = 65536},
    o.dimension);
  f({.name = "pooling", .help = "how the last maps are pooled", .choices = {"avg", "max", "gem"}},
    o.pooling);
  f({.name = "dropout", .help = "share dropped in front of the last layer", .min = 0, .below = 1},
    o.dropout);
  f({.name = "last_stride_one", .help = "the last stage of a ResNet keeps its resolution"},
    o.last_stride_one);
  f({.name = "patch_px", .help = "side of a patch of a ViT", .unit = "px", .min = 2, .max = 64},
    o.patch_px);
  f({.name = "registers", .help = "register tokens of a ViT", .min = 0, .max = 64}, o.registers);
}

std::vector<ArchitectureInfo> architectures() {
  std::vector<ArchitectureInfo> out;
  for (const Row& row : rows()) out.push_back(row.info);
  return out;
}

std::shared_ptr<Network> make_network(const NetworkSpec& spec, at::Generator& generator) {
  std::vector<std::string> names;
  for (const Row& row : rows()) {
    if (row.info.name == spec.architecture) return row.make(spec, generator);
    names.push_back(row.info.name);
  }
  const std::string near = did_you_mean(spec.architecture, names);
  throw Error(ErrorCode::invalid_argument, "there is no architecture " + quote(spec.architecture),
              near.empty() ? "there are " + enumerate(names) : near);
}

}  // namespace sosia::nn
