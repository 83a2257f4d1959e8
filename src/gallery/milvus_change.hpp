#pragma once
// How the parts of the Milvus engine read and change.

#include "gallery/milvus_gallery.hpp"

#include <utility>

namespace sosia::gallery {

namespace milvus {

/// The base of the next state. What earlier ones have retired or forgotten has been deleted, but
/// stays named for a while: should the server bring a deleted row back for a moment (when it moves
/// segments about), it does not count.
inline State next_state(State base) {
  constexpr std::size_t kNamed = 1000;
  for (auto* list : {&base.retired_templates, &base.retired_subject_rows, &base.forgotten}) {
    if (list->size() > kNamed) list->erase(list->begin(), list->end() - kNamed);
  }
  return base;
}

}  // namespace milvus

/// A state and what is read by it belong together only while the state is the newest: a writer
/// deletes what a later state has retired. So the state is read again at the end.
template <class Body>
auto MilvusGallery::steady(RunContext& run, Body&& body) {
  constexpr int kTries = 8;
  milvus::State now = state(false, run);
  for (int tries = 1;; ++tries) {
    std::optional<decltype(body(std::as_const(now)))> result;
    std::optional<Error> failed;
    try {
      result = body(std::as_const(now));
    } catch (const Error& error) {
      // What a later state has removed looks like damage.
      if (error.code() != ErrorCode::corrupt_data) throw;
      failed = error;
    }
    milvus::State after = state(true, run);
    if (after.generation == now.generation && after.fences == now.fences) {
      if (failed) throw *failed;
      return std::move(*result);
    }
    if (tries == kTries) {
      throw Error(ErrorCode::conflict, "the gallery changes faster than it can be read",
                  "try again", address_.text());
    }
    now = std::move(after);
  }
}

template <class Body>
auto MilvusGallery::change(Body&& body) {
  const std::lock_guard lock(write_mutex_);
  milvus::Session& session = writer();
  try {
    return body(session);
  } catch (...) {
    session.abandon();
    throw;
  }
}

}  // namespace sosia::gallery
