// `sosia models run`.

#include "models/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/npy.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/transform.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/place.hpp"
#include "sosia/models/router.hpp"
#include "sosia/models/text_encoder.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

struct RunOptions {
  StorePlace place;
  std::string model;
  std::vector<std::string> inputs;
  std::string text;
  std::string texts;
  bool guess = false;
  bool resize = false;
  Precision precision = Precision::exact;
  std::string cache;
  std::int64_t repeat = 1;
  std::string out;
};

void describe(Fields& f, RunOptions& o) {
  f({.name = "model",
     .help = "name of a card, or an ONNX file",
     .positional = true,
     .required = true},
    o.model);
  f({.name = "inputs",
     .help = "pictures, or one .npy of 32-bit floats in the network's own shape",
     .role = FieldRole::input,
     .positional = true},
    o.inputs);
  f({.name = "text", .help = "instead: a text, for a text encoder"}, o.text);
  f({.name = "texts",
     .help = "instead: a file with a text on every line",
     .role = FieldRole::input_file},
    o.texts);
  f({.name = "guess", .help = "feed a file without a card as `models add` would propose"}, o.guess);
  f({.name = "resize", .help = "resize pictures to the input instead of refusing other sizes"},
    o.resize);
  f.choice({.name = "precision",
            .help = "fast takes what the processor does best and drifts by about 1e-2"},
           o.precision, {{"exact", Precision::exact}, {"fast", Precision::fast}});
  f({.name = "repeat", .help = "run this often and report the time", .min = 1, .max = 100'000},
    o.repeat);
  f({.name = "cache", .help = "folder of compiled networks (default: none)"}, o.cache);
  f({.name = "out", .help = "write all outputs here, as .npz", .role = FieldRole::output_file},
    o.out);
  describe_store(f, o.place);
}

NetworkOptions network_options(const RunOptions& o, const RunContext& run) {
  return {.threads = run.threads(), .precision = o.precision, .cache = o.cache};
}

/// A network and the card that says how it is fed.
struct Opened {
  Network network;
  ModelCard card;
};

/// By card, by a file with a card beside it or whose hash a card knows, or by a guess that was
/// asked for.
Opened open_model(const RunOptions& o, ModelStore& store, RunContext& run) {
  const NetworkOptions options = network_options(o, run);
  const bool has_card = fs::is_regular_file(fs::path(o.model).replace_extension(".toml"));
  if (store.find(o.model) != nullptr || !fs::is_regular_file(o.model) || has_card) {
    const ModelCard& card = store.at(store.resolve(o.model));
    return {Network::open(card, store, options), card};
  }
  run.note_input(o.model);
  const ModelCard* known = store.find_by_hash(sha256_file(o.model));
  if (known == nullptr && !o.guess) {
    throw Error(ErrorCode::not_found, fmt::format("no card knows the file {}", quote(o.model)),
                "`sosia models add FILE` proposes one; --guess runs it as it would propose");
  }
  Network network = Network::open_file(o.model, options);
  if (known != nullptr) return {std::move(network), *known};
  Suggestion guess = suggest_card(network.inputs(), network.outputs(), o.model, store.cards());
  return {std::move(network), std::move(guess.card)};
}

bool is_npy(const std::string& path) {
  return ascii_lower(path).ends_with(".npy");
}

Tensor read_tensor(const std::string& path) {
  const formats::NpyFile file(path);
  Tensor tensor;
  for (const std::size_t side : file.shape()) {
    tensor.shape.push_back(static_cast<std::int64_t>(side));
  }
  tensor.values = formats::to_f32(file.view());
  return tensor;
}

image::Image fitted(image::Image picture, const InputSpec& input, bool resize) {
  const auto width = static_cast<int>(input.width_px()),
             height = static_cast<int>(input.height_px());
  const bool fits =
      (width < 0 || picture.width_px() == width) && (height < 0 || picture.height_px() == height);
  if (fits || !resize) return picture;
  return image::resize(picture, width < 0 ? picture.width_px() : width,
                       height < 0 ? picture.height_px() : height);
}

/// All inputs as one batch.
Tensor read_inputs(const RunOptions& o, const InputSpec& input, RunContext& run) {
  if (o.inputs.size() == 1 && is_npy(o.inputs[0])) {
    run.note_input(o.inputs[0]);
    return read_tensor(o.inputs[0]);
  }
  std::vector<image::Image> pictures;
  for (const fs::path& path : expand_paths(o.inputs)) {
    run.check_cancelled();
    run.note_input(path);
    pictures.push_back(fitted(image::decode_file(path).image, input, o.resize));
  }
  const std::vector<image::ImageView> views(pictures.begin(), pictures.end());
  return image_tensor(input, views);
}

void add_outputs(Report& report, const std::vector<Port>& ports,
                 const std::vector<Tensor>& outputs) {
  constexpr std::size_t kShown = 8;
  Table& table = report.table("outputs", "Outputs",
                              {{"name", "", ""},
                               {"shape", "", ""},
                               {"least", "", ""},
                               {"most", "", ""},
                               {"first", "first numbers", ""}});
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& values = outputs[i].values;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    Value first = Value::list();
    for (std::size_t k = 0; k < std::min(kShown, values.size()); ++k) first.push(values[k]);
    Value shape = Value::list();
    for (const std::int64_t side : outputs[i].shape) shape.push(side);
    table.add({ports[i].name, std::move(shape), values.empty() ? Value() : Value(*low),
               values.empty() ? Value() : Value(*high), std::move(first)});
  }
}

