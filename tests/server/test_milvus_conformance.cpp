// The conformance suite over a Milvus server; see with_milvus.py.
#include "gallery/conformance.hpp"
#include "gallery/milvus.hpp"
#include "server/milvus_place.hpp"

namespace sosia::gallery {
namespace {

class MilvusEngine final : public Engine {
 public:
  std::string fresh_place() override { return fresh_milvus_place(); }
  std::unique_ptr<Gallery> create(const std::string& place, const CreateOptions& options,
                                  const OpenOptions& open) override {
    return create_milvus(parse_milvus_address(place), options, open);
  }
  std::unique_ptr<Gallery> open(const std::string& place, const OpenOptions& open) override {
    return open_milvus(parse_milvus_address(place), open);
  }
  std::string name() const override { return "milvus"; }
  bool exact_beside_graph() const override { return false; }
};

Engine* milvus_engine() {
  static MilvusEngine engine;
  return &engine;
}

INSTANTIATE_TEST_SUITE_P(Milvus, GalleryConformance, ::testing::Values(milvus_engine()));

}  // namespace
}  // namespace sosia::gallery
