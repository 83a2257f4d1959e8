#include "sosia/core/claim.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/registry.hpp"
#include "sosia/core/settings.hpp"
#include "template_room/methods/template_method/template_method.hpp"

#include <gtest/gtest.h>

namespace sosia::template_room::template_method {

void register_method(Registry& registry);

namespace {

TEST(TemplateMethod, SeparatesTwoPointsThatAreFarApart) {
  const Points train{.x = {0, 0, 10, 10}, .y = {0, 1}, .dimensions = 2};
  const NearestMean model(train, false);
  EXPECT_EQ(model.classify(std::vector<float>{1, 2}), 0);
  EXPECT_EQ(model.classify(std::vector<float>{9, 7}), 1);
}

TEST(TemplateMethod, StandardisationIsWhatMattersWhenScalesDiffer) {
  // The second coordinate separates, the first is a thousand times larger and does not.
  const Points train{.x = {0, 0, 4000, 0, 1000, 1, 4000, 1.5F, 0, .5F, 2000, 1},
                     .y = {0, 0, 1, 1, 0, 1},
                     .dimensions = 2};
  const std::vector<float> probe{3800, 0};
  EXPECT_EQ(NearestMean(train, true).classify(probe), 0);
  EXPECT_EQ(NearestMean(train, false).classify(probe), 1);
}

TEST(TemplateMethod, OneClassIsAnError) {
  const Points train{.x = {1, 2}, .y = {1, 1}, .dimensions = 1};
  EXPECT_THROW(NearestMean(train, true), Error);
}

TEST(TemplateMethod, NearsTheClosedFormWhenDataAreMany) {
  const Options options;
  const Points train = draw_clouds(options, 5000, RandomStream(1, "train"));
  const Points test = draw_clouds(options, 5000, RandomStream(1, "test"));
  // Observed: 0.8757 against 0.8711.
  EXPECT_NEAR(accuracy(NearestMean(train, true), test), bayes_accuracy(options), 0.015);
}

TEST(TemplateMethod, SameSeedSamePoints) {
  const Options options;
  const Points a = draw_clouds(options, 5, RandomStream(7, "x"));
  EXPECT_EQ(a.x, draw_clouds(options, 5, RandomStream(7, "x")).x);
  EXPECT_NE(a.x, draw_clouds(options, 5, RandomStream(8, "x")).x);
}

TEST(TemplateMethod, RecipeFitsTheOptions) {
  const std::string file = std::string(SOSIA_SOURCE_DIR) +
                           "/src/template_room/methods/template_method/recipes/small.toml";
  const auto options = decode<Options>(parse_toml(read_text(file), file), file);
  EXPECT_EQ(options.dimensions, 4);
}

TEST(TemplateMethod, ClaimHasItsFourRowsAndIsDeterministic) {
  Registry registry;
  register_method(registry);
  const Claim& claim = *registry.find_claim("template_method");
  RunContext run({.seed = 3});
  const ClaimOptions options{.quick = true};
  const ClaimResult first = claim.run(options, run);
  const Report report = claim_report(claim, options, first, 0);  // throws when a role is missing
  EXPECT_EQ(report.verdict(), "shown");
  const ClaimResult second = claim.run(options, run);
  for (std::size_t i = 0; i < first.rows.size(); ++i) {
    EXPECT_EQ(first.rows[i].metrics, second.rows[i].metrics) << first.rows[i].arm;
  }
}

TEST(TemplateMethod, ClaimStopsWhenItIsCancelled) {
  Registry registry;
  register_method(registry);
  auto token = std::make_shared<CancelToken>();
  token->cancel();
  RunContext run({.cancel = token});
  EXPECT_THROW(registry.find_claim("template_method")->run({}, run), Error);
}

}  // namespace
}  // namespace sosia::template_room::template_method
