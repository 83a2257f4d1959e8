#include "gallery/enrolled.hpp"

#include "sosia/core/rng.hpp"

#include <algorithm>
#include <unordered_map>

namespace sosia::gallery {
namespace {

// A number in [0, 1) that depends on seed and name only, not on the order of enrolment.
double draw(std::uint64_t seed, const StoredTemplate& t) {
  return RandomStream(seed, "subjects " + t.tenant + '\n' + t.label).uniform();
}

}  // namespace

Enrolled load_enrolled(Gallery& gallery, const Filter& filter, std::size_t most, RunContext& run) {
  const GalleryInfo info = gallery.info();
  const double share = most == 0 || info.templates <= most
                           ? 1.0
                           : static_cast<double>(most) / static_cast<double>(info.templates);
  Enrolled out;
  out.dimension = info.dimension;
  const auto expected = static_cast<std::size_t>(share * static_cast<double>(info.templates));
  out.vectors.reserve(expected * info.dimension);
  std::unordered_map<std::string, std::uint32_t> numbers;
  constexpr std::uint32_t kLeftOut = ~std::uint32_t{0};
  std::uint64_t seen = 0;
  std::string key;
  gallery.scan(
      filter,
      [&](const StoredTemplate& t) {
        if (++seen % 1024 == 0) run.progress("reading templates", seen, info.templates);
        key.assign(t.tenant).push_back('\n');
        key += t.label;
        const auto [place, fresh] = numbers.try_emplace(key, kLeftOut);
        if (fresh && (share >= 1 || draw(run.seed(), t) < share)) {
          place->second = static_cast<std::uint32_t>(out.names.size());
          out.names.push_back({t.label, t.tenant});
        }
        if (place->second == kLeftOut) return true;
        out.ids.push_back(t.id);
        out.subjects.push_back(place->second);
        out.vectors.insert(out.vectors.end(), t.vector.begin(), t.vector.end());
        return true;
      },
      run);
  return out;
}

BySubject by_subject(const Enrolled& enrolled) {
  const std::size_t d = enrolled.dimension;
  BySubject out;
  out.first.assign(enrolled.names.size() + 1, 0);
  for (std::uint32_t s : enrolled.subjects) ++out.first[s + 1];
  for (std::size_t s = 1; s < out.first.size(); ++s) out.first[s] += out.first[s - 1];
  std::vector<std::size_t> next(out.first.begin(), out.first.end() - 1);
  out.vectors.resize(enrolled.size() * d);
  for (std::size_t i = 0; i < enrolled.size(); ++i) {
    const std::size_t row = next[enrolled.subjects[i]]++;
    std::copy_n(enrolled.vectors.data() + i * d, d, out.vectors.data() + row * d);
  }
  return out;
}

}  // namespace sosia::gallery
