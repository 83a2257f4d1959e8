// `sosia world sheet`: contact sheets, to be looked at by a person.

#include "sosia/core/error.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/world/attack.hpp"
#include "sosia/world/face.hpp"
#include "sosia/world/person.hpp"
#include "world/verbs.hpp"

#include <filesystem>

#include <fmt/format.h>

namespace sosia::world {
namespace {

enum class Subject { faces, attacks, persons, tracklet, all };

struct SheetOptions {
  Subject show = Subject::all;
  std::int64_t rows = 8;
  std::int64_t size = 128;
  std::string out;
};

void describe(Fields& f, SheetOptions& o) {
  f.choice({.name = "show", .help = "which sheet"}, o.show,
           {{"faces", Subject::faces},
            {"attacks", Subject::attacks},
            {"persons", Subject::persons},
            {"tracklet", Subject::tracklet},
            {"all", Subject::all}});
  f({.name = "rows", .help = "subjects on a sheet", .min = 2, .max = 40}, o.rows);
  f({.name = "size", .help = "longer side of a picture", .unit = "px", .min = 32, .max = 256},
    o.size);
  f({.name = "out",
     .help = "folder for the PNG files",
     .role = FieldRole::output_folder,
     .required = true},
    o.out);
}

constexpr image::Colour kGreen{40, 160, 60, 255}, kRed{210, 40, 40, 255};

// Pictures that a sheet shows, row by row.
struct Cells {
  std::vector<image::Image> pictures;
  std::vector<std::string> captions;
  std::vector<std::optional<image::Colour>> borders;

