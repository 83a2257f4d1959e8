#include "gallery/decision_parts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/array.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/npy.hpp"

#include <cmath>

#include <fmt/format.h>

namespace sosia::gallery {

std::vector<float> read_vectors(const std::string& file, std::size_t dimension, RunContext& run) {
  const formats::Array array = formats::read_npy(file);
  run.note_input(file);
  const auto refuse = [&](std::string message, std::string hint = {}) {
    throw Error(ErrorCode::corrupt_data, std::move(message), std::move(hint), file);
  };
  const bool one = array.shape.size() == 1 && array.shape[0] == dimension;
  if (!one && array.shape.size() != 2) {
    refuse("the array has shape " + formats::shape_text(array.shape),
           "one vector per row is wanted: shape [n, " + std::to_string(dimension) + "]");
  }
  if (!one && array.shape[1] != dimension) {
    refuse(fmt::format("the vectors have dimension {}, the gallery's have {}", array.shape[1],
                       dimension),
           "were they made by the model that the gallery was made with?");
  }
  std::vector<float> vectors = formats::to_f32(array.view());
  for (std::size_t row = 0; row * dimension < vectors.size(); ++row) {
    if (row % 4096 == 0) run.check_cancelled();
    double squares = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const double x = vectors[row * dimension + i];
      squares += x * x;
    }
    if (!std::isfinite(squares)) refuse(fmt::format("row {} holds NaN or an infinity", row));
    if (squares == 0) refuse(fmt::format("row {} holds zeros only: it has no direction", row));
  }
  return vectors;
}

std::vector<std::string> read_column(const std::string& file, const std::string& column,
                                     std::size_t rows, RunContext& run) {
  formats::CsvReader reader(file);
  run.note_input(file);
  const std::size_t place = reader.column(column);
  std::vector<std::string> out;
  while (reader.next()) {
    if (out.size() % 4096 == 0) run.check_cancelled();
    out.emplace_back(trim(reader[place]));
  }
  if (out.size() != rows) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the file has {} rows for {} vectors", out.size(), rows),
                "one row is wanted for each vector, in the same order", file);
  }
  return out;
}

}  // namespace sosia::gallery
