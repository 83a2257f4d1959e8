#include "nn/margin.hpp"

#include <cmath>
#include <numbers>

namespace sosia::nn {

namespace {

constexpr double kEdge = 1e-7;  // of the cosine: arccos has no slope at 1

at::Tensor cosines(const at::Tensor& embeddings, const at::Tensor& weight) {
  const auto unit = [](const at::Tensor& rows) {
    return rows / rows.norm(2, 1, true).clamp_min(1e-12);
  };
  return at::mm(unit(embeddings), unit(weight).t());
}

// `changed` in place of each row's own class.
at::Tensor with_own(const at::Tensor& all, const at::Tensor& labels, const at::Tensor& changed) {
  return all.scatter(1, labels.unsqueeze(1), changed.unsqueeze(1));
}

at::Tensor own_of(const at::Tensor& all, const at::Tensor& labels) {
  return all.gather(1, labels.unsqueeze(1)).squeeze(1);
}

}  // namespace

MarginHeadImpl::MarginHeadImpl(std::int64_t dimension, std::int64_t classes,
                               const MarginOptions& options, at::Generator& generator)
    : options_(options) {
  weight = register_parameter("weight", at::empty({classes, dimension}));
  normal(weight, 0.01, generator);
}

at::Tensor MarginHeadImpl::forward(const at::Tensor& embeddings, const at::Tensor& labels) {
  const at::Tensor all = cosines(embeddings, weight);
  const at::Tensor own = own_of(all, labels).clamp(-1 + kEdge, 1 - kEdge);
  const at::Tensor angle = options_.m1 * own.acos() + options_.m2;
  // Beyond pi the cosine rises again; there ArcFace goes on linearly: cos(theta) - m2 sin(pi - m2).
  at::Tensor changed = angle.cos();
  if (options_.m1 == 1 && options_.m2 > 0) {
    const double slope = options_.m2 * std::sin(std::numbers::pi - options_.m2);
    changed = at::where(angle < std::numbers::pi, changed, own - slope);
  }
  return options_.s * with_own(all, labels, changed - options_.m3);
}

AdaFaceHeadImpl::AdaFaceHeadImpl(std::int64_t dimension, std::int64_t classes,
                                 const AdaFaceOptions& options, at::Generator& generator)
    : options_(options) {
  weight = register_parameter("weight", at::empty({classes, dimension}));
  normal(weight, 0.01, generator);
  batch_mean = register_buffer("batch_mean", at::full({1}, 20.0));
  batch_std = register_buffer("batch_std", at::full({1}, 100.0));
}

at::Tensor AdaFaceHeadImpl::forward(const at::Tensor& embeddings, const at::Tensor& labels) {
  const at::Tensor all = cosines(embeddings, weight).clamp(-1 + 1e-3, 1 - 1e-3);
  at::Tensor margin;
  {
    const torch::NoGradGuard no_grad;
    const at::Tensor lengths = embeddings.norm(2, 1).clamp(0.001, 100);
    if (is_training() && lengths.numel() > 1) {
      batch_mean.lerp_(lengths.mean(), options_.t_alpha);
      batch_std.lerp_(lengths.std(), options_.t_alpha);
    }
    margin = ((lengths - batch_mean) / (batch_std + 1e-3) * options_.h).clamp(-1, 1);
  }
  // g_angle = -m z, g_add = m + m z (section 3.3 of the paper).
  const at::Tensor theta = own_of(all, labels).acos();
  const at::Tensor changed =
      (theta - options_.m * margin).clamp(1e-3, std::numbers::pi - 1e-3).cos() -
      (options_.m + options_.m * margin);
  return options_.s * with_own(all, labels, changed);
}

}  // namespace sosia::nn