  void add(image::Image picture, std::string caption = {},
           std::optional<image::Colour> border = {}) {
    pictures.push_back(std::move(picture));
    captions.push_back(std::move(caption));
    borders.push_back(border);
  }
  image::Image sheet(int columns, int width, int height) const {
    std::vector<image::SheetCell> cells;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      cells.push_back({pictures[i], captions[i], borders[i]});
    }
    return image::contact_sheet(
        cells, {.columns = columns, .cell_width_px = width, .cell_height_px = height, .gap_px = 4});
  }
};

// One identity a row, one setting of attributes a column: true swaps of each other.
image::Image face_sheet(const SheetOptions& o, RunContext& run) {
  constexpr std::uint64_t kColumns = 8;
  Cells cells;
  FaceRenderer renderer;
  const int size = static_cast<int>(o.size);
  for (std::uint64_t row = 0; row < static_cast<std::uint64_t>(o.rows); ++row) {
    run.progress("faces", row, static_cast<std::uint64_t>(o.rows));
    const FaceIdentity identity = random_face_identity(run.seed(), row);
    for (std::uint64_t column = 0; column < kColumns; ++column) {
      FaceImage image;
      renderer.render(identity,
                      column == 0 ? random_enrolment_attributes(run.seed(), row, 0)
                                  : random_face_attributes(run.seed(), 0, column),
                      size, image);
      cells.add(std::move(image.picture));
    }
  }
  return cells.sheet(kColumns, size, size);
}

image::Image attack_sheet(const SheetOptions& o, RunContext& run) {
  Cells cells;
  FaceRenderer faces;
  AttackRenderer attacks;
  const int size = static_cast<int>(o.size);
  const std::uint64_t seed = run.seed();
  for (std::uint64_t row = 0; row < static_cast<std::uint64_t>(o.rows); ++row) {
    run.progress("attacks", row, static_cast<std::uint64_t>(o.rows));
    const std::uint64_t stranger = row ^ (std::uint64_t{1} << 40);
    const AttackScene scene{
        random_face_identity(seed, row), random_enrolment_attributes(seed, row, 0),
        random_face_identity(seed, stranger), random_enrolment_attributes(seed, stranger, 0)};
    FaceImage face;
    faces.render(scene.victim, scene.victim_attributes, size, face);
    cells.add(std::move(face.picture), "bona fide");
    for (int kind = 0; kind < kAttackKinds; ++kind) {
      const auto which = static_cast<AttackKind>(kind);
      AttackImage attack;
      attacks.render(scene, random_attack(seed, row, 0, which), size, attack);
      cells.add(std::move(attack.picture), std::string(name_of(which)));
    }
    faces.render(scene.wearer, scene.wearer_attributes, size, face);
    cells.add(std::move(face.picture), "mask's wearer");
  }
  return cells.sheet(2 + kAttackKinds, size, size);
}

image::Extent person_extent(const SheetOptions& o) {
  return {static_cast<int>(o.size / 2), static_cast<int>(o.size)};
}

// One person a row, one camera a column.
image::Image person_sheet(const SheetOptions& o, RunContext& run) {
  constexpr int kCameras = 6;
  const PersonWorld world({.seed = run.seed(),
                           .train_subjects = static_cast<int>(o.rows),
                           .test_subjects = 0,
                           .cameras = kCameras,
                           .presence = 1,
                           .shots = 1});
  Cells cells;
  for (const std::int64_t subject : world.subjects(PersonSplit::train)) {
    run.check_cancelled();
    for (const PersonCrop& crop : world.stills(subject)) {
      cells.add(world.render(crop, person_extent(o)));
    }
  }
  return cells.sheet(kCameras, person_extent(o).width_px, person_extent(o).height_px);
}

// The frames of one tracklet in which another person is taken for the first: red frames.
image::Image tracklet_sheet(const SheetOptions& o, RunContext& run) {
  const PersonWorld world({.seed = run.seed(), .id_switch = 1});
  for (int video = 0; video < world.options().videos; ++video) {
    for (const PersonTracklet& tracklet : world.tracklets(video)) {
      run.check_cancelled();
      if (tracklet.switched_at < 0 || tracklet.frames.size() < 8) continue;
      Cells cells;
      for (const PersonCrop& crop : tracklet.frames) {
        const bool other = crop.subject != tracklet.subject;
        cells.add(world.render(crop, person_extent(o)), fmt::format("id {}", crop.subject),
                  other ? kRed : kGreen);
      }
      return cells.sheet(static_cast<int>(tracklet.frames.size()), person_extent(o).width_px,
                         person_extent(o).height_px);
    }
  }
  throw Error(ErrorCode::internal, "no tracklet of this seed holds an identity switch",
              "try another --seed");
}

struct Sheet {
  Subject subject;
  std::string_view name, title;
  image::Image (*draw)(const SheetOptions&, RunContext&);
};
constexpr Sheet kSheets[] = {
    {Subject::faces, "faces", "One identity a row, one setting of attributes a column", face_sheet},
    {Subject::attacks, "attacks", "Attacks beside their originals", attack_sheet},
    {Subject::persons, "persons", "One person a row, one camera a column", person_sheet},
    {Subject::tracklet, "tracklet", "A tracklet with an identity switch (red)", tracklet_sheet}};

Report sheet(const SheetOptions& o, RunContext& run) {
  Report report("world.sheet", "world: contact sheets");
  Value files = Value::list();
  for (const Sheet& s : kSheets) {
    if (o.show != Subject::all && o.show != s.subject) continue;
    const image::Image picture = s.draw(o, run);
    image::Encoded encoded = image::encode(picture, image::Format::png);
    const auto path = std::filesystem::path(o.out) / (std::string(s.name) + ".png");
    run.write_output(path, encoded.bytes);
    files.push(path.string());
    report.pictures({.key = std::string(s.name),
                     .title = std::string(s.title),
                     .pictures = {{.caption = std::string(s.title),
                                   .media_type = encoded.media_type,
                                   .bytes = std::move(encoded.bytes)}}});
  }
  report.scalar("files", std::move(files));
  report.verdict(fmt::format("sheets of seed {} in {}", run.seed(), o.out));
  return report;
}

Report plan(const SheetOptions& o, RunContext& run) {
  Report report("world.sheet", "dry run of `sosia world sheet`");
  report.scalar("seed", run.seed());
  report.scalar("out", o.out, "would write to");
  report.verdict("the options are valid; nothing was done");
  return report;
}

}  // namespace

Verb sheet_verb() {
  return make_verb<SheetOptions>(
      {.noun = "world",
       .name = "sheet",
       .summary = "contact sheets of the world, to be looked at",
       .details =
           "faces.png shows one identity a row under eight settings of attributes: the first "
           "column "
           "is each subject's own enrolment picture, in the others all rows share the attributes, "
           "so "
           "that any two rows are true swaps of each other. attacks.png shows print, replay and "
           "mask "
           "beside the originals; persons.png six cameras a person; tracklet.png a tracklet that "
           "changes the person on its way.",
       .examples = {{"sosia world sheet --out sheets", "all four"},
                    {"sosia world sheet --show faces --rows 4 --size 96 --seed 3 --out sheets "
                     "--html sheets.html",
                     "one of them, also as a page"}}},
      sheet, plan);
}

}  // namespace sosia::world
