#pragma once
// What every engine of the gallery must do alike. The tests are in conformance.cpp; a test program
// instantiates them for its engine:
//
//   INSTANTIATE_TEST_SUITE_P(File, GalleryConformance, ::testing::Values(&file_engine()));

#include "sosia/gallery/gallery.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace sosia::gallery {

/// One engine under test.
class Engine {
 public:
  virtual ~Engine() = default;
  /// A place where there is no gallery yet.
  virtual std::string fresh_place() = 0;
  virtual std::unique_ptr<Gallery> create(const std::string& place, const CreateOptions& options,
                                          const OpenOptions& open) = 0;
  virtual std::unique_ptr<Gallery> open(const std::string& place, const OpenOptions& open) = 0;
  /// "file" or "milvus", as `GalleryInfo::engine` says.
  virtual std::string name() const = 0;
  /// Whether an exact search is possible while there is a graph index.
  virtual bool exact_beside_graph() const = 0;
  /// Vectors of the large tests.
  virtual std::size_t dimension() const { return 64; }
};

class GalleryConformance : public ::testing::TestWithParam<Engine*> {
 protected:
  Engine& engine() { return *GetParam(); }
  std::unique_ptr<Gallery> create(const CreateOptions& options, std::string who = "test");
  std::unique_ptr<Gallery> reopen(Access access = Access::write, std::string who = "test");
  std::string place_;
  RunContext run_{RunConfig{}};
};

}  // namespace sosia::gallery
