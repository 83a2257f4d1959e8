#include "gallery/milvus_session.hpp"

#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

namespace sosia::gallery::milvus {
namespace {

/// A takeover is so many steps ahead that no commit of the writer that was cut off comes near.
constexpr std::int64_t kTakeoverStep = 1'000'000;
/// Fences that a state remembers; older writers are long gone.
constexpr std::size_t kMostFences = 64;
constexpr int kClaimTries = 12;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// What tells this process from all others, as far as another process here can check it.
struct Process {
  std::string machine;  ///< host, boot and process namespace
  std::int64_t pid = 0;
  std::int64_t started = 0;  ///< in clock ticks since boot
};

std::string first_line(const char* path) {
  try {
    return std::string(trim(split(read_text(path, 4096), '\n').front()));
  } catch (const Error&) {
    return {};
  }
}

/// The 22nd field of /proc/<pid>/stat; 0 when there is no such process.
std::int64_t start_of(std::int64_t pid) {
  const std::string line = first_line(fmt::format("/proc/{}/stat", pid).c_str());
  const std::size_t close = line.rfind(')');  // the name may hold anything
  if (close == std::string::npos) return 0;
  const auto words = split(std::string_view(line).substr(close + 1), ' ');
  long long ticks = 0;
  return words.size() > 20 && parse_integer(words[20], ticks) ? ticks : 0;
}

Process this_process() {
  Process process;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  std::error_code ignored;
  const auto space = std::filesystem::read_symlink("/proc/self/ns/pid", ignored);
  process.machine =
      fmt::format("{} {} {}", host, first_line("/proc/sys/kernel/random/boot_id"), space.string());
  process.pid = ::getpid();
  process.started = start_of(process.pid);
  return process;
}

void pause_ms(std::int64_t ms, RunContext& run) {
  for (; ms > 0; ms -= 20) {
    run.check_cancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<std::int64_t>(ms, 20)));
  }
}

/// The newest of several states, or nullptr.
const Document* newest(std::span<const Document> documents) {
  const Document* best = nullptr;
  for (const Document& d : documents) {
    if (d.kind != Kind::state) continue;
    if (best == nullptr || d.number > best->number ||
        (d.number == best->number && d.birth.session > best->birth.session)) {
      best = &d;
    }
  }
  return best;
}

State parse_state(const Document& document) {
  State state = state_from_value(parse_json(document.body, "state of the gallery"));
  if (state.sequence != document.number) {
    throw Error(ErrorCode::corrupt_data,
                "the state of the gallery has another number than its row");
  }
  return state;
}

Error without_state(const Names& names) {
  return Error(
      ErrorCode::corrupt_data,
      fmt::format("the collection {} holds no state of a gallery: it was never finished, or "
                  "is something else",
                  quote(names.meta)),
      "`sosia gallery create --force` makes it anew");
}

std::vector<Document> query_documents(Client& client, const Names& names,
                                      const std::string& expression, RunContext& run) {
  return read_documents(
      client.query(names.meta, expression, document_columns(), Consistency::strong, run));
}

}  // namespace

State read_state(Client& client, const Names& names, RunContext& run) {
  // A reader between the insertion of a state and the deletion of the one before sees both or one.
  const auto documents = query_documents(client, names, "kind == 1", run);
  const Document* state = newest(documents);
  if (state == nullptr) throw without_state(names);
  return parse_state(*state);
}

void erase_retired(Client& client, const Names& names, const State& state, const Named& before,
                   RunContext& run) {
  client.erase(names.templates, std::span(state.retired_templates).subspan(before.templates), run);
  client.erase(names.subjects, std::span(state.retired_subject_rows).subspan(before.rows), run);
}

struct Session::Claim {
  std::int64_t session = 0;
  std::int64_t row = 0;
  bool held = false;
  std::int64_t expires_ms = 0;
  std::string owner;
  Process process;

  static Claim from(const Document& document) {
    Claim claim;
    claim.session = document.birth.session;
    claim.row = document.rows.front();
    const Value v = parse_json(document.body, "claim of a writer");
    claim.held = v.at("held").as_boolean();
    claim.expires_ms = v.at("expires_ms").as_integer();
    claim.owner = v.at("owner").as_text();
    claim.process = {v.at("machine").as_text(), v.at("pid").as_integer(),
                     v.at("started").as_integer()};
    return claim;
  }

