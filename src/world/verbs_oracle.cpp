// `sosia world oracle`: what is true about a rendered folder, so that a claim can print a ceiling.

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/world/caption.hpp"
#include "sosia/world/face.hpp"
#include "world/draw.hpp"
#include "world/truth.hpp"
#include "world/verbs.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include <fmt/format.h>

namespace sosia::world {
namespace {

namespace fs = std::filesystem;

struct OracleOptions {
  std::string folder;
  std::int64_t pairs = 20'000;
  std::string scores;
};

void describe(Fields& f, OracleOptions& o) {
  f({.name = "folder",
     .help = "what `world render --kind face` or attack made",
     .role = FieldRole::input_folder,
     .positional = true,
     .required = true},
    o.folder);
  f({.name = "pairs", .help = "at most so many impostor pairs, drawn", .min = 1, .max = 10'000'000},
    o.pairs);
  f({.name = "scores",
     .help = "CSV file for the true similarities, as `sosia evaluate verification` reads it",
     .role = FieldRole::output_file},
    o.scores);
}

// One subject and the numbers of its pictures.
struct Subject {
  std::string name;
  FaceIdentity identity;
  std::int64_t pictures = 0;
};

struct Folder {
  std::vector<Subject> subjects;
  std::int64_t items = 0, faces = 0, attacks = 0;
  std::int64_t captions = 0, captions_read_back = 0;
  std::map<std::string, std::map<std::string, std::int64_t>> choices;
};

void add_line(Folder& folder, const Value& line, std::map<std::string, std::size_t>& known) {
  const std::string& kind = line.at("kind").as_text();
  ++folder.items;
  if (kind != "face" && kind != "bona_fide") {
    if (line.find("attack") == nullptr) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("items of kind {} have no face oracle", quote(kind)),
                  "PersonWorld in sosia/world/person.hpp holds the oracles of persons");
    }
    ++folder.attacks;
    return;
  }
  ++folder.faces;
  const std::string& name = line.at("subject").as_text();
  const FaceIdentity identity = face_identity_from_value(line.at("identity"));
  const auto [place, is_new] = known.emplace(name, folder.subjects.size());
  if (is_new) folder.subjects.push_back({.name = name, .identity = identity, .pictures = 0});
  Subject& subject = folder.subjects[place->second];
  if (!(subject.identity == identity)) {
    throw Error(ErrorCode::corrupt_data, fmt::format("subject {} has two identities", quote(name)));
  }
  ++subject.pictures;
  const FaceAttributes attributes = face_attributes_from_value(line.at("attributes"));
  const Value named = to_value(attributes);
  for (const auto& [key, value] : named.as_object()) {
    if (value.is_text()) ++folder.choices[key][value.as_text()];
  }
  if (const Value* caption = line.find("caption")) {
    ++folder.captions;
    const FaceCaption read = parse_caption(caption->as_text(), CaptionReading::complete);
    folder.captions_read_back += read == caption_of(attributes) ? 1 : 0;
  }
}

Folder read_folder(const std::string& path, RunContext& run) {
  const fs::path file = fs::path(path) / "truth.jsonl";
  std::ifstream in(file);
  if (!in) {
    throw Error(ErrorCode::not_found, fmt::format("there is no {}", quote(file.string(), 200)),
                "make the folder with `sosia world render --kind face --out " + path + "`");
  }
  run.note_input(file);
  Folder folder;
  std::map<std::string, std::size_t> known;
  std::string text;
  for (std::int64_t number = 1; std::getline(in, text); ++number) {
    if (number % 256 == 0) run.check_cancelled();
    if (text.empty()) continue;
    const std::string origin = fmt::format("{}: line {}", file.string(), number);
    const Value line = parse_json(text, origin);
    try {
      add_line(folder, line, known);
    } catch (const Error& error) {
      throw Error(error.code(), error.message(), error.hint(), origin);
    }
  }
  if (in.bad()) throw Error(ErrorCode::io, "cannot read " + quote(file.string(), 200));
  if (folder.faces == 0) {
    throw Error(ErrorCode::corrupt_data, quote(file.string(), 200) + " holds no face");
  }
  return folder;
}

struct Moments {
  double mean = 0, squares = 0, nearest = 2;
  std::int64_t count = 0;
  void add(double distance) {
    mean += distance;
    squares += distance * distance;
    nearest = std::min(nearest, distance);
    ++count;
  }
};

// All pairs of subjects, or a sample of `most`; each goes to use(a, b, distance).
template <class Use>
void impostors(const Folder& folder, std::int64_t most, RunContext& run, const Use& use) {
  const std::size_t n = folder.subjects.size();
  const auto all = static_cast<double>(n) * (static_cast<double>(n) - 1) / 2;
  const auto pair = [&](std::size_t a, std::size_t b) {
    use(folder.subjects[a], folder.subjects[b],
        identity_distance(folder.subjects[a].identity, folder.subjects[b].identity));
  };
  if (all <= static_cast<double>(most)) {
    for (std::size_t a = 0; a < n; ++a) {
      run.check_cancelled();
      for (std::size_t b = a + 1; b < n; ++b) pair(a, b);
    }
    return;
  }
  Draw draw(run.seed(), "oracle pairs");
  for (std::int64_t i = 0; i < most; ++i) {
    if (i % 4096 == 0) run.check_cancelled();
    const auto a = static_cast<std::size_t>(draw.below(static_cast<int>(n)));
    auto b = static_cast<std::size_t>(draw.below(static_cast<int>(n) - 1));
    b += b >= a ? 1 : 0;
    pair(std::min(a, b), std::max(a, b));
  }
}

