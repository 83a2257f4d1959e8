#include "face/verb_parts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

namespace sosia::face {
namespace {

constexpr std::size_t kReasonsShown = 10;  // in an error; the rest is counted

/// All that comes on standard input.
std::string read_standard_input() {
  constexpr std::size_t kMostBytes = 256u << 20;
  std::string text;
  std::array<char, 1 << 16> block;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw Error(ErrorCode::io,
                  std::string("standard input cannot be read: ") + std::strerror(errno));
    }
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > kMostBytes) {
      throw Error(ErrorCode::out_of_memory, "the list on standard input has more than 256 MiB");
    }
  }
}

std::string listed(std::span<const SkippedFile> files) {
  std::string text;
  for (const SkippedFile& file : files.first(std::min(kReasonsShown, files.size()))) {
    text += "\n  " + quote(file.path.string(), 200) + ": " + file.reason;
  }
  if (files.size() > kReasonsShown) {
    text += fmt::format("\n  and {} more", files.size() - kReasonsShown);
  }
  return text;
}

}  // namespace

void describe_detector(Fields& f, FaceOptions& o) {
  f({.name = "detector", .help = "card of the face detector", .group = "faces"}, o.detector);
  f({.name = "min_face",
     .help = "longer side of the smallest face that is looked for (in pictures beyond 2 megapixels "
             "it grows with them)",
     .unit = "px",
     .min = 8,
     .max = 10'000,
     .group = "faces"},
    o.min_face);
  f({.name = "min_score",
     .help = "detections of a lower score are dropped (default: the card's threshold)",
     .min = 0,
     .max = 1,
     .group = "faces"},
    o.min_score);
  f({.name = "max_faces",
     .help = "faces of a picture, those of highest score; 0 takes all",
     .min = 0,
     .max = 100'000,
     .group = "faces"},
    o.max_faces);
  f.choice({.name = "precision",
            .help = "fast takes what the processor does best: the scores drift by about 1e-2 and "
                    "differ between machines",
            .group = "faces"},
           o.precision, {{"exact", models::Precision::exact}, {"fast", models::Precision::fast}});
  models::describe_store(f, o.store);
}

void describe_faces(Fields& f, FaceOptions& o) {
  f({.name = "model", .help = "card or path of the face embedder"}, o.model);
  describe_detector(f, o);
}

void describe_inputs(Fields& f, std::vector<std::string>& inputs, const char* help) {
  f({.name = "inputs",
     .help = help,
     .role = FieldRole::input,
     .positional = true,
     .required = true},
    inputs);
}

FacePipeline open_pipeline(const FaceOptions& o, const PipelineWish& wish, Report& report,
                           RunContext& run) {
  models::ModelStore store = models::open_store(o.store);
  models::warn_of_broken(report, store);
  PipelineOptions options;
  options.detector = store.resolve(o.detector);
  options.embedder = wish.embed ? store.resolve(o.model) : "";
  options.detect = {.min_face_px = o.min_face, .min_score = o.min_score};
  options.max_faces = static_cast<std::size_t>(o.max_faces);
  options.precision = o.precision;
  options.keep_chips = wish.keep_chips;
  options.threads = run.threads();
  // Few pictures get all threads each.
  options.parallel = static_cast<int>(
      std::clamp<std::size_t>(wish.files, 1, static_cast<std::size_t>(run.threads())));
  return FacePipeline(store, options);
}

std::vector<std::string> with_standard_input(std::span<const std::string> inputs) {
  std::vector<std::string> names;
  bool read = false;
  for (const std::string& input : inputs) {
    if (input != "-") {
      names.push_back(input);
    } else if (!std::exchange(read, true)) {
      for (std::string& line : split_file_list(read_standard_input())) {
        names.push_back(std::move(line));
      }
    }
  }
  return names;
}

FileList collect_inputs(std::span<const std::string> inputs) {
  FileList list = collect_files(with_standard_input(inputs));
  if (list.files.empty()) {
    throw Error(ErrorCode::not_found,
                list.skipped.empty() ? "there is no picture"
                                     : "there is no picture:" + listed(list.skipped),
                "name pictures, folders that hold some, or patterns such as 'photos/*.jpg'");
  }
  return list;
}

void FileCounts::add(const Analysis& analysis) {
  ++files;
  if (analysis.error) {
    bad.push_back({analysis.file, analysis.error->message()});
    return;
  }
  ++read;
  faces += analysis.faces.size();
  without_face += analysis.faces.empty();
}

FileCounts stream_files(const FacePipeline& pipeline, const FileList& list,
                        const std::function<void(Analysis&&)>& each, RunContext& run) {
  FileCounts counts;
  pipeline.stream(
      list.files,
      [&](Analysis&& analysis) {
        counts.add(analysis);
        each(std::move(analysis));
        return true;
      },
      run);
  counts.files += list.skipped.size();
  counts.bad.insert(counts.bad.end(), list.skipped.begin(), list.skipped.end());
  require_readable(counts);
  return counts;
}

void require_readable(const FileCounts& counts) {
  if (counts.read > 0 || counts.files == 0) return;
  throw Error(ErrorCode::corrupt_data, counts.files == 1
                                           ? "the file could not be read:" + listed(counts.bad)
                                           : fmt::format("none of {} files could be read:{}",
                                                         counts.files, listed(counts.bad)));
}

void add_counts(Report& report, const FileCounts& counts) {
  report.scalar("files", counts.files, "files");
  report.scalar("read", counts.read, "files read");
  report.scalar("faces_found", counts.faces, "faces found");
  report.scalar("without_face", counts.without_face, "files without a face");
  Table table{.key = "problems",
              .title = "Files that could not be read",
              .columns = {{"file", "", ""}, {"reason", "", ""}}};
  for (const SkippedFile& file : counts.bad) table.add({file.path.string(), file.reason});
  add_table(report, std::move(table));
  if (!counts.bad.empty()) {
    report.warning(fmt::format("{} of {} files could not be read: they are listed with the reasons",
                               counts.bad.size(), counts.files));
  }
}

void add_table(Report& report, Table table) {
  if (table.rows.empty()) {
    report.data(table.key, Value::list());
    return;
  }
  report.table(table.key, table.title, table.columns, table.note).rows = std::move(table.rows);
}

double rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

Value to_value(const image::Box& box) {
  return Value::list({rounded(box.x_px, 2), rounded(box.y_px, 2), rounded(box.width_px, 2),
                      rounded(box.height_px, 2)});
}

Value to_value(const Landmarks& points) {
  Value list = Value::list();
  for (const image::Point& p : points) {
    list.push(Value::list({rounded(p.x_px, 2), rounded(p.y_px, 2)}));
  }
  return list;
}

bool html_wanted(const RunContext& run) {
  const Setting* html = run.given().find("html");
  return html != nullptr && html->value.is_text() && !html->value.as_text().empty();
}

}  // namespace sosia::face
