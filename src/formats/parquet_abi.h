#pragma once
/* The border between libsosia_formats.so and libsosia_formats_parquet.so, the module that is linked
 * with Arrow and opened on first use. Plain C: no exception and no C++ type crosses it. */

#include <stdint.h>

#define SOSIA_PARQUET_ABI 1u
#define SOSIA_PARQUET_FACTORY "sosia_formats_parquet"

#ifdef __cplusplus
extern "C" {
#endif

enum SosiaParquetCode {
  SOSIA_PARQUET_CORRUPT = 1,
  SOSIA_PARQUET_UNSUPPORTED = 2,
  SOSIA_PARQUET_IO = 3,
  SOSIA_PARQUET_MEMORY = 4, /* also: the stated cap would be exceeded */
  SOSIA_PARQUET_ARGUMENT = 5,
  SOSIA_PARQUET_INTERNAL = 6
};

struct SosiaParquetError {
  int32_t code; /* SosiaParquetCode */
  char text[512];
};

enum SosiaParquetType {
  SOSIA_PARQUET_TEXT = 0,
  SOSIA_PARQUET_INTEGER = 1,
  SOSIA_PARQUET_REAL = 2,
  SOSIA_PARQUET_FLOATS = 3,
  SOSIA_PARQUET_OTHER = 4,
  SOSIA_PARQUET_TIME = 5 /* milliseconds, in `integers` */
};

struct SosiaParquetColumn {
  const char* name;
  int32_t type; /* SosiaParquetType */
  int64_t width;
  const char* stored; /* may be NULL when written */
};

/* The values of a column; only the members of its type are set. */
struct SosiaParquetArray {
  const uint8_t* present;  /* one per row, or NULL: all are there */
  const int64_t* offsets;  /* text: rows + 1 */
  const char* text;
  const int64_t* integers;
  const double* reals;
  const float* floats; /* rows x width */
  int64_t width;       /* of these rows */
};

struct SosiaParquetReader; /* opaque */
struct SosiaParquetWriter;

struct SosiaParquetApi {
  uint32_t abi; /* SOSIA_PARQUET_ABI */
  /* Functions that return a pointer give NULL on failure, the others -1, with `error` filled. */
  struct SosiaParquetReader* (*open)(const char* path, int64_t batch_rows, int64_t max_bytes,
                                     struct SosiaParquetError* error);
  int64_t (*rows)(struct SosiaParquetReader* reader);
  /* Number of columns of the file; `columns` points to them while the reader lives. */
  int64_t (*columns)(struct SosiaParquetReader* reader, const struct SosiaParquetColumn** columns);
  /* Which columns `next` gives. */
  int32_t (*select)(struct SosiaParquetReader* reader, const int64_t* columns, int64_t count,
                    struct SosiaParquetError* error);
  /* The number of rows read, 0 at the end. `arrays` has room for the selected columns; what they
   * point to is valid until the next call. */
  int64_t (*next)(struct SosiaParquetReader* reader, struct SosiaParquetArray* arrays,
                  struct SosiaParquetError* error);
  void (*close_reader)(struct SosiaParquetReader* reader);

  struct SosiaParquetWriter* (*create)(const char* path, const struct SosiaParquetColumn* columns,
                                       int64_t count, int32_t compress,
                                       struct SosiaParquetError* error);
  int32_t (*write)(struct SosiaParquetWriter* writer, const struct SosiaParquetArray* arrays,
                   int64_t rows, struct SosiaParquetError* error);
  int32_t (*finish)(struct SosiaParquetWriter* writer, struct SosiaParquetError* error);
  void (*close_writer)(struct SosiaParquetWriter* writer);
};

/* The one symbol of the module; gives its SosiaParquetApi, as any module gives its table. */
__attribute__((visibility("default"))) const void* sosia_formats_parquet(void);

#ifdef __cplusplus
}
#endif
