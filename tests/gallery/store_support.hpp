#pragma once
// Galleries, templates and damage for the tests of the store.

#include "gallery/local_gallery.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/gallery/gallery.hpp"

#include <cmath>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::gallery::test {

/// The code of the error that `work` throws, or nothing.
template <class Work>
std::optional<ErrorCode> error_of(Work work, std::string* message = nullptr) {
  try {
    work();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.render();
    return error.code();
  }
  return std::nullopt;
}

inline std::vector<float> random_vector(std::size_t dimension, std::uint64_t index,
                                        std::uint64_t seed = 0) {
  RandomStream random(seed, "vector", index);
  std::vector<float> v(dimension);
  for (float& x : v) x = static_cast<float>(random.normal());
  return v;
}

/// Template `i` of subject "subject-<i / each>".
inline Template make_template(std::size_t i, std::size_t dimension, std::size_t each = 4) {
  Template t;
  t.label = "subject-" + std::to_string(i / each);
  t.vector = random_vector(dimension, i);
  t.camera = "camera-" + std::to_string(i % 3);
  t.time_ms = 1'700'000'000'000 + static_cast<std::int64_t>(i) * 1000;
  t.quality = 0.5 + 0.001 * static_cast<double>(i % 400);
  t.origin = "photo-" + std::to_string(i) + ".jpg";
  t.metadata = Value::object({{"number", i}, {"note", "remark about item " + std::to_string(i)}});
  return t;
}

inline std::vector<Template> make_templates(std::size_t count, std::size_t dimension,
                                            std::size_t first = 0, std::size_t each = 4) {
  std::vector<Template> batch;
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(make_template(first + i, dimension, each));
  }
  return batch;
}

/// A gallery in a folder of its own.
class Place {
 public:
  explicit Place(CreateOptions options = {}, Secret secret = {})
      : secret_(std::move(secret)), path_((folder_.path() / "g.sosia").string()) {
    if (options.dimension == 0) options.dimension = 64;
    create_gallery(path_, options, open_options(Access::write));
  }
  OpenOptions open_options(Access access, bool write_cache = true) const {
    return {.access = access, .secret = secret_, .who = "test", .write_cache = write_cache};
  }
  std::unique_ptr<Gallery> write() const {
    return open_gallery(path_, open_options(Access::write));
  }
  std::unique_ptr<Gallery> read(bool write_cache = true) const {
    return open_gallery(path_, open_options(Access::read, write_cache));
  }
  const std::string& path() const { return path_; }
  std::string cache() const { return path_ + ".cache"; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  Secret secret_;
  std::string path_;
};

inline SearchAnswer search(Gallery& gallery, std::span<const float> probes, std::size_t k = 5,
                           SearchRequest request = {}) {
  RunContext run({.threads = 2});
  request.probes = probes;
  request.k = k;
  return gallery.search(request, run);
}

/// Everything that an answer says, for comparing two.
inline std::string text_of(const SearchAnswer& answer) {
  std::string text;
  for (const SearchResult& result : answer.results) {
    for (const Match& m : result.templates) {
      text += std::to_string(m.template_id) + "|" + m.label + "|" + m.tenant + "|" + m.camera +
              "|" + std::to_string(m.score) + "\n";
    }
    for (const SubjectMatch& m : result.subjects) {
      text += m.label + "=" + std::to_string(m.score) + "\n";
    }
    text += "--\n";
  }
  return text;
}

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Flips one bit of a file in place.
inline void flip(const std::string& path, std::uint64_t bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(bit / 8));
  const int byte = file.get();
  ASSERT_GE(byte, 0);
  file.seekp(static_cast<std::streamoff>(bit / 8));
  file.put(static_cast<char>(byte ^ (1 << (bit % 8))));
  file.flush();
  ASSERT_TRUE(file.good());
}

/// All labels that lie in a folder's files as bytes.
inline bool found_in_files(const std::filesystem::path& folder, std::string_view bytes) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file() &&
        file_text(entry.path().string()).find(bytes) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace sosia::gallery::test
