// libsosia_formats_parquet.so: Parquet files by Arrow, behind the C border of parquet_abi.h. The
// only files that see Arrow's headers are this one and parquet_arrays.cpp.
//
// Files are hostile: Arrow checks their structure, page checksums are compared, what it allocates
// is capped, and batches are validated in full before anything is read out of them.

#include "formats/parquet_abi.h"
#include "formats/parquet_arrays.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

namespace pq = sosia_parquet;
using pq::Failure;
using pq::require;

namespace {

/// The columns' description, with the texts that it points to.
struct Columns {
  std::vector<std::string> names, stored;
  std::vector<SosiaParquetColumn> columns;

  explicit Columns(const arrow::Schema& schema) {
    for (const auto& field : schema.fields()) {
      names.push_back(field->name());
      stored.push_back(field->type()->ToString());
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      int64_t width = 0;
      const int32_t type = pq::type_of(*schema.field(static_cast<int>(i))->type(), width);
      columns.push_back({names[i].c_str(), type, width, stored[i].c_str()});
    }
  }
};

parquet::ReaderProperties reader_properties(arrow::MemoryPool* pool) {
  parquet::ReaderProperties properties(pool);
  properties.set_page_checksum_verification(true);
  constexpr int32_t kMostNames = 100 << 20;  // of the file's own description of itself
  properties.set_thrift_string_size_limit(kMostNames);
  properties.set_thrift_container_size_limit(1 << 20);
  return properties;
}

}  // namespace

struct SosiaParquetReader {
  SosiaParquetReader(const char* path, int64_t batch_rows, int64_t max_bytes)
      : pool(arrow::default_memory_pool(), max_bytes) {
    auto file = require(arrow::io::ReadableFile::Open(path, &pool));
    auto properties = parquet::default_arrow_reader_properties();
    properties.set_use_threads(false);
    properties.set_pre_buffer(false);
    properties.set_batch_size(batch_rows);
    parquet::arrow::FileReaderBuilder builder;
    require(builder.Open(file, reader_properties(&pool)));
    builder.memory_pool(&pool)->properties(properties);
    reader = require(builder.Build());
    std::shared_ptr<arrow::Schema> schema;
    require(reader->GetSchema(&schema));
    columns = std::make_unique<Columns>(*schema);
    for (int i = 0; i < reader->num_row_groups(); ++i) groups.push_back(i);
  }

  /// Leaves of the file's schema that belong to top-level columns.
  void select(const int64_t* wanted, int64_t count) {
    const auto& manifest = reader->manifest();
    std::vector<int> leaves;
    selected.assign(wanted, wanted + count);
    for (const int64_t column : selected) {
      collect(manifest.schema_fields.at(static_cast<std::size_t>(column)), leaves);
    }
    // Arrow gives the columns in the file's order, whatever is asked.
    std::sort(leaves.begin(), leaves.end());
    std::vector<int64_t> ordered = selected;
    std::sort(ordered.begin(), ordered.end());
    place.clear();
    for (const int64_t column : selected) {
      place.push_back(static_cast<int>(std::lower_bound(ordered.begin(), ordered.end(), column) -
                                       ordered.begin()));
    }
    batches = require(reader->GetRecordBatchReader(groups, leaves));
    arrays.resize(selected.size());
  }

  static void collect(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.column_index >= 0) leaves.push_back(field.column_index);
    for (const auto& child : field.children) collect(child, leaves);
  }

  int64_t next(SosiaParquetArray* out) {
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      require(batches->ReadNext(&batch));
      if (!batch) return 0;
    } while (batch->num_rows() == 0);
    require(batch->ValidateFull());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const std::string& name = columns->names[static_cast<std::size_t>(selected[i])];
      out[i] = arrays[i].fill(*batch->column(place[i]), name);
    }
    return batch->num_rows();
  }

  arrow::CappedMemoryPool pool;
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::unique_ptr<Columns> columns;
  std::vector<int> groups;
  std::vector<int64_t> selected;
  std::vector<int> place;  ///< of the selected columns in a batch
  std::unique_ptr<arrow::RecordBatchReader> batches;
  std::vector<pq::ReadArray> arrays;
};

