// Real files, where the shared data are at hand.

#include "common.hpp"
#include "errors.hpp"
#include "sosia/formats.hpp"

namespace sosia::formats {
namespace {

#define SOSIA_NEED(variable, name)         \
  const auto variable = shared_data(name); \
  if (!variable) GTEST_SKIP() << "the shared data hold no " << (name)

TEST(SharedData, CsvFilesOfRecords) {
  SOSIA_NEED(febrl, "er-persons/febrl/dataset1.csv");
  CsvReader csv(*febrl);
  csv.column("rec_id");
  std::size_t records = 0;
  for (; csv.next(); ++records) EXPECT_EQ(csv.size(), csv.header().size());
  EXPECT_EQ(records, 1000u);
}

TEST(SharedData, CsvFilesOfOrganisations) {
  SOSIA_NEED(abt, "er-benchmarks/dedupe/AbtBuy_Abt.csv");
  CsvReader csv(*abt);
  std::size_t records = 0;
  while (csv.next()) ++records;
  EXPECT_EQ(records, 1081u);
}

TEST(SharedData, TabSeparatedTickers) {
  SOSIA_NEED(tickers, "org-tickers/sp500_vs_sec2023-09.tsv");
  CsvReader csv(*tickers);
  EXPECT_EQ(csv.delimiter(), '\t');
  while (csv.next()) EXPECT_EQ(csv.size(), csv.header().size());
}

// MTCNN weights: a dict of arrays, pickled inside of an .npy file.
TEST(SharedData, NpyFilesOfObjects) {
  SOSIA_NEED(pnet, "weights-face-detect/mtcnn/pnet.npy");
  const Pickle pickle = read_npy_pickle(*pnet);
  const PickleNode weights = pickle.root()[0];
  ASSERT_TRUE(weights.is(PickleKind::dict));
  EXPECT_EQ(weights.size(), 13u);
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    parameters += weights.entry(i).second.array().size();
  }
  EXPECT_EQ(parameters, 6632u);
}

PickleOptions torch_names() {
  PickleOptions options;
  options.allow = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.*Storage"};
  options.persistent_ids = true;
  return options;
}

// PyTorch's old checkpoints: a magic number, a version, machine sizes, the state and the storage
// keys, each a pickle of its own.
TEST(SharedData, OldTorchCheckpoint) {
  SOSIA_NEED(pnet, "weights-face-detect/mtcnn/pnet.pt");
  const MappedFile file(*pnet);
  auto rest = file.bytes();
  const Pickle magic = parse_pickle(rest);
  EXPECT_TRUE(magic.root().is(PickleKind::big_integer));
  rest = rest.subspan(magic.end_offset());
  const Pickle version = parse_pickle(rest);
  EXPECT_EQ(version.root().as_integer(), 1001);
  rest = rest.subspan(version.end_offset());
  rest = rest.subspan(parse_pickle(rest).end_offset());
  EXPECT_EQ(code_of([&] { parse_pickle(rest); }), ErrorCode::unsupported);
  const Pickle state = parse_pickle(rest, "pnet.pt", torch_names());
  const auto weight = state.root().find("conv1.weight");
  ASSERT_TRUE(weight.has_value());
  EXPECT_EQ(weight->name(), "torch._utils._rebuild_tensor_v2");
  EXPECT_EQ(weight->arguments()[0].persistent_id()[1].name(), "torch.FloatStorage");
  EXPECT_EQ(weight->arguments()[2][0].as_integer(), 10);  // out channels
}

TEST(SharedData, NewTorchCheckpoint) {
  SOSIA_NEED(yunet, "weights-face-detect/yunet/yunet_n.pth");
  const ZipReader zip(*yunet);
  const ZipEntry* entry = zip.find("archive/data.pkl");
  ASSERT_NE(entry, nullptr);
  const std::vector<std::byte> bytes = zip.read(*entry);
  const Pickle pickle = parse_pickle(bytes, "yunet_n.pth", torch_names());
  const auto state = pickle.root().find("state_dict");
  ASSERT_TRUE(state.has_value());
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < state->size(); ++i) {
    const PickleNode tensor = state->entry(i).second;
    const PickleNode storage = tensor.arguments()[0].persistent_id();
    const ZipEntry* data = zip.find("archive/data/" + std::string(storage[2].as_text()));
    ASSERT_NE(data, nullptr);
    std::size_t elements = 1;
    const PickleNode shape = tensor.arguments()[2];
    for (std::size_t d = 0; d < shape.size(); ++d) {
      elements *= static_cast<std::size_t>(shape[d].as_integer());
    }
    const std::size_t width = storage[1].name() == "torch.LongStorage" ? 8 : 4;
    EXPECT_EQ(zip.stored_view(*data).size(), elements * width);
    parameters += elements;
  }
  EXPECT_GT(parameters, 70'000u);  // 74 k by the authors' count
}

TEST(SharedData, FacesInFolders) {
  SOSIA_NEED(orl, "faces-orl");
  const SubjectListing listing = list_subjects(*orl);
  EXPECT_EQ(listing.subjects.size(), 40u);
  EXPECT_EQ(listing.subjects[0].images.size(), 10u);
}

TEST(SharedData, MarketNames) {
  SOSIA_NEED(crops, "reid-market-samples/crops");
  std::size_t images = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*crops)) {
    const auto name = parse_market_name(entry.path().filename().string());
    ASSERT_TRUE(name.has_value()) << entry.path();
    EXPECT_LT(name->camera, 6);
    ++images;
  }
  EXPECT_EQ(images, 7u);
}

}  // namespace
}  // namespace sosia::formats