Report oracle(const OracleOptions& o, RunContext& run) {
  const Folder folder = read_folder(o.folder, run);
  std::string csv = "score,label,subject_a,subject_b\n";
  const auto score = [&csv](double distance, int label, const Subject& a, const Subject& b) {
    csv +=
        fmt::format("{},{},{},{}\n", to_json(Value(1 - distance / 2), -1), label, a.name, b.name);
  };
  const bool writes = !o.scores.empty();
  std::int64_t genuine = 0;
  for (const Subject& s : folder.subjects) {
    genuine += s.pictures * (s.pictures - 1) / 2;
    for (std::int64_t i = 0; writes && i + 1 < s.pictures; ++i) {
      for (std::int64_t j = i + 1; j < s.pictures; ++j) score(0, 1, s, s);
    }
  }
  Moments moments;
  impostors(folder, o.pairs, run, [&](const Subject& a, const Subject& b, double distance) {
    moments.add(distance);
    if (writes) score(distance, 0, a, b);
  });
  if (writes) run.write_output(o.scores, csv);

  Report report("world.oracle", "world: what is true about " + o.folder);
  report.scalar("subjects", folder.subjects.size());
  report.scalar("faces", folder.faces);
  report.scalar("attacks", folder.attacks);
  report.scalar("genuine_pairs", genuine, "pairs of pictures of one subject", "true distance 0");
  report.scalar("impostor_pairs", moments.count, "pairs of subjects");
  const auto count = static_cast<double>(std::max<std::int64_t>(1, moments.count));
  if (moments.count > 0) {
    const double n = static_cast<double>(folder.subjects.size());
    report.scalar("mean_square_distance", moments.squares / count, {},
                  "closed form: 2/3; root mean square over the traits");
    report.scalar("closed_form", 2.0 / 3.0, "its expectation");
    // Pairs that share a subject are alike: their covariance is that of (x - a)^2 and (x - b)^2,
    // 4/45 a trait.
    const double variance =
        (28.0 / 45 + 2 * (n - 2) * (4.0 / 45)) / (n * (n - 1) / 2) / kFaceTraits;
    report.scalar("closed_form_deviation", std::sqrt(variance), "its standard deviation",
                  "over all pairs of independent subjects");
    report.scalar("nearest", moments.nearest, "distance of the nearest two subjects");
    const double ceiling = moments.nearest > 0 ? 1.0 : std::nan("");
    report.scalar("ceiling_auc", ceiling, "AUC of the oracle",
                  "every genuine pair is nearer than every impostor pair");
  }
  if (folder.captions > 0) {
    report.scalar(
        "captions_read_back",
        static_cast<double>(folder.captions_read_back) / static_cast<double>(folder.captions),
        "captions whose parse gives the attributes");
  }
  Table& table = report.table("attributes", "Attributes of the faces",
                              {{"attribute", "", ""}, {"value", "", ""}, {"share", "", ""}});
  for (const auto& [name, values] : folder.choices) {
    for (const auto& [value, seen] : values) {
      table.add({name, value, static_cast<double>(seen) / static_cast<double>(folder.faces)});
    }
  }
  report.verdict(
      moments.count == 0
          ? fmt::format("one subject, {} pictures: no impostor pair", folder.faces)
          : fmt::format("the oracle tells all {} subjects apart; the nearest two differ by {:.3f}, "
                        "the mean square distance is {:.4f} (expected {:.4f})",
                        folder.subjects.size(), moments.nearest, moments.squares / count, 2.0 / 3));
  return report;
}

}  // namespace

Verb oracle_verb() {
  return make_verb<OracleOptions>(
      {.noun = "world",
       .name = "oracle",
       .summary = "true distances and attributes of rendered faces: the ceiling of a claim",
       .details =
           "Reads truth.jsonl. The true distance of two subjects is the root mean square "
           "difference "
           "of their traits, 0 between pictures of one subject; with --scores every pair of "
           "pictures "
           "of one subject and (a sample of) the pairs of subjects are written as score,label, "
           "where "
           "the score is 1 - distance / 2. Traits are independent and uniform on [-1, 1], so that "
           "the squared distance has the closed-form mean 2/3.",
       .examples = {{"sosia world oracle people", "distances and attributes"},
                    {"sosia world oracle people --scores oracle.csv && sosia evaluate verification "
                     "oracle.csv",
                     "the ceiling, measured as any other scores"}}},
      oracle);
}

}  // namespace sosia::world
