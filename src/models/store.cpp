#include "sosia/models/store.hpp"

#include "models/built_in.hpp"
#include "sosia/core/catalogue.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

/// The user's folder, or "" when the environment does not say where it is.
fs::path find_user_folder() {
  if (const char* own = std::getenv("SOSIA_MODELS"); own != nullptr && *own != '\0') return own;
  const fs::path data = user_folder("XDG_DATA_HOME", ".local/share");
  return data.empty() ? data : data / "sosia" / "models";
}

/// share/sosia/models of the prefix that the libraries lie in.
fs::path installed_folder() {
  return (Catalogue::module_folder() / ".." / ".." / "share" / "sosia" / "models")
      .lexically_normal();
}

/// Cards of a folder by file name; what cannot be read goes to `broken`.
void read_folder(const fs::path& folder, std::vector<ModelCard>& cards,
                 std::vector<BrokenCard>& broken) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".toml") files.push_back(it->path());
  }
  if (error) broken.push_back({folder, error.message()});
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    try {
      cards.push_back(read_card(file));
    } catch (const Error& problem) {
      std::string reason = problem.message();
      if (!problem.hint().empty()) reason += "; " + problem.hint();
      broken.push_back({file, reason});
    }
  }
}

bool by_name(const ModelCard& a, const ModelCard& b) {
  return a.name < b.name;
}

}  // namespace

std::string_view to_string(WeightState value) {
  switch (value) {
    case WeightState::present:
      return "present";
    case WeightState::missing:
      return "missing";
    case WeightState::wrong_hash:
      return "wrong_hash";
    case WeightState::none:
      return "none";
  }
  return "";
}

fs::path user_model_folder() {
  fs::path folder = find_user_folder();
  if (folder.empty()) {
    throw Error(ErrorCode::not_found, "there is no folder for your models: HOME is not set",
                "set SOSIA_MODELS to a folder");
  }
  return folder;
}

std::vector<ModelCard> built_in_cards() {
  std::vector<ModelCard> cards;
  for (const BuiltInCard& text : built_in_texts()) {
    cards.push_back(parse_card(text.toml, fmt::format("built in: {}", text.file)));
    cards.back().source = "built in";
  }
  std::sort(cards.begin(), cards.end(), by_name);
  return cards;
}

ModelStore::ModelStore(const StoreOptions& options) {
  for (const fs::path& folder : options.folders) {
    if (!fs::is_directory(folder)) {
      throw Error(ErrorCode::not_found,
                  fmt::format("there is no folder of models {}", quote(folder.string())));
    }
    folders_.push_back(folder);
    read_folder(folder, cards_, broken_);
  }
  if (const fs::path user = find_user_folder(); options.user && !user.empty()) {
    folders_.push_back(user);
    if (fs::is_directory(user)) read_folder(user, cards_, broken_);
  }
  if (options.built_in) {
    folders_.emplace_back(SOSIA_MODELS_DIR);
    folders_.push_back(installed_folder());
    for (ModelCard& card : built_in_cards()) cards_.push_back(std::move(card));
  }
  // Of one name the first stays: stable_sort keeps the order of the folders.
  std::stable_sort(cards_.begin(), cards_.end(), by_name);
  cards_.erase(std::unique(cards_.begin(), cards_.end(),
                           [](const auto& a, const auto& b) { return a.name == b.name; }),
               cards_.end());
}

const ModelCard* ModelStore::find(std::string_view name) const noexcept {
  for (const ModelCard& card : cards_) {
    if (card.name == name) return &card;
  }
  return nullptr;
}

std::string ModelStore::resolve(const std::string& word) {
  const fs::path path(word);
  const std::string extension = path.extension().string();
  const bool weights = extension == ".safetensors" || extension == ".onnx";
  if (find(word) != nullptr || (word.find('/') == word.npos && !weights && extension != ".toml")) {
    return word;
  }
  const fs::path file = weights ? fs::path(path).replace_extension(".toml") : path;
  if (!fs::exists(path)) {
    throw Error(ErrorCode::not_found, fmt::format("there is no file {}", quote(word)),
                "give the name of a card (`sosia models list`) or the path of a model");
  }
  if (!fs::exists(file)) {
    throw Error(ErrorCode::not_found,
                fmt::format("{} has no card {} beside it", quote(word), quote(file.string())),
                "`sosia models add FILE` makes one");
  }
  ModelCard card = read_card(file);
  std::string name = card.name;
  folders_.insert(folders_.begin(), file.parent_path().empty() ? "." : file.parent_path());
  std::erase_if(cards_, [&](const ModelCard& other) { return other.name == name; });
  cards_.insert(std::upper_bound(cards_.begin(), cards_.end(), card, by_name), std::move(card));
  return name;
}

const ModelCard& ModelStore::at(std::string_view name) const {
  if (const ModelCard* card = find(name)) return *card;
  std::vector<std::string> names;
  for (const ModelCard& card : cards_) names.push_back(card.name);
  std::string hint = did_you_mean(name, names);
  for (const BrokenCard& card : broken_) {
    if (card.path.stem() == name) {
      hint = fmt::format("{} cannot be read: {}", card.path.string(), card.reason);
    }
  }
  throw Error(ErrorCode::not_found, fmt::format("there is no model card {}", quote(name)),
              hint.empty() ? "`sosia models list` shows all" : hint);
}

const ModelCard* ModelStore::find_by_hash(std::string_view sha256) const noexcept {
  for (const ModelCard& card : cards_) {
    if (card.kind == CardKind::model && card.sha256 == sha256) return &card;
  }
  return nullptr;
}

std::optional<fs::path> ModelStore::find_weights(const ModelCard& card) const {
  if (card.kind != CardKind::model) return std::nullopt;
  std::vector<fs::path> candidates;
  for (const fs::path& folder : folders_) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / card.file, ignored)) candidates.push_back(folder / card.file);
  }
  if (candidates.empty()) return std::nullopt;
  // Different networks go by one file name; the hash tells which is meant.
  if (candidates.size() > 1) {
    for (const fs::path& file : candidates) {
      if (sha256_file(file) == card.sha256) return file;
    }
  }
  return candidates.front();
}

fs::path ModelStore::weights(const ModelCard& card) const {
  if (card.kind != CardKind::model) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is a {}, which has no file", card.name, to_string(card.kind)));
  }
  if (const auto file = find_weights(card)) return *file;
  std::vector<std::string> searched;
  for (const fs::path& folder : folders_) searched.push_back(folder.string());
  const bool set_up = card.source == "built in" && card.graph != Graph::onnx;
  throw Error(ErrorCode::not_found,
              fmt::format("the file {} of model {} is in none of {}", quote(card.file), card.name,
                          enumerate(searched, "or")),
              set_up ? std::string("`make setup` makes it")
                     : fmt::format("put it into one of these folders; it comes from {}",
                                   card.provenance.origin));
}

WeightState ModelStore::state(const ModelCard& card, bool check_hash) const {
  if (card.kind != CardKind::model) return WeightState::none;
  const auto file = find_weights(card);
  if (!file) return WeightState::missing;
  if (check_hash && sha256_file(*file) != card.sha256) return WeightState::wrong_hash;
  return WeightState::present;
}

}  // namespace sosia::models
