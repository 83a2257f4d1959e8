#pragma once
// Texts of earlier requests and corpora of one tenant, as parts that can be searched.

#include "llm/context_table.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

namespace sosia::llm {

/// A searchable part. `part` names it in origins.
struct TextPart {
  ContextView view = {};
  Source source = Source::past;
  std::uint32_t part = 0;
};

/// Origin of a position of a part; never 0.
constexpr std::uint64_t origin_of(std::uint32_t part, std::uint32_t position) {
  return (static_cast<std::uint64_t>(part + 1) << 32) | position;
}

/// Thread-safety: all members may be called from any thread.
class PastTexts {
 public:
  virtual ~PastTexts() = default;
  /// Calls `visit` with every part; none changes before it returns.
  virtual void visit(const std::function<void(const TextPart&)>& visit) const = 0;
  /// Adds a finished text.
  virtual void learn(std::span<const Token> text, Source source) = 0;
  /// A draft from there was accepted: its text is kept longer.
  virtual void touch(std::uint64_t origin) = 0;
  virtual IndexFootprint footprint() const = 0;
};

/// A growing part with a cap in bytes: the texts that were used least recently are dropped.
class RecentTexts {
 public:
  explicit RecentTexts(std::uint64_t cap_bytes) : cap_bytes_(cap_bytes) {}

  /// `now`: a clock of the caller's that rises with every use.
  void learn(std::span<const Token> text, std::uint64_t now);
  void touch(std::uint32_t position, std::uint64_t now);
  const ContextTable& table() const noexcept { return table_; }
  IndexFootprint footprint() const;
  /// Texts that are there, oldest first, with their last use.
  void for_each(const std::function<void(std::span<const Token>, std::uint64_t used)>& visit) const;

 private:
  struct Text {
    std::uint32_t begin = 0, end = 0;
    std::uint64_t used = 0;  ///< 0: dropped
  };
  void make_room(std::size_t tokens);
  void rebuild();

  std::uint64_t cap_bytes_;
  ContextTable table_;
  std::vector<Text> texts_;  // by position
  std::size_t live_ = 0;     // tokens of texts that are there
};

/// Texts in memory only, nothing on disk.
class HeapTexts final : public PastTexts {
 public:
  explicit HeapTexts(std::uint64_t cap_bytes) : past_(cap_bytes / 2), corpus_(cap_bytes / 2) {}
  void visit(const std::function<void(const TextPart&)>& visit) const override;
  void learn(std::span<const Token> text, Source source) override;
  void touch(std::uint64_t origin) override;
  IndexFootprint footprint() const override;

 private:
  mutable std::shared_mutex mutex_;
  RecentTexts past_, corpus_;
  std::uint64_t clock_ = 0;
};

}  // namespace sosia::llm
