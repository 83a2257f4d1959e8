#include "formats/parquet_arrays.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include <arrow/util/float16.h>

namespace sosia_parquet {
namespace {

using arrow::Type;
using arrow::internal::checked_cast;

bool is_number(Type::type id) {
  return id == Type::FLOAT || id == Type::DOUBLE || id == Type::HALF_FLOAT;
}

float half(uint16_t bits) {
  return arrow::util::Float16::FromBits(bits).ToFloat();
}

/// The milliseconds of `value` units, rounded down.
int64_t milliseconds(int64_t value, arrow::TimeUnit::type unit, const std::string& name) {
  const auto floor_of = [](int64_t v, int64_t by) { return v / by - (v % by < 0 ? 1 : 0); };
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      if (value > std::numeric_limits<int64_t>::max() / 1000 ||
          value < std::numeric_limits<int64_t>::min() / 1000) {
        throw Failure{SOSIA_PARQUET_CORRUPT,
                      "column '" + name + "' holds a time beyond all bounds"};
      }
      return value * 1000;
    case arrow::TimeUnit::MILLI:
      return value;
    case arrow::TimeUnit::MICRO:
      return floor_of(value, 1000);
    default:
      return floor_of(value, 1'000'000);
  }
}

/// Copies an array of numbers; absent values become 0.
template <class ArrowType, class Out, class Convert>
void copy_values(const arrow::Array& array, std::vector<Out>& out, Convert convert) {
  const auto& typed = checked_cast<const typename arrow::TypeTraits<ArrowType>::ArrayType&>(array);
  for (int64_t i = 0; i < array.length(); ++i) {
    out.push_back(array.IsNull(i) ? Out{} : convert(typed.Value(i)));
  }
}

}  // namespace

int32_t code_of(const arrow::Status& status) {
  if (status.IsOutOfMemory() || status.IsCapacityError()) return SOSIA_PARQUET_MEMORY;
  if (status.IsNotImplemented()) return SOSIA_PARQUET_UNSUPPORTED;
  // An IOError of the system carries errno; Parquet uses the same kind for what cannot be parsed.
  if (status.IsIOError() && status.detail() != nullptr) return SOSIA_PARQUET_IO;
  return SOSIA_PARQUET_CORRUPT;
}

int32_t type_of(const arrow::DataType& type, int64_t& width) {
  width = 0;
  switch (type.id()) {
    case Type::STRING:
    case Type::LARGE_STRING:
      return SOSIA_PARQUET_TEXT;
    case Type::DICTIONARY: {
      const auto value = checked_cast<const arrow::DictionaryType&>(type).value_type()->id();
      return value == Type::STRING || value == Type::LARGE_STRING ? SOSIA_PARQUET_TEXT
                                                                  : SOSIA_PARQUET_OTHER;
    }
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::DATE32:
      return SOSIA_PARQUET_INTEGER;
    case Type::TIMESTAMP:
      return SOSIA_PARQUET_TIME;
    case Type::HALF_FLOAT:
    case Type::FLOAT:
    case Type::DOUBLE:
      return SOSIA_PARQUET_REAL;
    case Type::FIXED_SIZE_LIST: {
      const auto& list = checked_cast<const arrow::FixedSizeListType&>(type);
      width = list.list_size();
      return is_number(list.value_type()->id()) && width > 0 ? SOSIA_PARQUET_FLOATS
                                                             : SOSIA_PARQUET_OTHER;
    }
    case Type::LIST:
    case Type::LARGE_LIST: {
      const auto& list = checked_cast<const arrow::BaseListType&>(type);
      return is_number(list.value_type()->id()) ? SOSIA_PARQUET_FLOATS : SOSIA_PARQUET_OTHER;
    }
    default:
      return SOSIA_PARQUET_OTHER;
  }
}

void ReadArray::fill_text(const arrow::Array& array) {
  const auto copy = [&](const auto& typed) {
    for (int64_t i = 0; i < array.length(); ++i) {
      if (!array.IsNull(i)) text_.append(typed.GetView(i));
      offsets_.push_back(static_cast<int64_t>(text_.size()));
    }
  };
  if (array.type_id() == Type::STRING) {
    copy(checked_cast<const arrow::StringArray&>(array));
  } else {
    copy(checked_cast<const arrow::LargeStringArray&>(array));
  }
}

