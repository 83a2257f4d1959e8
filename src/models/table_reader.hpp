#pragma once
// Reads the tables of a card: every key is named once, what was not named is an error.

#include "sosia/core/value.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::models {

/// The spellings of an enumeration, in order.
template <class E>
using Spellings = std::vector<std::pair<std::string_view, E>>;

/// One table. Members keep their value where a key is absent. Every function throws corrupt_data
/// that names table and key.
class TableReader {
 public:
  /// `path` is "" for the top, "input" for [input].
  TableReader(const Value& table, std::string path);

  bool has(std::string_view key) const { return table_.find(key) != nullptr; }
  void text(std::string_view key, std::string& member);
  void required_text(std::string_view key, std::string& member);
  void flag(std::string_view key, bool& member);
  void integer(std::string_view key, std::int64_t& member, std::int64_t low, std::int64_t high);
  void number(std::string_view key, double& member, double low, double high);
  void texts(std::string_view key, std::vector<std::string>& member);
  void integers(std::string_view key, std::vector<std::int64_t>& member, std::int64_t low,
                std::int64_t high);
  /// One number for all three, or three.
  void triple(std::string_view key, std::array<double, 3>& member);
  /// The nested table, or nullptr.
  const Value* table(std::string_view key);

  template <class E>
  void choice(std::string_view key, E& member, const Spellings<E>& spellings) {
    std::string word;
    text(key, word);
    if (!has(key)) return;
    std::vector<std::string> names;
    for (const auto& [name, value] : spellings) {
      if (name == word) {
        member = value;
        return;
      }
      names.emplace_back(name);
    }
    refuse_choice(key, word, names);
  }

  /// The same for a text that is one of `names`; "" counts as absent.
  void word(std::string_view key, std::string& member, const std::vector<std::string>& names);

  /// Throws for the first key that nobody asked for, with the nearest one that exists.
  void finish() const;
  /// "input.shape"
  std::string path_of(std::string_view key) const;

 private:
  const Value* take(std::string_view key);
  double checked(const Value& value, std::string_view key, double low, double high) const;
  [[noreturn]] void refuse_type(std::string_view key, std::string_view wanted,
                                const Value& value) const;
  [[noreturn]] void refuse_choice(std::string_view key, const std::string& word,
                                  const std::vector<std::string>& names) const;

  const Value& table_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace sosia::models
