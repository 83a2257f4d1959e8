#pragma once
// In which order a set is seen: a pure function of set, seed and epoch.

#include "sosia/core/fields.hpp"
#include "sosia/data/dataset.hpp"

#include <cstdint>
#include <vector>

namespace sosia::data {

struct SamplerSpec {
  enum class Kind {
    shuffle,  ///< every item once
    ordered,  ///< every item once, in the set's order
    pk,       ///< batches of `subjects` subjects with `pictures` pictures each
  };
  Kind kind = Kind::shuffle;
  std::int64_t batch = 64;     ///< items of a batch; of pk the product of the next two
  std::int64_t subjects = 16;  ///< P
  std::int64_t pictures = 4;   ///< K
  /// pk: the other pictures of a subject come from other cameras than the first where there are any
  /// (fast-reid's balanced sampler).
  bool other_cameras = false;

  /// What every batch holds a fixed part of.
  enum class Balance {
    none,
    domain,  ///< pictures of every domain; of pk subjects of every domain
    camera,  ///< pictures of every camera; not for pk
  };
  Balance balance = Balance::none;
  /// Pictures (of pk: subjects) of each domain or camera in a batch, in order of their numbers; 0
  /// leaves one out. Empty: equal parts.
  std::vector<std::int64_t> parts = {};
};
void describe(Fields& f, SamplerSpec& o);

/// Items of a batch.
std::int64_t batch_size(const SamplerSpec& spec);

/// The items of one epoch; whole batches only. shuffle and ordered drop the rest of the last batch.
/// pk cuts the shuffled pictures of each subject into groups of K, filling up subjects of fewer by
/// drawing with replacement, and draws P subjects with groups left until there are fewer than P
/// (torchreid).
///
/// With a balance, an epoch has as many batches as there are without one and each domain or camera
/// is gone through over and over in an order of its own, anew when it has run out: small ones are
/// seen more often (fast-reid's sampler of weighted sets). A batch holds the parts one behind the
/// other. A subject with pictures in several domains counts once in each of them.
///
/// Throws invalid_argument when the set has fewer items than a batch, or fewer than P subjects; for
/// parts that do not make up a batch or that a domain or camera is too small for; for cameras that
/// are unknown.
std::vector<std::uint32_t> epoch_order(const Dataset& set, const SamplerSpec& spec,
                                       std::uint64_t seed, std::uint64_t epoch);

}  // namespace sosia::data