void ReadArray::fill_dictionary(const arrow::DictionaryArray& array) {
  const arrow::Array& values = *array.dictionary();
  const auto view = [&](int64_t i) {
    return values.type_id() == Type::STRING
               ? checked_cast<const arrow::StringArray&>(values).GetView(i)
               : checked_cast<const arrow::LargeStringArray&>(values).GetView(i);
  };
  for (int64_t i = 0; i < array.length(); ++i) {
    if (!array.IsNull(i)) {
      const int64_t index = array.GetValueIndex(i);
      if (index < 0 || index >= values.length()) {
        throw Failure{SOSIA_PARQUET_CORRUPT, "a dictionary index lies outside of its dictionary"};
      }
      if (values.IsNull(index)) {
        present_[static_cast<std::size_t>(i)] = 0;
      } else {
        text_.append(view(index));
      }
    }
    offsets_.push_back(static_cast<int64_t>(text_.size()));
  }
}

void ReadArray::fill_integers(const arrow::Array& array, const std::string& name) {
  const auto plain = [](auto v) { return static_cast<int64_t>(v); };
  switch (array.type_id()) {
    case Type::BOOL:
      return copy_values<arrow::BooleanType>(array, integers_, plain);
    case Type::INT8:
      return copy_values<arrow::Int8Type>(array, integers_, plain);
    case Type::INT16:
      return copy_values<arrow::Int16Type>(array, integers_, plain);
    case Type::INT32:
      return copy_values<arrow::Int32Type>(array, integers_, plain);
    case Type::INT64:
      return copy_values<arrow::Int64Type>(array, integers_, plain);
    case Type::UINT8:
      return copy_values<arrow::UInt8Type>(array, integers_, plain);
    case Type::UINT16:
      return copy_values<arrow::UInt16Type>(array, integers_, plain);
    case Type::UINT32:
      return copy_values<arrow::UInt32Type>(array, integers_, plain);
    case Type::DATE32:
      return copy_values<arrow::Date32Type>(array, integers_, plain);
    case Type::UINT64:
      return copy_values<arrow::UInt64Type>(array, integers_, [&](uint64_t v) {
        if (v > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
          throw Failure{SOSIA_PARQUET_CORRUPT,
                        "column '" + name + "' holds " + std::to_string(v) +
                            ", which is larger than a 64-bit integer with sign"};
        }
        return static_cast<int64_t>(v);
      });
    default: {
      const auto unit = checked_cast<const arrow::TimestampType&>(*array.type()).unit();
      return copy_values<arrow::TimestampType>(
          array, integers_, [&](int64_t v) { return milliseconds(v, unit, name); });
    }
  }
}

void ReadArray::fill_reals(const arrow::Array& array) {
  const auto plain = [](auto v) { return static_cast<double>(v); };
  switch (array.type_id()) {
    case Type::HALF_FLOAT: {
      const auto& typed = checked_cast<const arrow::HalfFloatArray&>(array);
      for (int64_t i = 0; i < array.length(); ++i) {
        reals_.push_back(array.IsNull(i) ? 0
                                         : half(typed.raw_values()[static_cast<std::size_t>(i)]));
      }
      return;
    }
    case Type::FLOAT:
      return copy_values<arrow::FloatType>(array, reals_, plain);
    default:
      return copy_values<arrow::DoubleType>(array, reals_, plain);
  }
}

namespace {

/// Appends `count` elements of the lists' values.
void append_floats(const arrow::Array& values, int64_t first, int64_t count,
                   std::vector<float>& out) {
  for (int64_t i = first; i < first + count; ++i) {
    if (values.IsNull(i)) {
      out.push_back(std::numeric_limits<float>::quiet_NaN());
    } else if (values.type_id() == Type::FLOAT) {
      out.push_back(checked_cast<const arrow::FloatArray&>(values).Value(i));
    } else if (values.type_id() == Type::DOUBLE) {
      out.push_back(static_cast<float>(checked_cast<const arrow::DoubleArray&>(values).Value(i)));
    } else {
      out.push_back(half(checked_cast<const arrow::HalfFloatArray&>(values).raw_values()[i]));
    }
  }
}

}  // namespace

void ReadArray::fill_floats(const arrow::Array& array, const std::string& name) {
  const auto copy = [&](const auto& lists) {
    width_ = -1;
    for (int64_t i = 0; i < array.length(); ++i) {
      if (array.IsNull(i)) continue;
      const auto length = static_cast<int64_t>(lists.value_length(i));
      if (width_ < 0) width_ = length;
      if (length != width_) {
        throw Failure{SOSIA_PARQUET_CORRUPT, "column '" + name + "' holds vectors of " +
                                                 std::to_string(width_) + " and of " +
                                                 std::to_string(length) + " elements"};
      }
    }
    width_ = std::max<int64_t>(width_, 0);
    for (int64_t i = 0; i < array.length(); ++i) {
      if (array.IsNull(i)) {
        floats_.resize(floats_.size() + static_cast<std::size_t>(width_), 0.0f);
      } else {
        append_floats(*lists.values(), static_cast<int64_t>(lists.value_offset(i)), width_,
                      floats_);
      }
    }
  };
  switch (array.type_id()) {
    case Type::FIXED_SIZE_LIST:
      return copy(checked_cast<const arrow::FixedSizeListArray&>(array));
    case Type::LIST:
      return copy(checked_cast<const arrow::ListArray&>(array));
    default:
      return copy(checked_cast<const arrow::LargeListArray&>(array));
  }
}

