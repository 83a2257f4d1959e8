#pragma once
// The right to write, and commits, without any help from the server: Milvus has neither
// transactions nor compare-and-swap. docs/decisions/0014-milvus-engine.md argues why this is safe.
//
// Safety rests on one thing only, that an acknowledged insertion is seen by every strong read that
// begins later:
//
//   - a commit inserts a state with the next sequence number, and then reads all states: it counts
//     only if it is the newest and the only one of its number;
//   - who takes over from a writer that did not say goodbye inserts a state far ahead, which fences
//     that writer's session, and then reads all states: if another commit came in between, it
//     begins anew from that one. So a commit of the old writer is either adopted, or its writer
//     sees the fence and is told `conflict`; rows that it sends later never count.
//
// Clocks decide only how long a silent writer is waited for.

#include "gallery/milvus_rows.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sosia::gallery::milvus {

/// The collections of one gallery.
struct Names {
  explicit Names(const std::string& collection)
      : templates(collection), subjects(collection + "_subjects"), meta(collection + "_meta") {}
  std::string templates, subjects, meta;
};

/// The newest state of a gallery. Throws corrupt_data when there is none.
State read_state(Client& client, const Names& names, RunContext& run);

/// Thread-safety: none; the gallery serialises its changes.
class Session {
 public:
  Session(Client& client, const Names& names, std::string who, std::int64_t lease_ms);
  /// Gives the right to write back.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// The base of the next change: takes or renews the right to write, and clears away what an
  /// interrupted change left behind. Throws conflict with the holder's name.
  State begin(RunContext& run);
  /// Makes `state` the newest one; sets its sequence and session. Throws conflict when another
  /// writer has taken over: nothing of the change counts then.
  void commit(State& state, RunContext& run);
  /// After a failed change: its rows may still arrive, so the next one is made by a new session.
  void abandon() noexcept { clean_ = false; }

  /// For a new gallery, which has no state yet. Throws conflict when it has.
  void found(State& state, RunContext& run);

  Birth birth(const State& base) const { return {base.generation + 1, session_}; }

 private:
  struct Claim;
  struct Snapshot;
  Snapshot read(RunContext& run);
  void claim(RunContext& run, std::vector<Claim>& dead);
  void renew(RunContext& run);
  void put_claim(bool held, RunContext& run);
  void drop_claims(RunContext& run);
  void take_over(const std::vector<Claim>& dead, RunContext& run);
  void insert(State& state, RunContext& run);
  /// Deletes rows that never count: born after the generation, retired, forgotten.
  void clear(const State& state, RunContext& run);
  void erase_where(const std::string& collection, const std::string& expression, RunContext& run);

  Client& client_;
  Names names_;
  std::string who_;
  std::int64_t lease_ms_;
  std::int64_t session_ = 0;     ///< 0: none
  std::int64_t expires_ms_ = 0;  ///< of the claim, by the steady clock
  std::vector<std::int64_t> claim_rows_;
  std::vector<std::int64_t> cut_off_;     ///< own earlier sessions that the next takeover fences
  bool clean_ = false;                    ///< nothing of an earlier change is in the way
  std::vector<std::int64_t> state_rows_;  ///< of states that may be removed after the next commit
  State base_;
};

/// How long the lists of a state were before a change.
struct Named {
  Named() = default;
  explicit Named(const State& state)
      : templates(state.retired_templates.size()),
        rows(state.retired_subject_rows.size()),
        forgotten(state.forgotten.size()) {}
  std::size_t templates = 0, rows = 0, forgotten = 0;
};

/// Deletes rows that the state has retired since `before`. They no longer count already.
void erase_retired(Client& client, const Names& names, const State& state, const Named& before,
                   RunContext& run);

}  // namespace sosia::gallery::milvus
