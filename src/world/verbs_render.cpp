// `sosia world render`: subjects of one kind as folders of pictures, with every parameter.

#include "sosia/image/encode.hpp"
#include "world/output_set.hpp"
#include "world/producer.hpp"
#include "world/truth.hpp"
#include "world/verbs.hpp"

#include <atomic>

#include <fmt/format.h>

namespace sosia::world {
namespace {

enum class Kind { face, attack, person, organisation, record };

struct RenderOptions {
  Kind kind = Kind::face;
  std::int64_t count = 10;
  std::int64_t images = 4;
  std::int64_t size = 128;
  std::string out;
  bool parts = false;
};

void describe(Fields& f, RenderOptions& o) {
  f.choice({.name = "kind", .help = "what to make"}, o.kind,
           {{"face", Kind::face},
            {"attack", Kind::attack},
            {"person", Kind::person},
            {"organisation", Kind::organisation},
            {"record", Kind::record}});
  f({.name = "count", .help = "how many subjects", .min = 1, .max = 10'000'000}, o.count);
  f({.name = "size", .help = "longer side of a picture", .unit = "px", .min = 32, .max = 256},
    o.size);
  f({.name = "images", .help = "pictures of each subject", .min = 1, .max = 1000}, o.images);
  f({.name = "parts", .help = "also write parsing maps, under parts/"}, o.parts);
  f({.name = "out",
     .help = "folder to fill; missing or empty",
     .role = FieldRole::output_folder,
     .required = true},
    o.out);
}

std::string_view kind_name(Kind kind) {
  constexpr std::string_view kNames[] = {"face", "attack", "person", "organisation", "record"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::unique_ptr<Producer> make_producer(Kind kind, const RenderRequest& request) {
  switch (kind) {
    case Kind::face:
      return make_face_producer(request);
    case Kind::attack:
      return make_attack_producer(request);
    case Kind::person:
      return make_person_producer(request);
    case Kind::organisation:
      return make_organisation_producer(request);
    case Kind::record:
      return make_record_producer(request);
  }
  return nullptr;
}

Value settings_of(const RenderOptions& o, const RunContext& run) {
  return Value::object({{"schema", "sosia.world.render/1"},
                        {"kind", kind_name(o.kind)},
                        {"count", o.count},
                        {"images", o.images},
                        {"size", o.size},
                        {"parts", o.parts},
                        {"seed", run.seed()}});
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      line += cell;
      continue;
    }
    line += '"';
    for (const char c : cell) line.append(c == '"' ? 2 : 1, c);
    line += '"';
  }
  return line + "\n";
}

// Writes the files of a subject. Returns its lines of truth.jsonl, then those of the CSV file,
// with a zero byte between.
std::string write_subject(OutputSet& out, const Producer& producer, std::uint64_t index,
                          std::atomic<std::uint64_t>& pictures) {
  const SubjectItems subject = producer.subject(index);
  std::string truth, csv;
  for (const Item& item : subject.items) {
    Value files = Value::list();
    for (const ItemFile& file : item.files) {
      const std::string relative = (file.aside ? "parts/" : "") + subject.folder + "/" + file.name;
      if (file.picture.empty()) {
        out.write(relative, file.text);
      } else {
        // Fast compression: these files are read once and thrown away.
        out.write(relative,
                  image::encode(file.picture, image::Format::png, {.compression = 2}).bytes);
        pictures.fetch_add(1, std::memory_order_relaxed);
      }
      files.push(relative);
    }
    Value line = Value::object({{"subject", subject.folder}, {"files", std::move(files)}});
    for (const auto& [key, value] : item.truth.as_object()) line.set(key, value);
    truth += truth_line(line);
    if (!item.csv_cells.empty()) csv += csv_line(item.csv_cells);
  }
  return truth + '\0' + csv;
}

Report render(const RenderOptions& o, RunContext& run) {
  const RenderRequest request{.seed = run.seed(),
                              .subjects = static_cast<std::uint64_t>(o.count),
                              .images_per_subject = static_cast<int>(o.images),
                              .size_px = static_cast<int>(o.size),
                              .parts = o.parts};
  const auto producer = make_producer(o.kind, request);
  OutputSet out(o.out, settings_of(o, run));
  const std::string csv_name = producer->csv_name();
  if (!csv_name.empty()) out.append(csv_name, csv_line(producer->csv_header()));
  std::atomic<std::uint64_t> pictures = 0;
  std::uint64_t items = 0;
  stream_in_order(
      run, "subjects", request.subjects,
      [&](std::uint64_t i) { return write_subject(out, *producer, i, pictures); },
      [&](std::uint64_t, std::string& text) {
        const std::size_t middle = text.find('\0');
        const std::string_view truth = std::string_view(text).substr(0, middle);
        items += static_cast<std::uint64_t>(std::count(truth.begin(), truth.end(), '\n'));
        out.append("truth.jsonl", truth);
        if (!csv_name.empty()) out.append(csv_name, std::string_view(text).substr(middle + 1));
      });
  std::vector<std::string> noted{"truth.jsonl"};
  if (!csv_name.empty()) noted.push_back(csv_name);
  out.finish(run, noted);

  Report report("world.render",
                fmt::format("world: {} subjects of kind {}", o.count, kind_name(o.kind)));
  report.scalar("kind", kind_name(o.kind));
  report.scalar("subjects", o.count);
  report.scalar("items", items, "lines of truth.jsonl");
  report.scalar("files", pictures.load(), "pictures");
  report.scalar("out", o.out, "folder");
  if (out.resumed()) report.text("An unfinished run with the same options was completed.");
  report.verdict(fmt::format("{} subjects, {} items in {}", o.count, items, o.out));
  return report;
}

Report plan(const RenderOptions& o, RunContext& run) {
  const bool resumes = check_output_folder(o.out, settings_of(o, run));
  Report report("world.render", "dry run of `sosia world render`");
  report.scalar("subjects", o.count);
  report.scalar("items", o.count * o.images, "items at most");
  report.scalar("out", o.out, resumes ? "would complete" : "would fill");
  report.verdict("the options are valid and the folder is free; nothing was done");
  return report;
}

}  // namespace

Verb render_verb() {
  return make_verb<RenderOptions>(
      {.noun = "world",
       .name = "render",
       .summary = "make subjects with known truth: faces, attacks, persons, names, records",
       .details =
           "Fills the folder with one folder per subject and truth.jsonl, one JSON object for each "
           "item: subject, files, identity, attributes, caption, landmarks, box, shares of parts, "
           "hash of the pixels. The same seed gives the same bytes on one machine for any "
           "--threads, and the same pixels on every x86-64 machine; only manifest.json (times) "
           "differs. The first face of a subject is frontal and clear, to be enrolled. Attacks "
           "come "
           "in the order bona fide, print, replay, mask, with attack.csv beside them. A run that "
           "breaks off leaves the file UNFINISHED; the same command completes it.",
       .examples = {{"sosia world render --kind face --count 3 --size 64 --out faces",
                     "three people, four pictures each"},
                    {"sosia world render --kind attack --count 2 --seed 7 --out attacks --json",
                     "a print, a replay and a mask of each, beside the original"},
                    {"sosia world render --kind organisation --count 20 --out companies",
                     "companies under several names"}}},
      render, plan);
}

}  // namespace sosia::world
