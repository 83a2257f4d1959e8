// The worst errors in the report of `sosia face evaluate`: pairs to look at.

#include "face/evaluate_report.hpp"
#include "face/picture_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/draw.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr int kChipPx = 128;

/// The comparisons of one label by score, the worst first: highest of impostors, lowest of genuine.
std::vector<std::size_t> worst_of(const Measured& m, std::uint8_t label, std::size_t most) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < m.pairs.size(); ++i) {
    const bool found = m.vectors.states[m.pairs.a[i]] == PhotoState::found &&
                       m.vectors.states[m.pairs.b[i]] == PhotoState::found;
    // A photo beside itself is no error of the recogniser.
    if (m.pairs.labels[i] == label && found && m.pairs.a[i] != m.pairs.b[i]) order.push_back(i);
  }
  const std::size_t count = std::min(most, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      const double x = m.pairs.scores[a], y = m.pairs.scores[b];
                      if (x != y) return label == 1 ? x < y : x > y;
                      return a < b;
                    });
  order.resize(count);
  return order;
}

/// Chips of photos, each cut once.
class Chips {
 public:
  Chips(const Measured& m, const FacePipeline& pipeline, const EmbedSetOptions& how)
      : m_(m), pipeline_(pipeline), how_(how) {}

  /// A grey plate where the photo is no longer what it was.
  const image::Image& of(std::uint32_t photo) {
    const auto [entry, added] = chips_.try_emplace(photo);
    if (!added) return entry->second;
    try {
      Analysis analysis = analyse_photo(pipeline_, m_.set, photo, how_);
      if (!analysis.faces.empty()) entry->second = std::move(analysis.faces.front().chip);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::internal) throw;
    }
    if (entry->second.empty()) {
      entry->second = image::Image(kChipPx, kChipPx, 3, image::Colour{128, 128, 128, 255});
    }
    return entry->second;
  }

 private:
  const Measured& m_;
  const FacePipeline& pipeline_;
  const EmbedSetOptions& how_;
  std::map<std::uint32_t, image::Image> chips_;
};

Picture picture_of(const Measured& m, std::size_t pair, Chips& chips) {
  const std::uint32_t a = m.pairs.a[pair], b = m.pairs.b[pair];
  const bool genuine = m.pairs.labels[pair] == 1;
  const image::Colour frame = genuine ? kGreen : kRed;
  const image::SheetCell cells[] = {{chips.of(a), "", frame}, {chips.of(b), "", frame}};
  const image::Image sheet = image::contact_sheet(
      cells, {.columns = 2, .cell_width_px = kChipPx, .cell_height_px = kChipPx, .gap_px = 4});
  return page_picture(sheet, fmt::format("{:.3f}: {} and {}", m.pairs.scores[pair],
                                         m.set.photos[a].name, m.set.photos[b].name));
}

}  // namespace

void add_worst(Report& report, const Measured& m, const EvaluateVerbOptions& o,
               const FacePipeline* pipeline, const EmbedSetOptions& how, RunContext& run) {
  if (o.worst == 0) return;
  struct Kind {
    std::uint8_t label;
    const char* key;
    const char* title;
  };
  std::optional<Chips> chips;  // a photo may be in both lists
  for (const Kind kind : {Kind{0, "worst_impostor", "Most similar pairs of different subjects"},
                          Kind{1, "worst_genuine", "Least similar pairs of one subject"}}) {
    const auto order = worst_of(m, kind.label, static_cast<std::size_t>(o.worst));
    Table& table = report.table(kind.key, kind.title,
                                {{"score", "", ""}, {"a", "photo", ""}, {"b", "photo", ""}});
    for (const std::size_t i : order) {
      table.add(
          {m.pairs.scores[i], m.set.photos[m.pairs.a[i]].name, m.set.photos[m.pairs.b[i]].name});
    }
    if (pipeline == nullptr || order.empty()) continue;
    if (!chips) chips.emplace(m, *pipeline, how);
    PictureRow row{.key = kind.key, .title = kind.title};
    for (std::size_t i = 0; i < order.size(); ++i) {
      run.progress("cutting out the worst errors", i, order.size());
      row.pictures.push_back(picture_of(m, order[i], *chips));
    }
    report.pictures(std::move(row));
  }
}

}  // namespace sosia::face
