// `sosia world export`: the world in the layouts that programs of the field read.

#include "sosia/image/encode.hpp"
#include "sosia/world/caption.hpp"
#include "sosia/world/face.hpp"
#include "sosia/world/person.hpp"
#include "world/draw.hpp"
#include "world/output_set.hpp"
#include "world/producer.hpp"
#include "world/truth.hpp"
#include "world/verbs.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace sosia::world {
namespace {

enum class Layout { folder, market1501, lfw, ffhq };

struct ExportOptions {
  Layout layout = Layout::folder;
  std::int64_t count = 20;
  std::int64_t images = 4;
  std::int64_t size = 128;
  std::int64_t quality = 92;
  std::string out;
};

void describe(Fields& f, ExportOptions& o) {
  f.choice({.name = "layout", .help = "whose layout"}, o.layout,
           {{"folder", Layout::folder},
            {"market1501", Layout::market1501},
            {"lfw", Layout::lfw},
            {"ffhq", Layout::ffhq}});
  f({.name = "count", .help = "how many subjects", .min = 2, .max = 99'999}, o.count);
  f({.name = "images",
     .help = "pictures of each subject (market1501: of each subject and camera)",
     .min = 1,
     .max = 1000},
    o.images);
  f({.name = "size", .help = "longer side of a picture", .unit = "px", .min = 32, .max = 256},
    o.size);
  f({.name = "quality", .help = "of JPEG files", .min = 1, .max = 100}, o.quality);
  f({.name = "out",
     .help = "folder to fill; missing or empty",
     .role = FieldRole::output_folder,
     .required = true},
    o.out);
}

std::string_view layout_name(Layout layout) {
  constexpr std::string_view kNames[] = {"folder", "market1501", "lfw", "ffhq"};
  return kNames[static_cast<std::size_t>(layout)];
}

Value settings_of(const ExportOptions& o, const RunContext& run) {
  return Value::object({{"schema", "sosia.world.export/1"},
                        {"layout", layout_name(o.layout)},
                        {"count", o.count},
                        {"images", o.images},
                        {"size", o.size},
                        {"quality", o.quality},
                        {"seed", run.seed()}});
}

struct Job {
  const ExportOptions& o;
  RunContext& run;
  OutputSet& out;
  std::uint64_t pictures = 0;
  std::vector<std::string> noted = {};

  std::uint64_t subjects() const { return static_cast<std::uint64_t>(o.count); }
  std::uint64_t images() const { return static_cast<std::uint64_t>(o.images); }
  int size() const { return static_cast<int>(o.size); }
  void save_jpeg(const std::string& name, image::ImageView picture) const {
    out.write(name,
              image::encode(picture, image::Format::jpeg, {.quality = static_cast<int>(o.quality)})
                  .bytes);
  }
  // The pictures of a face subject, the first frontal; each goes to save(number, attributes,
  // image).
  void faces(std::uint64_t subject,
             const std::function<void(std::uint64_t, const FaceIdentity&, const FaceAttributes&,
                                      const FaceImage&)>& save) const {
    FaceRenderer renderer;
    FaceImage image;
    const FaceIdentity identity = random_face_identity(run.seed(), subject);
    for (std::uint64_t i = 0; i < images(); ++i) {
      const FaceAttributes attributes = i == 0 ? random_enrolment_attributes(run.seed(), subject, i)
                                               : random_face_attributes(run.seed(), subject, i);
      renderer.render(identity, attributes, size(), image);
      save(i, identity, attributes, image);
    }
  }
};

void export_folder(Job& job) {
  stream_in_order(
      job.run, "subjects", job.subjects(),
      [&](std::uint64_t subject) {
        job.faces(subject, [&](std::uint64_t i, const auto&, const auto&, const FaceImage& image) {
          job.save_jpeg(subject_folder(subject) + "/" + picture_name(i) + ".jpg", image.picture);
        });
        return std::string();
      },
      [&](std::uint64_t, const std::string&) { job.pictures += job.images(); });
}

std::string lfw_name(std::uint64_t subject) {
  return fmt::format("Subject_{:05}", subject);
}

// Ten folds (fewer for few subjects) whose subjects do not overlap, as in LFW's second view.
std::string lfw_pairs(const Job& job) {
  const std::uint64_t folds = std::clamp<std::uint64_t>(job.subjects() / 2, 1, 10);
  const std::uint64_t images = job.images();
  std::string text;
  std::uint64_t each = 300;
  for (std::uint64_t fold = 0; fold < folds; ++fold) {
    const std::uint64_t members = (job.subjects() - fold + folds - 1) / folds;
    each = std::min(each, members * (images * (images - 1) / 2));
    each = std::min(each, members * (members - 1) / 2 * images * images);
  }
  text = fmt::format("{}\t{}\n", folds, each);
  for (std::uint64_t fold = 0; fold < folds; ++fold) {
    Draw draw(job.run.seed(), "lfw pairs", fold);
    const std::uint64_t members = (job.subjects() - fold + folds - 1) / folds;
    const auto member = [&] {
      return fold + folds * static_cast<std::uint64_t>(draw.below(static_cast<int>(members)));
    };
    const auto number = [&] { return 1 + draw.below(static_cast<int>(images)); };
    std::set<std::string> seen;
    while (seen.size() < each) {
      const std::uint64_t who = member();
      int a = number(), b = number();
      if (a == b) continue;
      if (a > b) std::swap(a, b);
      const std::string line = fmt::format("{}\t{}\t{}\n", lfw_name(who), a, b);
      if (seen.insert(line).second) text += line;
    }
    seen.clear();
    while (seen.size() < each) {
      std::uint64_t a = member(), b = member();
      if (a == b) continue;
      if (a > b) std::swap(a, b);
      const std::string line =
          fmt::format("{}\t{}\t{}\t{}\n", lfw_name(a), number(), lfw_name(b), number());
      if (seen.insert(line).second) text += line;
    }
  }
  return text;
}

void export_lfw(Job& job) {
  stream_in_order(
      job.run, "subjects", job.subjects(),
      [&](std::uint64_t subject) {
        const std::string name = lfw_name(subject);
        job.faces(subject, [&](std::uint64_t i, const auto&, const auto&, const FaceImage& image) {
          job.save_jpeg(fmt::format("{}/{}_{:04}.jpg", name, name, i + 1), image.picture);
        });
        return std::string();
      },
      [&](std::uint64_t, const std::string&) { job.pictures += job.images(); });
  if (job.images() > 1) {
    job.out.write("pairs.txt", lfw_pairs(job));
    job.noted.emplace_back("pairs.txt");
  }
}

// FFHQ's metadata (ffhq-dataset-v2.json), with the subject and the caption that FFHQ does not have.
void export_ffhq(Job& job) {
  job.out.append("ffhq-dataset.json", "{\n");
  stream_in_order(
      job.run, "subjects", job.subjects(),
      [&](std::uint64_t subject) {
        std::string text;
        job.faces(subject, [&](std::uint64_t i, const FaceIdentity& identity,
                               const FaceAttributes& attributes, const FaceImage& image) {
          const std::uint64_t number = subject * job.images() + i;
          const std::string path =
              fmt::format("images/{:05}/{:05}.png", number / 1000 * 1000, number);
          job.out.write(path,
                        image::encode(image.picture, image::Format::png, {.compression = 2}).bytes);
          const Value seen = truth_of(image);
          Value entry = Value::object(
              {{"category", number % 7 == 0 ? "validation" : "training"},
               {"image", Value::object({{"file_path", path},
                                        {"pixel_size", numbers({static_cast<double>(job.size()),
                                                                static_cast<double>(job.size())},
                                                               0)},
                                        {"face_landmarks", seen.at("landmarks68")},
                                        {"face_rect", seen.at("box")}})},
               {"subject", subject_folder(subject)},
               {"caption", caption_text(caption_of(attributes))},
               {"identity", to_value(identity)},
               {"attributes", to_value(attributes)}});
          text += fmt::format("{}\"{}\": {}", number == 0 ? "" : ",\n", number, to_json(entry, -1));
        });
        return text;
      },
      [&](std::uint64_t, const std::string& text) {
        job.out.append("ffhq-dataset.json", text);
        job.pictures += job.images();
      });
  job.out.append("ffhq-dataset.json", "\n}\n");
  job.noted.emplace_back("ffhq-dataset.json");
}

void export_market(Job& job) {
  const auto train = static_cast<int>(job.o.count / 2);
  const PersonWorld world({.seed = job.run.seed(),
                           .train_subjects = train,
                           .test_subjects = static_cast<int>(job.o.count) - train,
                           .shots = static_cast<int>(job.o.images)});
  const image::Extent extent{job.size() / 2, job.size()};
  stream_in_order(
      job.run, "subjects", job.subjects(),
      [&](std::uint64_t i) {
        const auto subject = static_cast<std::int64_t>(i) + world.options().first_subject;
        const bool training = world.subjects(PersonSplit::train).contains(subject);
        std::uint64_t written = 0;
        for (const PersonCrop& crop : world.stills(subject)) {
          const char* folder = training               ? "bounding_box_train"
                               : world.is_query(crop) ? "query"
                                                      : "bounding_box_test";
          job.save_jpeg(fmt::format("{}/{}.jpg", folder, market_stem(crop)),
                        world.render(crop, extent));
          ++written;
        }
        return std::to_string(written);
      },
      [&](std::uint64_t, const std::string& written) {
        job.pictures += static_cast<std::uint64_t>(std::stoull(written));
      });
}

Report export_world(const ExportOptions& o, RunContext& run) {
  OutputSet out(o.out, settings_of(o, run));
  Job job{o, run, out};
  switch (o.layout) {
    case Layout::folder:
      export_folder(job);
      break;
    case Layout::market1501:
      export_market(job);
      break;
    case Layout::lfw:
      export_lfw(job);
      break;
    case Layout::ffhq:
      export_ffhq(job);
      break;
  }
  job.out.append("README.txt",
                 fmt::format("Rendered by `sosia world export --layout {} --count {} --images {} "
                             "--size {} --seed {}`.\nNobody in these pictures exists.\n",
                             layout_name(o.layout), o.count, o.images, o.size, run.seed()));
  job.noted.emplace_back("README.txt");
  out.finish(run, job.noted);
  Report report("world.export", fmt::format("world: export as {}", layout_name(o.layout)));
  report.scalar("layout", layout_name(o.layout));
  report.scalar("subjects", o.count);
  report.scalar("files", job.pictures, "pictures");
  report.scalar("out", o.out, "folder");
  if (o.layout == Layout::lfw && o.images == 1) {
    report.warning("one picture a subject has no pairs of one person: pairs.txt was left out");
  }
  report.verdict(fmt::format("{} pictures of {} subjects in {}", job.pictures, o.count, o.out));
  return report;
}

Report plan(const ExportOptions& o, RunContext& run) {
  const bool resumes = check_output_folder(o.out, settings_of(o, run));
  Report report("world.export", "dry run of `sosia world export`");
  report.scalar("layout", layout_name(o.layout));
  report.scalar("subjects", o.count);
  report.scalar("out", o.out, resumes ? "would complete" : "would fill");
  report.verdict("the options are valid and the folder is free; nothing was done");
  return report;
}

}  // namespace

Verb export_verb() {
  return make_verb<ExportOptions>(
      {.noun = "world",
       .name = "export",
       .summary = "the world in the layouts of known data sets",
       .details =
           "folder: <subject>/<picture>.jpg. market1501: persons as PPPP_cCsS_FFFFFF_NN.jpg in "
           "bounding_box_train, bounding_box_test and query; half of the subjects train, no one is "
           "in both halves. lfw: Name/Name_0001.jpg and pairs.txt with folds whose subjects do not "
           "overlap. ffhq: images/00000/00000.png and ffhq-dataset.json with landmarks, box, "
           "caption, identity and attributes.",
       .examples = {{"sosia world export --layout lfw --count 20 --size 64 --out lfw",
                     "face verification"},
                    {"sosia world export --layout market1501 --count 12 --images 2 --out market",
                     "person re-identification"},
                    {"sosia world export --layout ffhq --count 6 --images 1 --size 96 --out ffhq",
                     "aligned faces with JSON"}}},
      export_world, plan);
}

}  // namespace sosia::world
