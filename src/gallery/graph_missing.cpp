// The approximate index of a build without hnswlib: every use says what adds it.

#include "gallery/matrix.hpp"
#include "sosia/core/error.hpp"

namespace sosia::gallery {

namespace {

[[noreturn]] void missing() {
  throw Error(ErrorCode::missing_feature, "this build has no graph index: hnswlib was not there",
              "run 'make setup', then build again; or search without an index");
}

}  // namespace

struct GraphIndex::Impl {};

GraphIndex::GraphIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GraphIndex::GraphIndex(GraphIndex&&) noexcept = default;
GraphIndex& GraphIndex::operator=(GraphIndex&&) noexcept = default;
GraphIndex::~GraphIndex() = default;

GraphIndex GraphIndex::build(const Rows&, const Options&, RunContext&) {
  missing();
}
GraphIndex GraphIndex::load(const std::string&, const Rows&) {
  missing();
}
void GraphIndex::save(const std::string&) const {
  missing();
}
std::size_t GraphIndex::size() const noexcept {
  return 0;
}
void GraphIndex::measure(const Rows&, std::size_t, RunContext&) {
  missing();
}
const std::vector<GraphIndex::Measured>& GraphIndex::measured() const noexcept {
  static const std::vector<Measured> kNothing;
  return kNothing;
}
std::size_t GraphIndex::width_for(std::size_t, double) const noexcept {
  return 0;
}
std::vector<std::vector<Hit>> GraphIndex::search(const Rows&, std::span<const float>, std::size_t,
                                                 std::size_t, std::span<const RowMask* const>,
                                                 RunContext&) const {
  missing();
}
void GraphIndex::erase(std::span<const std::uint32_t>) {
  missing();
}
bool GraphIndex::available() noexcept {
  return false;
}

}  // namespace sosia::gallery