struct SosiaParquetWriter {
  SosiaParquetWriter(const char* path, const SosiaParquetColumn* columns, int64_t count,
                     bool compress) {
    arrow::FieldVector fields;
    for (int64_t i = 0; i < count; ++i) {
      types.push_back(columns[i].type);
      widths.push_back(columns[i].width);
      fields.push_back(arrow::field(columns[i].name, pq::arrow_type(columns[i])));
    }
    schema = arrow::schema(fields);
    parquet::WriterProperties::Builder properties;
    properties.created_by("sosia")->enable_page_checksum();
    properties.compression(compress ? parquet::Compression::ZSTD
                                    : parquet::Compression::UNCOMPRESSED);
    // Vectors do not repeat: a dictionary of them is wasted.
    for (int64_t i = 0; i < count; ++i) {
      if (types[static_cast<std::size_t>(i)] == SOSIA_PARQUET_FLOATS) {
        properties.disable_dictionary(std::string(columns[i].name) + ".list.element");
      }
    }
    file = require(arrow::io::FileOutputStream::Open(path));
    writer = require(parquet::arrow::FileWriter::Open(
        *schema, arrow::default_memory_pool(), file, properties.build(),
        parquet::ArrowWriterProperties::Builder().store_schema()->build()));
  }

  void write(const SosiaParquetArray* arrays, int64_t rows) {
    arrow::ArrayVector columns;
    for (std::size_t i = 0; i < types.size(); ++i) {
      columns.push_back(pq::make_array(types[i], widths[i], arrays[i], rows));
    }
    const auto batch = arrow::RecordBatch::Make(schema, rows, std::move(columns));
    require(writer->WriteRecordBatch(*batch));
  }

  void finish() {
    require(writer->Close());
    require(file->Close());
  }

  std::vector<int32_t> types;
  std::vector<int64_t> widths;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
};

namespace {

/// Runs `body`; what it throws becomes `error` and the value `failed`.
template <class Result, class Body>
Result guarded(SosiaParquetError* error, Result failed, Body&& body) noexcept {
  const auto put = [error](int32_t code, const char* text) {
    error->code = code;
    std::snprintf(error->text, sizeof error->text, "%s", text);
  };
  try {
    return body();
  } catch (const Failure& f) {
    put(f.code, f.text.c_str());
  } catch (const parquet::ParquetStatusException& e) {
    put(pq::code_of(e.status()), e.what());
  } catch (const parquet::ParquetException& e) {
    put(SOSIA_PARQUET_CORRUPT, e.what());
  } catch (const std::bad_alloc&) {
    put(SOSIA_PARQUET_MEMORY, "no memory for the table");
  } catch (const std::exception& e) {
    put(SOSIA_PARQUET_CORRUPT, e.what());
  } catch (...) {
    put(SOSIA_PARQUET_INTERNAL, "unexpected failure in the Parquet module");
  }
  return failed;
}

SosiaParquetReader* api_open(const char* path, int64_t batch_rows, int64_t max_bytes,
                             SosiaParquetError* error) {
  return guarded(error, static_cast<SosiaParquetReader*>(nullptr), [&] {
    return std::make_unique<SosiaParquetReader>(path, batch_rows, max_bytes).release();
  });
}

int64_t api_rows(SosiaParquetReader* reader) {
  return reader->reader->parquet_reader()->metadata()->num_rows();
}

int64_t api_columns(SosiaParquetReader* reader, const SosiaParquetColumn** columns) {
  *columns = reader->columns->columns.data();
  return static_cast<int64_t>(reader->columns->columns.size());
}

int32_t api_select(SosiaParquetReader* reader, const int64_t* columns, int64_t count,
                   SosiaParquetError* error) {
  return guarded(error, int32_t{-1}, [&] {
    reader->select(columns, count);
    return int32_t{0};
  });
}

int64_t api_next(SosiaParquetReader* reader, SosiaParquetArray* arrays, SosiaParquetError* error) {
  return guarded(error, int64_t{-1}, [&] { return reader->next(arrays); });
}

void api_close_reader(SosiaParquetReader* reader) {
  delete reader;
}

SosiaParquetWriter* api_create(const char* path, const SosiaParquetColumn* columns, int64_t count,
                               int32_t compress, SosiaParquetError* error) {
  return guarded(error, static_cast<SosiaParquetWriter*>(nullptr), [&] {
    return std::make_unique<SosiaParquetWriter>(path, columns, count, compress != 0).release();
  });
}

int32_t api_write(SosiaParquetWriter* writer, const SosiaParquetArray* arrays, int64_t rows,
                  SosiaParquetError* error) {
  return guarded(error, int32_t{-1}, [&] {
    writer->write(arrays, rows);
    return int32_t{0};
  });
}

int32_t api_finish(SosiaParquetWriter* writer, SosiaParquetError* error) {
  return guarded(error, int32_t{-1}, [&] {
    writer->finish();
    return int32_t{0};
  });
}

void api_close_writer(SosiaParquetWriter* writer) {
  delete writer;
}

}  // namespace

extern "C" const void* sosia_formats_parquet(void) {
  static const SosiaParquetApi api{SOSIA_PARQUET_ABI, api_open,   api_rows,         api_columns,
                                   api_select,        api_next,   api_close_reader, api_create,
                                   api_write,         api_finish, api_close_writer};
  return &api;
}
