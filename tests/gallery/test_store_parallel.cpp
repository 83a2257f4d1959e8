// Searches from many threads while another changes the gallery.

#include "store_support.hpp"

#include <atomic>
#include <thread>

namespace sosia::gallery {
namespace {

using namespace test;

constexpr std::size_t kDimension = 32;

TEST(Parallel, EightThreadsSearchWhileOneWrites) {
  const Place place({.dimension = kDimension});
  RunContext run({.threads = 1});
  const auto gallery = place.write();
  gallery->add(make_templates(200, kDimension), "", run);
  std::atomic<std::size_t> added{200};
  std::atomic<bool> done{false};
  std::atomic<std::size_t> searches{0}, wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      RunContext own({.threads = 1});
      for (std::uint64_t i = 0; !done || i < 3; ++i) {
        // Acknowledged before the search began: it must be found. Subjects 0 to 9 may be forgotten.
        const std::size_t present = added.load();
        const std::size_t wanted = 40 + (i * 8 + t) * 7 % (present - 40);
        SearchRequest request;
        const auto probe = random_vector(kDimension, wanted);
        request.probes = probe;
        request.k = 3;
        const SearchResult result = gallery->search(request, own).results[0];
        if (result.templates.empty() ||
            result.templates[0].template_id != static_cast<std::int64_t>(wanted) ||
            result.templates[0].label != "subject-" + std::to_string(wanted / 4) ||
            result.templates[0].score < 0.99f) {
          ++wrong;
        }
        ++searches;
      }
    });
  }
  for (std::size_t step = 0; step < 10; ++step) {
    gallery->add(make_templates(16, kDimension, added), "", run);
    added += 16;
    if (step % 3 == 0) gallery->forget("subject-" + std::to_string(step / 3), "", run);
    if (step == 5) gallery->compact(Gallery::IndexChoice::none, 0.99, run);
    gallery->info();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GE(searches, 24u);
  EXPECT_TRUE(gallery->verify(run).empty());
}

TEST(Parallel, AReaderOfItsOwnSeesEveryAcknowledgedChange) {
  const Place place({.dimension = kDimension});
  RunContext run({.threads = 1});
  const auto writer = place.write();
  const auto reader = place.read();
  for (std::size_t i = 0; i < 60; ++i) {
    writer->add(make_templates(1, kDimension, i, 1), "", run);
    const auto found = search(*reader, random_vector(kDimension, i), 1).results[0].templates;
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].template_id, static_cast<std::int64_t>(i));
    if (i % 10 == 9) {
      writer->forget("subject-" + std::to_string(i), "", run);
      const auto after = search(*reader, random_vector(kDimension, i), 100).results[0].templates;
      for (const Match& match : after) EXPECT_NE(match.template_id, static_cast<std::int64_t>(i));
    }
  }
}

}  // namespace
}  // namespace sosia::gallery
