#include "nn/loss.hpp"

namespace sosia::nn {

namespace {

constexpr double kLeastSquare = 1e-12;  // a distance of 0 would have no gradient

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.norm(2, 1, true).clamp_min(1e-12);
}

// [n, n]: whether two rows have one label.
at::Tensor same_label(const at::Tensor& labels) {
  return labels.unsqueeze(1) == labels.unsqueeze(0);
}

at::Tensor not_self(const at::Tensor& labels) {
  return at::eye(labels.size(0), labels.options().dtype(at::kBool)).logical_not();
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing,
                         Smoothing variant) {
  if (variant == Smoothing::over_all) {
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, smoothing);
  }
  const at::Tensor logs = at::log_softmax(logits, 1);
  const at::Tensor own = logs.gather(1, labels.unsqueeze(1)).squeeze(1);
  const auto others = static_cast<double>(logits.size(1) - 1);
  return -((1 - smoothing) * own + smoothing / others * (logs.sum(1) - own)).mean();
}

at::Tensor triplet_batch_hard(const at::Tensor& embeddings, const at::Tensor& labels,
                              double margin) {
  const at::Tensor squares = embeddings.square().sum(1);
  const at::Tensor distances =
      (squares.unsqueeze(1) + squares.unsqueeze(0) - 2 * at::mm(embeddings, embeddings.t()))
          .clamp_min(kLeastSquare)
          .sqrt();
  const at::Tensor same = same_label(labels);
  const at::Tensor positives = same & not_self(labels);
  const at::Tensor farthest = distances.masked_fill(positives.logical_not(), -1).amax(1);
  const at::Tensor nearest =
      distances.masked_fill(same, std::numeric_limits<float>::infinity()).amin(1);
  const at::Tensor valid = positives.any(1) & same.logical_not().any(1);
  const at::Tensor difference = (farthest - nearest).masked_select(valid);
  if (difference.numel() == 0) return embeddings.sum() * 0;
  return (margin > 0 ? at::relu(difference + margin) : at::softplus(difference)).mean();
}

at::Tensor centre_loss(const at::Tensor& embeddings, const at::Tensor& labels,
                       const at::Tensor& centres) {
  const at::Tensor own = centres.index_select(0, labels);
  return (embeddings - own).square().sum(1).clamp(1e-12, 1e12).mean();
}

at::Tensor supervised_contrastive(const at::Tensor& embeddings, const at::Tensor& labels,
                                  double temperature) {
  const at::Tensor z = unit_rows(embeddings);
  const at::Tensor others = not_self(labels);
  const at::Tensor scores = at::mm(z, z.t()) / temperature;
  const at::Tensor logs =
      scores - scores.masked_fill(others.logical_not(), -std::numeric_limits<float>::infinity())
                   .logsumexp({1}, true);
  const at::Tensor positives = (same_label(labels) & others).to(z.scalar_type());
  const at::Tensor count = positives.sum(1);
  const at::Tensor valid = count > 0;
  const at::Tensor loss = -(logs * positives).sum(1) / count.clamp_min(1);
  const at::Tensor kept = loss.masked_select(valid);
  return kept.numel() == 0 ? embeddings.sum() * 0 : kept.mean();
}

at::Tensor info_nce(const at::Tensor& a, const at::Tensor& b, double temperature) {
  const at::Tensor scores = at::mm(unit_rows(a), unit_rows(b).t()) / temperature;
  const at::Tensor labels = at::arange(a.size(0), a.options().dtype(at::kLong));
  return (cross_entropy(scores, labels) + cross_entropy(scores.t(), labels)) / 2;
}

BarlowLoss barlow_loss(const at::Tensor& view1, const at::Tensor& view2,
                       const BarlowOptions& options, const AllReduce& sum) {
  const std::int64_t dimension = view1.size(1);
  // The published code's last layer is BatchNorm1d without affine: the biased variance plus 1e-5.
  // With several processes its statistics are those of all (SyncBN).
  BatchNorm norm(dimension, 1e-5, false);
  if (sum) norm->synchronise(sum);
  const at::Tensor count =
      all_reduced(at::full({1}, static_cast<double>(view1.size(0)), view1.options()), sum);
  const at::Tensor z1 = norm(view1), z2 = norm(view2);
  const at::Tensor c = all_reduced(at::mm(z1.t(), z2), sum) / count;
  const at::Tensor diagonal = c.diagonal();
  const at::Tensor invariance = (1 - diagonal).square().sum();
  const at::Tensor redundancy = options.lambda * (c.square().sum() - diagonal.square().sum());
  BarlowLoss out;
  out.invariance = invariance.item<double>();
  out.redundancy = redundancy.item<double>();
  out.loss = at::zeros({}, view1.options());
  if (options.invariance) out.loss = out.loss + invariance;
  if (options.redundancy) out.loss = out.loss + redundancy;
  return out;
}

double barlow_noise_floor(std::int64_t batch, std::int64_t dimension, double lambda) {
  return lambda * static_cast<double>(dimension) * static_cast<double>(dimension - 1) /
         static_cast<double>(batch);
}

}  // namespace sosia::nn
