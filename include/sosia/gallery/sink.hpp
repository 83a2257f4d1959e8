#pragma once
// Where templates are written for other programs, by the file's ending.

#include "sosia/core/files.hpp"
#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sosia::gallery {

/// A file of templates that appears whole at `finish` or not at all. Thread-safety: none.
class TemplateSink {
 public:
  virtual ~TemplateSink() = default;
  virtual void add(const StoredTemplate& t) = 0;
  /// Makes the file visible; gives what was written. Call once.
  virtual std::vector<std::filesystem::path> finish() = 0;
};

/// By the ending: .jsonl or .ndjson (one object a line), .parquet, .npy (32-bit floats, with the
/// other columns in a .csv of the same name), .npz (the array `vectors`, kept in memory until the
/// end, and the same .csv), .csv (the numbers as columns v0, v1, ...). Throws usage for others,
/// missing_feature for .parquet without Arrow, otherwise as `AtomicFile`.
std::unique_ptr<TemplateSink> open_template_sink(const std::string& path, std::size_t dimension,
                                                 Overwrite overwrite);

}  // namespace sosia::gallery