  /// Over by the clock, or its process is known to be gone.
  bool dead(const Process& self) const {
    if (clock_ms() >= expires_ms) return true;
    return process.machine == self.machine && start_of(process.pid) != process.started;
  }
};

struct Session::Snapshot {
  std::vector<Claim> claims;  ///< of others
  std::vector<Document> states;
};

Session::Session(Client& client, const Names& names, std::string who, std::int64_t lease_ms)
    : client_(client), names_(names), who_(std::move(who)), lease_ms_(lease_ms) {
  if (sodium_init() < 0) throw Error(ErrorCode::internal, "libsodium cannot be started");
}

Session::~Session() {
  if (claim_rows_.empty()) return;
  try {
    RunContext run;  // the writer's own may be cancelled already
    if (clean_) {
      drop_claims(run);
    } else {
      lease_ms_ = 0;  // the next writer finds a claim that is over, and clears away
      put_claim(true, run);
    }
  } catch (const std::exception&) {  // the claim ends by itself
  }
}

Session::Snapshot Session::read(RunContext& run) {
  Snapshot snapshot;
  for (Document& document : query_documents(client_, names_, "kind in [1,3]", run)) {
    if (document.kind == Kind::state) {
      snapshot.states.push_back(std::move(document));
    } else if (document.birth.session != session_) {
      snapshot.claims.push_back(Claim::from(document));
    }
  }
  return snapshot;
}

void Session::put_claim(bool held, RunContext& run) {
  const Process process = this_process();
  const std::string host = process.machine.substr(0, process.machine.find(' '));
  const std::int64_t begin = steady_ms();
  Document document{.kind = Kind::claim, .number = random_number(), .birth = {0, session_}};
  document.body = to_json(
      Value::object({{"owner", fmt::format("{} (process {} on {})",
                                           who_.empty() ? "a writer" : who_, process.pid, host)},
                     {"held", held},
                     {"expires_ms", clock_ms() + lease_ms_},
                     {"machine", process.machine},
                     {"pid", process.pid},
                     {"started", process.started}}),
      -1);
  const std::string rows = to_rows(std::span(&document, 1));
  std::vector<std::int64_t> before = std::exchange(claim_rows_, document.rows);
  try {
    client_.upsert(names_.meta, rows, run);
  } catch (...) {
    claim_rows_.insert(claim_rows_.end(), before.begin(), before.end());
    throw;
  }
  expires_ms_ = begin + lease_ms_;
  client_.erase(names_.meta, before, run);
}

void Session::drop_claims(RunContext& run) {
  client_.erase(names_.meta, claim_rows_, run);
  claim_rows_.clear();
  expires_ms_ = 0;
}

/// Two that claim at the same time: the one whose insertion came later sees the other's claim,
/// since both look only after their own insertion. Either both step back, or one of them has it.
void Session::claim(RunContext& run, std::vector<Claim>& dead) {
  const Process self = this_process();
  for (int tries = 1;; ++tries) {
    session_ = random_number() + 1;
    put_claim(false, run);
    const Snapshot snapshot = read(run);
    dead.clear();
    const Claim* live = nullptr;
    for (const Claim& claim : snapshot.claims) {
      if (claim.dead(self)) {
        dead.push_back(claim);
      } else if (live == nullptr || claim.held) {
        live = &claim;
      }
    }
    if (live == nullptr) {
      put_claim(true, run);
      return;
    }
    const Claim holder = *live;
    drop_claims(run);
    if (holder.held || tries == kClaimTries) {
      throw Error(ErrorCode::conflict,
                  fmt::format("the gallery is being written by {}", holder.owner),
                  fmt::format("wait until it is done; one that has died is passed over {} s after "
                              "its last sign of life",
                              lease_ms_ / 1000));
    }
    pause_ms(10 + randombytes_uniform(static_cast<std::uint32_t>(100 * tries)), run);
  }
}

void Session::renew(RunContext& run) {
  if (steady_ms() < expires_ms_ - lease_ms_ / 2) return;
  put_claim(true, run);
}

void Session::insert(State& state, RunContext& run) {
  state.session = session_;
  Document document{.kind = Kind::state,
                    .number = state.sequence,
                    .body = to_json(to_value(state), -1),
                    .birth = {state.generation, session_}};
  client_.upsert(names_.meta, to_rows(std::span(&document, 1)), run);
}