SosiaParquetArray ReadArray::fill(const arrow::Array& array, const std::string& name) {
  present_.clear();
  integers_.clear();
  reals_.clear();
  floats_.clear();
  text_.clear();
  offsets_.assign(1, 0);
  width_ = 0;
  for (int64_t i = 0; i < array.length(); ++i) present_.push_back(array.IsNull(i) ? 0 : 1);
  int64_t ignored = 0;
  switch (type_of(*array.type(), ignored)) {
    case SOSIA_PARQUET_TEXT:
      if (array.type_id() == Type::DICTIONARY) {
        fill_dictionary(checked_cast<const arrow::DictionaryArray&>(array));
      } else {
        fill_text(array);
      }
      break;
    case SOSIA_PARQUET_INTEGER:
    case SOSIA_PARQUET_TIME:
      fill_integers(array, name);
      break;
    case SOSIA_PARQUET_REAL:
      fill_reals(array);
      break;
    case SOSIA_PARQUET_FLOATS:
      fill_floats(array, name);
      break;
    default:
      throw Failure{SOSIA_PARQUET_UNSUPPORTED,
                    "column '" + name + "' is of type " + array.type()->ToString()};
  }
  return {present_.data(), offsets_.data(), text_.data(), integers_.data(),
          reals_.data(),   floats_.data(),  width_};
}

std::shared_ptr<arrow::DataType> arrow_type(const SosiaParquetColumn& column) {
  switch (column.type) {
    case SOSIA_PARQUET_TEXT:
      return arrow::utf8();
    case SOSIA_PARQUET_INTEGER:
      return arrow::int64();
    case SOSIA_PARQUET_TIME:
      return arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
    case SOSIA_PARQUET_REAL:
      return arrow::float64();
    case SOSIA_PARQUET_FLOATS:
      return arrow::fixed_size_list(arrow::field("element", arrow::float32(), false),
                                    static_cast<int32_t>(column.width));
    default:
      throw Failure{SOSIA_PARQUET_ARGUMENT, "a column has no type"};
  }
}

std::shared_ptr<arrow::Array> make_array(int32_t type, int64_t width, const SosiaParquetArray& from,
                                         int64_t rows) {
  const auto there = [&](int64_t i) { return from.present == nullptr || from.present[i] != 0; };
  const auto build = [&](auto&& builder, auto&& append) {
    require(builder.Reserve(rows));
    for (int64_t i = 0; i < rows; ++i)
      require(there(i) ? append(builder, i) : builder.AppendNull());
    return require(builder.Finish());
  };
  switch (type) {
    case SOSIA_PARQUET_TEXT:
      return build(arrow::StringBuilder(), [&](auto& builder, int64_t i) {
        const int64_t length = from.offsets[i + 1] - from.offsets[i];
        if (length > std::numeric_limits<int32_t>::max()) {
          return arrow::Status::CapacityError("a text of 2 GiB and more");
        }
        return builder.Append(from.text + from.offsets[i], static_cast<int32_t>(length));
      });
    case SOSIA_PARQUET_INTEGER:
      return build(arrow::Int64Builder(),
                   [&](auto& builder, int64_t i) { return builder.Append(from.integers[i]); });
    case SOSIA_PARQUET_TIME:
      return build(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"),
                                           arrow::default_memory_pool()),
                   [&](auto& builder, int64_t i) { return builder.Append(from.integers[i]); });
    case SOSIA_PARQUET_REAL:
      return build(arrow::DoubleBuilder(),
                   [&](auto& builder, int64_t i) { return builder.Append(from.reals[i]); });
    default: {
      auto values = std::make_shared<arrow::FloatBuilder>();
      const auto list = arrow::fixed_size_list(arrow::field("element", arrow::float32(), false),
                                               static_cast<int32_t>(width));
      return build(arrow::FixedSizeListBuilder(arrow::default_memory_pool(), values, list),
                   [&](auto& builder, int64_t i) {
                     const arrow::Status status = builder.Append();
                     return status.ok() ? values->AppendValues(from.floats + i * width, width)
                                        : status;
                   });
    }
  }
}

}  // namespace sosia_parquet
