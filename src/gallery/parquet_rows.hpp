#pragma once
// Templates in Parquet tables, for `gallery import` and `gallery export`.

#include "gallery/row_source.hpp"
#include "sosia/core/files.hpp"
#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace sosia::gallery {

/// Columns: label (text), vector (a list of numbers), and, if wanted, camera, tenant, origin
/// (text), time (text as elsewhere, a number, or a time of the table), quality (number), metadata
/// (a JSON object as text), template (integer). Throws as `formats::ParquetReader`, and
/// corrupt_data when label or vector is missing or of another type.
std::unique_ptr<RowSource> open_parquet(const std::string& path);

/// Writes templates with the columns above; time as a time of the table.
class ParquetTemplates {
 public:
  ParquetTemplates(const std::string& path, std::size_t dimension, Overwrite overwrite);
  ~ParquetTemplates();
  void add(const StoredTemplate& t);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::gallery
