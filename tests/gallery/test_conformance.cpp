// The conformance suite over gallery files. Over a Milvus server it runs in tests/server.
#include "gallery/conformance.hpp"
#include "sosia/core/files.hpp"

namespace sosia::gallery {
namespace {

class FileEngine final : public Engine {
 public:
  std::string fresh_place() override {
    return (folder_.path() / ("g" + std::to_string(count_++))).string();
  }
  std::unique_ptr<Gallery> create(const std::string& place, const CreateOptions& options,
                                  const OpenOptions& open) override {
    return create_gallery(place, options, open);
  }
  std::unique_ptr<Gallery> open(const std::string& place, const OpenOptions& open) override {
    return open_gallery(place, open);
  }
  std::string name() const override { return "file"; }
  bool exact_beside_graph() const override { return true; }

 private:
  TemporaryFolder folder_;
  int count_ = 0;
};

Engine* file_engine() {
  static FileEngine engine;
  return &engine;
}

INSTANTIATE_TEST_SUITE_P(File, GalleryConformance, ::testing::Values(file_engine()));

}  // namespace
}  // namespace sosia::gallery