void Session::take_over(const std::vector<Claim>& dead, RunContext& run) {
  const Document* none = nullptr;
  std::int64_t base_number = -1, base_session = -1;
  bool inserted = false;
  for (;;) {
    Snapshot snapshot = read(run);
    std::int64_t highest = 0;
    for (const Document& d : snapshot.states) highest = std::max(highest, d.number);
    state_rows_.clear();
    for (const Document& d : snapshot.states) {
      state_rows_.insert(state_rows_.end(), d.rows.begin(), d.rows.end());
    }
    std::erase_if(snapshot.states, [&](const Document& d) { return d.birth.session == session_; });
    const Document* document = newest(snapshot.states);
    if (document == none) throw without_state(names_);
    if (inserted && document->number == base_number && document->birth.session == base_session) {
      return;  // nothing came in between
    }
    State next = parse_state(*document);
    base_number = document->number;
    base_session = document->birth.session;
    if (dead.empty()) {
      base_ = std::move(next);
      return;
    }
    for (const Claim& claim : dead) {
      std::erase_if(next.fences, [&](const auto& f) { return f.first == claim.session; });
      next.fences.emplace_back(claim.session, next.generation);
    }
    while (next.fences.size() > kMostFences) next.fences.erase(next.fences.begin());
    next.sequence = highest + kTakeoverStep;
    insert(next, run);
    base_ = std::move(next);
    inserted = true;
  }
}

void Session::erase_where(const std::string& collection, const std::string& expression,
                          RunContext& run) {
  static constexpr std::string_view id[] = {"id"};
  const Columns columns = client_.query(collection, expression, id, Consistency::strong, run);
  if (columns.size() > 0) client_.erase(collection, columns.integers("id"), run);
}

void Session::clear(const State& state, RunContext& run) {
  erase_retired(client_, names_, state, Named(), run);
  std::string never = fmt::format("born > {}", state.generation);
  for (const auto& [session, last] : state.fences) {
    never += fmt::format(" || (session == {} && born > {})", session, last);
  }
  std::string gone = never;
  if (!state.forgotten.empty()) gone += " || subject in " + literal(state.forgotten);
  erase_where(names_.templates, gone, run);
  erase_where(names_.subjects, gone, run);
  erase_where(names_.meta, "kind in [2,4] && (" + never + ")", run);
}

State Session::begin(RunContext& run) {
  if (session_ != 0 && clean_ && steady_ms() < expires_ms_) {
    renew(run);
    return base_;
  }
  if (session_ != 0 && !claim_rows_.empty()) {
    cut_off_.push_back(session_);  // what a failed change has sent may still arrive
    drop_claims(run);
  }
  clean_ = false;
  std::vector<Claim> dead;
  claim(run, dead);
  std::vector<std::int64_t> rows;
  for (const Claim& claim : dead) rows.push_back(claim.row);
  for (const std::int64_t session : cut_off_) dead.emplace_back().session = session;
  take_over(dead, run);
  // A writer that ended well has deleted what it retired; one that did not may not have.
  if (!dead.empty()) clear(base_, run);
  client_.erase(names_.meta, rows, run);
  cut_off_.clear();
  clean_ = true;
  return base_;
}

void Session::commit(State& state, RunContext& run) {
  if (steady_ms() >= expires_ms_) {
    clean_ = false;
    throw Error(ErrorCode::conflict,
                fmt::format("the change took longer than the {} s for which the right to write is "
                            "held; nothing of it was kept",
                            lease_ms_ / 1000),
                "write smaller batches, or add lease=SECONDS to the address");
  }
  clean_ = false;  // until it is known to count
  state.sequence = base_.sequence + 1;
  insert(state, run);
  const Snapshot snapshot = read(run);
  std::size_t of_this_number = 0;
  for (const Document& d : snapshot.states) of_this_number += d.number == state.sequence;
  const Document* document = newest(snapshot.states);
  if (document == nullptr || document->number != state.sequence ||
      document->birth.session != session_ || of_this_number != 1) {
    throw Error(ErrorCode::conflict,
                "another writer has taken over the gallery, because this one was silent for too "
                "long; nothing of the change was kept",
                "try again");
  }
  client_.erase(names_.meta, state_rows_, run);
  state_rows_ = document->rows;
  base_ = state;
  clean_ = true;
}

void Session::found(State& state, RunContext& run) {
  std::vector<Claim> dead;
  claim(run, dead);
  if (!read(run).states.empty()) {
    throw Error(ErrorCode::conflict, "another writer has made the gallery at the same time");
  }
  base_ = state;
  base_.sequence = 0;
  commit(state, run);
}

}  // namespace sosia::gallery::milvus
