// parquet_tool read FILE: the table as JSON. parquet_tool copy FROM TO: through reader and writer.
// For parquet_pyarrow.py.
#include "sosia/core/value.hpp"
#include "sosia/formats/parquet.hpp"

#include <cstdio>
#include <cstring>

namespace {

using namespace sosia;
using namespace sosia::formats;

Value cell(const ParquetColumn& column, const ParquetBatch::Column& values, std::size_t row) {
  if (!values.has(row)) return {};
  switch (column.type) {
    case ParquetType::text:
      return values.texts[row];
    case ParquetType::integer:
    case ParquetType::time:
      return values.integers[row];
    case ParquetType::real:
      return values.reals[row];
    default: {
      Value list = Value::list();
      for (std::size_t i = 0; i < column.width; ++i) {
        list.push(values.floats[row * column.width + i]);
      }
      return list;
    }
  }
}

void read(const char* path) {
  ParquetReader reader(path, {.batch_rows = 7});
  Value columns = Value::list(), rows = Value::list();
  ParquetBatch batch;
  while (reader.next(batch)) {
    for (std::size_t i = 0; i < batch.rows; ++i) {
      Value row = Value::list();
      for (std::size_t c = 0; c < batch.columns.size(); ++c) {
        row.push(cell(reader.columns()[c], batch.columns[c], i));
      }
      rows.push(std::move(row));
    }
  }
  for (const ParquetColumn& column : reader.file_columns()) {
    columns.push(Value::list({column.name, parquet_type_name(column.type), column.stored}));
  }
  const Value out = Value::object({{"columns", columns}, {"rows", rows}});
  std::printf("%s\n", to_json(out, -1).c_str());
}

void copy(const char* from, const char* to) {
  ParquetReader reader(from);
  ParquetBatch batch;
  std::unique_ptr<ParquetWriter> writer;
  while (reader.next(batch)) {
    // Widths are known with the first rows.
    if (!writer) writer = std::make_unique<ParquetWriter>(to, reader.columns());
    writer->write(batch);
  }
  if (!writer) writer = std::make_unique<ParquetWriter>(to, reader.columns());
  writer->commit();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::strcmp(argv[1], "read") == 0) {
      read(argv[2]);
    } else if (argc == 4 && std::strcmp(argv[1], "copy") == 0) {
      copy(argv[2], argv[3]);
    } else {
      return 2;
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.render().c_str());
    return error_traits(error.code()).exit_status;
  }
  return 0;
}
