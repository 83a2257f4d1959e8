// MPI behind a table of C functions. The one file that sees <mpi.h>.

#include "train/mpi_abi.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#define OMPI_SKIP_MPICXX 1  // the C++ bindings that MPI 3 removed
#include <mpi.h>

namespace {

// MPI counts with int. Chunks of this many elements also bound its temporary memory.
constexpr std::int64_t kChunk = std::int64_t{1} << 24;

std::int32_t fail(std::string_view reason, char* error, std::int64_t capacity) {
  if (capacity <= 0) return -1;
  const std::size_t length = std::min(reason.size(), static_cast<std::size_t>(capacity - 1));
  std::memcpy(error, reason.data(), length);
  error[length] = 0;
  return -1;
}

std::int32_t check(int code, char* error, std::int64_t capacity) {
  if (code == MPI_SUCCESS) return 0;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) length = 0;
  return fail({text, static_cast<std::size_t>(length)}, error, capacity);
}

std::int32_t join(std::int32_t* rank, std::int32_t* size, char* error, std::int64_t capacity) {
  int running = 0, ended = 0;
  MPI_Initialized(&running);
  MPI_Finalized(&ended);
  if (ended != 0) return fail("the processes have parted already", error, capacity);
  if (running == 0) {
    int provided = 0;
    // Gradients of synchronised batch norms are summed by whichever thread LibTorch computes
    // gradients with, one call at a time.
    const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
    if (code != MPI_SUCCESS) return check(code, error, capacity);
    if (provided < MPI_THREAD_SERIALIZED) {
      return fail("this MPI cannot be called from more than one thread", error, capacity);
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  }
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  return check(MPI_Comm_size(MPI_COMM_WORLD, size), error, capacity);
}

/// Calls `f(bytes, count)` on chunks of `count` elements of `width` bytes until one fails.
template <class F>
std::int32_t chunked(void* values, std::int64_t count, std::int64_t width, char* error,
                     std::int64_t capacity, F f) {
  auto* at = static_cast<std::byte*>(values);
  for (std::int64_t done = 0; done < count; done += kChunk) {
    const int now = static_cast<int>(std::min(kChunk, count - done));
    const std::int32_t bad = check(f(at + done * width, now), error, capacity);
    if (bad != 0) return bad;
  }
  return 0;
}

std::int32_t sum(void* values, std::int64_t count, std::int32_t type, char* error,
                 std::int64_t capacity) {
  MPI_Datatype element = MPI_FLOAT;
  std::int64_t width = 4;
  if (type == SOSIA_MPI_F64) {
    element = MPI_DOUBLE;
    width = 8;
  } else if (type == SOSIA_MPI_I64) {
    element = MPI_INT64_T;
    width = 8;
  } else if (type != SOSIA_MPI_F32) {
    return fail("unknown element type", error, capacity);
  }
  return chunked(values, count, width, error, capacity, [element](void* at, int now) {
    return MPI_Allreduce(MPI_IN_PLACE, at, now, element, MPI_SUM, MPI_COMM_WORLD);
  });
}

std::int32_t broadcast(void* bytes, std::int64_t count, std::int32_t root, char* error,
                       std::int64_t capacity) {
  return chunked(bytes, count, 1, error, capacity, [root](void* at, int now) {
    return MPI_Bcast(at, now, MPI_BYTE, root, MPI_COMM_WORLD);
  });
}

std::int32_t barrier(char* error, std::int64_t capacity) {
  return check(MPI_Barrier(MPI_COMM_WORLD), error, capacity);
}

std::int32_t finish(char* error, std::int64_t capacity) {
  int ended = 0;
  MPI_Finalized(&ended);
  return ended != 0 ? 0 : check(MPI_Finalize(), error, capacity);
}

}  // namespace

extern "C" const void* sosia_train_mpi() {
  static const SosiaMpiApi table{SOSIA_MPI_ABI, join, sum, broadcast, barrier, finish};
  return &table;
}