/// Probabilities of the classes that the card names, row by row.
void add_classes(Report& report, const ModelCard& card, const Tensor& output) {
  const auto& classes = card.output.classes;
  if (classes.empty() || output.shape.size() != 2 || output.values.empty() ||
      static_cast<std::size_t>(output.shape[1]) != classes.size()) {
    return;
  }
  std::vector<Column> columns{{"row", "", ""}};
  for (const std::string& name : classes) columns.push_back({name, "", ""});
  Table& table = report.table("classes", "Probabilities", columns);
  for (std::int64_t row = 0; row < output.rows(); ++row) {
    std::vector<Value> cells{row};
    const auto logits = output.row(static_cast<std::size_t>(row));
    if (card.output.softmax) {
      for (const double share : softmax(logits)) cells.emplace_back(share);
    } else {
      for (const float value : logits) cells.emplace_back(value);
    }
    table.add(std::move(cells));
  }
}

void write_outputs(const RunOptions& o, const std::vector<Port>& ports,
                   const std::vector<Tensor>& outputs, RunContext& run) {
  if (o.out.empty()) return;
  formats::NamedArrays arrays;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::vector<std::size_t> shape(outputs[i].shape.begin(), outputs[i].shape.end());
    arrays.emplace_back(ports[i].name,
                        formats::array_view(std::span<const float>(outputs[i].values), shape));
  }
  run.write_output(o.out, formats::npz_bytes(arrays));
}

/// The median of `repeat` runs in milliseconds, and what the last one gave.
template <class Run>
auto timed(std::int64_t repeat, RunContext& run, double& median_ms, const Run& once) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  auto result = once();  // the first run also prepares
  if (repeat == 1) return result;
  for (std::int64_t i = 0; i < repeat; ++i) {
    run.progress("runs", static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(repeat));
    const auto start = Clock::now();
    result = once();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  median_ms = times[times.size() / 2];
  return result;
}

Report finished(const RunOptions& o, const ModelCard& card, const std::vector<Port>& ports,
                const std::vector<Tensor>& outputs, double median_ms, RunContext& run) {
  Report report("models.run", "a run of " + card.name);
  report.scalar("model", card.name);
  report.scalar("role", to_string(card.role));
  report.scalar("rows", outputs.front().rows());
  report.scalar("engine", engine_version());
  report.scalar("precision", o.precision == Precision::exact ? "exact" : "fast");
  report.scalar("threads", run.threads());
  if (o.repeat > 1) {
    report.scalar({.key = "run_ms", .label = "median of a run", .value = median_ms, .unit = "ms"});
  }
  add_outputs(report, ports, outputs);
  if (outputs.size() == 1) add_classes(report, card, outputs.front());
  if (card.source == "suggested") report.warning("the card was guessed: see `sosia models add`");
  write_outputs(o, ports, outputs, run);
  report.verdict(fmt::format("{} gave {}", card.name, shape_text(outputs.front().shape)));
  return report;
}

std::vector<std::string> read_texts(const RunOptions& o, RunContext& run) {
  if (!o.text.empty()) return {o.text};
  run.note_input(o.texts);
  std::string content = read_text(o.texts);
  if (content.ends_with('\n')) content.pop_back();
  std::vector<std::string> texts;
  for (std::string_view line : split(content, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    texts.emplace_back(line);
  }
  return texts;
}

Report run_texts(const RunOptions& o, const ModelStore& store, RunContext& run) {
  const std::vector<std::string> texts = read_texts(o, run);
  const TextEncoder encoder(store, o.model, network_options(o, run));
  double median_ms = 0;
  std::vector<float> rows = timed(o.repeat, run, median_ms, [&] { return encoder.encode(texts); });
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(texts.size()),
                                        static_cast<std::int64_t>(encoder.dimension())};
  const std::vector<Port> ports{{"embedding", shape, "f32"}};
  return finished(o, store.at(o.model), ports, {Tensor{shape, std::move(rows)}}, median_ms, run);
}

Report run_model(const RunOptions& o, RunContext& run) {
  const int given =
      (o.inputs.empty() ? 0 : 1) + (o.text.empty() ? 0 : 1) + (o.texts.empty() ? 0 : 1);
  if (given != 1) {
    throw Error(ErrorCode::usage,
                given == 0 ? "nothing is given to the model" : "too much is given to the model",
                "give pictures (or one .npy), --text or --texts, and only one of them");
  }
  ModelStore store = open_store(o.place);
  if (o.inputs.empty()) return run_texts(o, store, run);
  const Opened opened = open_model(o, store, run);
  if (opened.card.role == Role::text_encoder) {
    throw Error(ErrorCode::usage, fmt::format("{} takes texts, not pictures", opened.card.name),
                "--text \"...\"");
  }
  if (opened.network.inputs().size() != 1) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} has {} inputs; this verb feeds networks with one", opened.card.name,
                            opened.network.inputs().size()));
  }
  const Tensor input = read_inputs(o, opened.card.input, run);
  double median_ms = 0;
  const std::vector<Tensor> outputs =
      timed(o.repeat, run, median_ms, [&] { return opened.network.run(input); });
  return finished(o, opened.card, opened.network.outputs(), outputs, median_ms, run);
}

}  // namespace

Verb run_verb() {
  return make_verb<RunOptions>(
      {.noun = "models",
       .name = "run",
       .summary = "run one network and show what comes out",
       .details =
           "For looking at a model: pictures are fed as its card says, but neither detected nor "
           "aligned. An .npy file is fed as it is. The first run prepares and is not timed. "
           "--precision exact computes with 32-bit floats: the same input gives the same numbers "
           "on one machine.",
       .examples = {{"sosia models run minilm-l6 --text Siemens", "a text as a vector"},
                    {"sosia models run network.onnx people/00000/0000.png --guess --resize",
                     "a file without a card"}}},
      run_model);
}

}  // namespace sosia::models
