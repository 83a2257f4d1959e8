#include "tensor/image.hpp"

#include "sosia/core/error.hpp"
#include "tensor/error.hpp"

namespace sosia::tensor {

namespace {

std::string size_text(image::ImageView view) {
  return std::to_string(view.width_px) + " x " + std::to_string(view.height_px) + " with " +
         std::to_string(view.channels) + " channels";
}

}  // namespace

at::Tensor from_images(std::span<const image::ImageView> images,
                       const image::PlanarOptions& options) {
  if (images.empty()) {
    throw Error(ErrorCode::invalid_argument, "there is no picture to make a batch of");
  }
  const image::ImageView first = images.front();
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (images[i].extent() != first.extent() || images[i].channels != first.channels) {
      throw Error(ErrorCode::invalid_argument,
                  "pictures of one batch differ: picture 0 is " + size_text(first) + ", picture " +
                      std::to_string(i) + " is " + size_text(images[i]));
    }
  }
  at::Tensor batch = at::empty(
      {static_cast<std::int64_t>(images.size()), first.channels, first.height_px, first.width_px});
  const std::size_t step = batch.numel() / images.size();
  for (std::size_t i = 0; i < images.size(); ++i) {
    image::to_planar(images[i], {batch.data_ptr<float>() + i * step, step}, options);
  }
  return batch;
}

std::vector<image::Image> to_images(const at::Tensor& tensor, const image::PlanarOptions& options) {
  const at::Tensor four = tensor.dim() == 3 ? tensor.unsqueeze(0) : tensor;
  if (four.dim() != 4 || (four.size(1) != 1 && four.size(1) != 3)) {
    throw Error(ErrorCode::invalid_argument,
                "a tensor of pictures is [n, 1 or 3, height, width], not " + describe(tensor));
  }
  const at::Tensor planes = four.detach().to(at::kCPU, at::kFloat).contiguous();
  const auto count = static_cast<std::size_t>(planes.size(0));
  const std::size_t step = count == 0 ? 0 : planes.numel() / count;
  const image::Extent extent{static_cast<int>(planes.size(3)), static_cast<int>(planes.size(2))};
  std::vector<image::Image> images;
  for (std::size_t i = 0; i < count; ++i) {
    images.push_back(image::from_planar({planes.const_data_ptr<float>() + i * step, step}, extent,
                                        static_cast<int>(planes.size(1)), options));
  }
  return images;
}

at::Tensor view_of(std::span<float> values, std::span<const std::int64_t> shape) {
  std::size_t wanted = 1;
  for (const std::int64_t side : shape) wanted *= static_cast<std::size_t>(side);
  if (wanted != values.size()) {
    throw Error(ErrorCode::invalid_argument, "a tensor of " + std::to_string(wanted) +
                                                 " elements cannot be a view of " +
                                                 std::to_string(values.size()) + " values");
  }
  return at::from_blob(values.data(), {shape.data(), shape.size()}, at::kFloat);
}

std::vector<float> to_vector(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* begin = flat.const_data_ptr<float>();
  return {begin, begin + flat.numel()};
}

}  // namespace sosia::tensor
