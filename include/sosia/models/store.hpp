#pragma once
// Where cards and weights are found.

#include "sosia/models/card.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::models {

struct StoreOptions {
  /// Searched first, for cards (*.toml) and weights, in this order.
  std::vector<std::filesystem::path> folders = {};
  /// Whether the user's folder ($SOSIA_MODELS, else $XDG_DATA_HOME/sosia/models) is searched.
  bool user = true;
  /// Whether the cards that come with sosia are there, and the folder where set-up puts weights.
  bool built_in = true;
};

/// A card that could not be read.
struct BrokenCard {
  std::filesystem::path path = {};
  std::string reason = {};
};

enum class WeightState : std::uint8_t { present, missing, wrong_hash, none };

/// All cards that are at hand. A card of an earlier folder hides one of the same name in a later
/// one; built-in cards come last. A card that cannot be read is listed in `broken()`; the rest goes
/// on. Files are read at construction, weights when they are asked for.
///
/// Thread-safety: const members may be called from any thread.
class ModelStore {
 public:
  /// Throws not_found for a folder of `options.folders` that does not exist.
  explicit ModelStore(const StoreOptions& options = {});

  /// Sorted by name.
  const std::vector<ModelCard>& cards() const noexcept { return cards_; }
  const std::vector<BrokenCard>& broken() const noexcept { return broken_; }
  /// nullptr when there is no such card.
  const ModelCard* find(std::string_view name) const noexcept;
  /// Throws not_found with the nearest names.
  const ModelCard& at(std::string_view name) const;
  /// The card of a `model` by the SHA-256 of its file; nullptr when there is none.
  const ModelCard* find_by_hash(std::string_view sha256) const noexcept;

  /// The card's name that a person's word means. That is the word itself, unless it is a path: of a
  /// card
  /// (*.toml), or of a file of weights with a card of the same stem beside it (model.safetensors,
  /// model.toml). Such a card joins the store and hides one of its name. Throws not_found, and as
  /// `read_card`.
  std::string resolve(const std::string& word);

  /// Folders that weights are looked for in, in order; some may not exist.
  const std::vector<std::filesystem::path>& folders() const noexcept { return folders_; }
  /// The file of a model. Nothing when it is in no folder.
  std::optional<std::filesystem::path> find_weights(const ModelCard& card) const;
  /// The same; throws not_found with the folders that were searched and what brings the file.
  std::filesystem::path weights(const ModelCard& card) const;
  /// Whether the file is there and has the card's hash (read in full when `check_hash`).
  WeightState state(const ModelCard& card, bool check_hash) const;

 private:
  std::vector<ModelCard> cards_;
  std::vector<BrokenCard> broken_;
  std::vector<std::filesystem::path> folders_;
};

std::string_view to_string(WeightState value);

/// The folder that `models add` writes to: $SOSIA_MODELS, else $XDG_DATA_HOME/sosia/models, else
/// ~/.local/share/sosia/models. Throws not_found when none is known.
std::filesystem::path user_model_folder();

/// The cards that come with sosia.
std::vector<ModelCard> built_in_cards();

}  // namespace sosia::models
