#pragma once
/* The border between libsosia_train.so and libsosia_train_mpi.so, the module that is linked with
 * MPI and opened only in programs that mpirun has started. Plain C: no exception and no C++ type
 * crosses it. */

#include <stdint.h>

#define SOSIA_MPI_ABI 1u
#define SOSIA_MPI_FILE "libsosia_train_mpi.so"
#define SOSIA_MPI_FACTORY "sosia_train_mpi"

#ifdef __cplusplus
extern "C" {
#endif

enum SosiaMpiType { SOSIA_MPI_F32 = 0, SOSIA_MPI_F64 = 1, SOSIA_MPI_I64 = 2 };

/* Functions return 0, or -1 with the reason in `error` (`capacity` bytes, ended by a zero). One
 * call at a time. */
struct SosiaMpiApi {
  uint32_t abi; /* SOSIA_MPI_ABI */
  /* Starts MPI unless it was started before. */
  int32_t (*join)(int32_t* rank, int32_t* size, char* error, int64_t capacity);
  /* `values` become their sum over all processes. */
  int32_t (*sum)(void* values, int64_t count, int32_t type, char* error, int64_t capacity);
  /* `bytes` become those of process `root`. */
  int32_t (*broadcast)(void* bytes, int64_t count, int32_t root, char* error, int64_t capacity);
  int32_t (*barrier)(char* error, int64_t capacity);
  /* Ends MPI: a program that does not call it and exits makes mpirun end the others. */
  int32_t (*finish)(char* error, int64_t capacity);
};

#ifdef __cplusplus
}
#endif
