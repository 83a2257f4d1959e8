#pragma once
// Arrow's arrays to and from the plain ones of parquet_abi.h. Inside the Parquet module only.

#include "formats/parquet_abi.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>

namespace sosia_parquet {

/// What went wrong.
struct Failure {
  int32_t code;
  std::string text;
};

int32_t code_of(const arrow::Status& status);

inline void require(const arrow::Status& status) {
  if (!status.ok()) throw Failure{code_of(status), status.message()};
}
template <class T>
T require(arrow::Result<T> result) {
  require(result.status());
  return std::move(result).ValueUnsafe();
}

/// The SosiaParquetType of an Arrow type, and the length of its vectors where the type says it.
int32_t type_of(const arrow::DataType& type, int64_t& width);

/// A column that was read, as plain lists.
class ReadArray {
 public:
  /// What it points to is valid until the next call.
  SosiaParquetArray fill(const arrow::Array& array, const std::string& name);

 private:
  void fill_text(const arrow::Array& array);
  void fill_dictionary(const arrow::DictionaryArray& array);
  void fill_integers(const arrow::Array& array, const std::string& name);
  void fill_reals(const arrow::Array& array);
  void fill_floats(const arrow::Array& array, const std::string& name);

  std::vector<uint8_t> present_;
  std::vector<int64_t> offsets_, integers_;
  std::string text_;
  std::vector<double> reals_;
  std::vector<float> floats_;
  int64_t width_ = 0;
};

/// The Arrow type of a column to be written.
std::shared_ptr<arrow::DataType> arrow_type(const SosiaParquetColumn& column);
/// A column to be written.
std::shared_ptr<arrow::Array> make_array(int32_t type, int64_t width, const SosiaParquetArray& from,
                                         int64_t rows);

}  // namespace sosia_parquet
