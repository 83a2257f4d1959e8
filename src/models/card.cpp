#include "sosia/models/card.hpp"

#include "models/card_names.hpp"
#include "models/table_reader.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSchema = "sosia.card/1";
constexpr std::uint64_t kCardCapBytes = std::uint64_t{4} << 20;
constexpr std::size_t kNameCapBytes = 64;
constexpr std::int64_t kSideCap = 65536;

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
  throw Error(ErrorCode::corrupt_data, message, hint);
}

bool valid_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > kNameCapBytes || !plain(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

bool valid_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void read_input(const Value& table, InputSpec& input) {
  TableReader reader(table, "input");
  reader.text("name", input.name);
  reader.integers("shape", input.shape, -1, kSideCap);
  reader.choice("layout", input.layout, layouts());
  reader.choice("colour", input.colour, colours());
  reader.triple("mean", input.mean);
  reader.triple("deviation", input.deviation);
  reader.choice("alignment", input.alignment, alignments());
  reader.number("box_scale", input.box_scale, 0.1, 10);
  reader.number("margin_px", input.margin_px, 0, 1000);
  reader.finish();
  if (std::find(input.shape.begin(), input.shape.end(), 0) != input.shape.end()) {
    refuse("input.shape holds a 0: use -1 for a free side");
  }
  for (const double deviation : input.deviation) {
    if (deviation == 0) refuse("input.deviation must not be 0");
  }
}

void read_output(const Value& table, OutputSpec& output) {
  TableReader reader(table, "output");
  reader.text("name", output.name);
  reader.integer("dimension", output.dimension, 0, kSideCap);
  reader.flag("l2", output.l2);
  reader.flag("flip_sum", output.flip_sum);
  reader.flag("norm_is_quality", output.norm_is_quality);
  reader.texts("classes", output.classes);
  reader.flag("softmax", output.softmax);
  reader.text("live_class", output.live_class);
  reader.word("decoder", output.decoder, {"scrfd", "yunet", "mtcnn", "mmod"});
  reader.finish();
  const auto& classes = output.classes;
  if (!output.live_class.empty() &&
      std::find(classes.begin(), classes.end(), output.live_class) == classes.end()) {
    refuse(
        fmt::format("output.live_class {} is not among output.classes", quote(output.live_class)));
  }
}

Threshold read_threshold(const Value& table) {
  Threshold threshold;
  TableReader reader(table, "threshold");
  if (!reader.has("value")) refuse("the key threshold.value is missing");
  reader.number("value", threshold.value, -1e6, 1e6);
  reader.choice("metric", threshold.metric, metrics());
  reader.required_text("set", threshold.set);
  reader.finish();
  return threshold;
}

void read_provenance(const Value& table, Provenance& provenance) {
  TableReader reader(table, "provenance");
  reader.text("licence", provenance.licence);
  reader.flag("commercial_use", provenance.commercial_use);
  reader.text("origin", provenance.origin);
  reader.text("training_data", provenance.training_data);
  reader.text("reference", provenance.reference);
  reader.finish();
}

/// The record of [calibration]: in place, or a file beside the card.
std::string read_calibration(const Value& table, const fs::path& folder) {
  std::string record, file;
  TableReader reader(table, "calibration");
  reader.text("record", record);
  reader.text("file", file);
  reader.finish();
  if (record.empty() == file.empty()) refuse("calibration has either a record or a file");
  if (!file.empty()) {
    if (folder.empty() || fs::path(file) != fs::path(file).filename()) {
      refuse(
          fmt::format("calibration.file is {}, but must be a file beside the card", quote(file)));
    }
    record = read_text(folder / file, kCardCapBytes);
  }
  parse_json(record, "calibration");
  return record;
}

void check_model(const ModelCard& card) {
  if (card.file.empty()) refuse("the key file is missing");
  if (fs::path(card.file) != fs::path(card.file).filename() || card.file == "." ||
      card.file == "..") {
    refuse(fmt::format("file is {}, but must be a name without folders", quote(card.file)));
  }
  if (!valid_hash(card.sha256)) {
    refuse(fmt::format("sha256 is {}, but must be 64 lower-case hexadecimal digits",
                       quote(card.sha256)),
           "sha256sum FILE prints it");
  }
}

/// What belongs together, once all keys are known to be well-formed.
void check_card(const ModelCard& card) {
  if (!valid_name(card.name)) {
    refuse(
        fmt::format("name is {}, but must be 1 to {} of a-z 0-9 . _ - and begin with a letter "
                    "or digit",
                    quote(card.name), kNameCapBytes));
  }
  const bool is_model = card.kind == CardKind::model;
  if (is_model) check_model(card);
  if (!is_model && (!card.file.empty() || !card.sha256.empty())) {
    refuse(fmt::format("a {} has neither file nor sha256", to_string(card.kind)));
  }
  if ((card.kind == CardKind::bundle) != !card.parts.empty()) {
    refuse("parts are for bundles: a bundle has at least one, other cards have none");
  }
  if (card.kind == CardKind::bundle) return;
  if ((card.graph == Graph::trained) != !card.network.empty()) {
    refuse("the table network is for cards with graph = \"trained\", which need it");
  }
  const bool picture = card.role != Role::text_encoder;
  if (picture && card.input.shape.size() != 4) {
    refuse(fmt::format("input.shape has {} numbers, but a picture has 4", card.input.shape.size()),
           "[-1, 3, 112, 112] in nchw; -1 is free");
  }
  const std::int64_t channels = card.input.colour == Colour::grey ? 1 : 3;
  const std::size_t axis = card.input.layout == Layout::nchw ? 1 : 3;
  if (picture && card.input.shape[axis] != channels) {
    refuse(fmt::format("input.shape has {} channels, but input.colour is {}",
                       card.input.shape[axis], to_string(card.input.colour)));
  }
}

ModelCard card_from_value(const Value& value, const fs::path& folder) {
  ModelCard card;
  TableReader reader(value, "");
  std::string schema;
  reader.required_text("schema", schema);
  if (schema != kSchema) {
    refuse(fmt::format("schema is {}; this version reads {}", quote(schema), kSchema));
  }
  reader.required_text("name", card.name);
  reader.text("title", card.title);
  reader.choice("kind", card.kind, card_kinds());
  if (!reader.has("role")) refuse("the key role is missing");
  reader.choice("role", card.role, roles());
  reader.choice("graph", card.graph, graphs());
  reader.text("file", card.file);
  reader.text("sha256", card.sha256);
  reader.texts("parts", card.parts);
  reader.text("notes", card.notes);
  if (const Value* table = reader.table("input")) read_input(*table, card.input);
  if (const Value* table = reader.table("output")) read_output(*table, card.output);
  if (const Value* table = reader.table("network")) card.network = to_json(*table);
  if (const Value* table = reader.table("threshold")) card.threshold = read_threshold(*table);
  if (const Value* table = reader.table("provenance")) read_provenance(*table, card.provenance);
  if (const Value* table = reader.table("calibration")) {
    card.calibration = read_calibration(*table, folder);
  }
  reader.finish();
  check_card(card);
  return card;
}

template <class T>
Value list_of(const T& items) {
  Value list = Value::list();
  for (const auto& item : items) list.push(item);
  return list;
}

Value input_value(const InputSpec& input) {
  Value table = Value::object();
  if (!input.name.empty()) table.set("name", input.name);
  table.set("shape", list_of(input.shape));
  table.set("layout", to_string(input.layout));
  table.set("colour", to_string(input.colour));
  table.set("mean", list_of(input.mean));
  table.set("deviation", list_of(input.deviation));
  table.set("alignment", to_string(input.alignment));
  if (input.box_scale != 1) table.set("box_scale", input.box_scale);
  if (input.margin_px != 0) table.set("margin_px", input.margin_px);
  return table;
}

Value output_value(const OutputSpec& output) {
  Value table = Value::object();
  if (!output.name.empty()) table.set("name", output.name);
  if (output.dimension != 0) table.set("dimension", output.dimension);
  for (const auto& [key, set] : {std::pair{"l2", output.l2},
                                 {"flip_sum", output.flip_sum},
                                 {"norm_is_quality", output.norm_is_quality}}) {
    if (set) table.set(key, true);
  }
  if (!output.classes.empty()) table.set("classes", list_of(output.classes));
  if (output.softmax) table.set("softmax", true);
  if (!output.live_class.empty()) table.set("live_class", output.live_class);
  if (!output.decoder.empty()) table.set("decoder", output.decoder);
  return table;
}

}  // namespace

std::int64_t InputSpec::width_px() const noexcept {
  if (shape.size() != 4) return -1;
  return layout == Layout::nchw ? shape[3] : shape[2];
}

std::int64_t InputSpec::height_px() const noexcept {
  if (shape.size() != 4) return -1;
  return layout == Layout::nchw ? shape[2] : shape[1];
}

ModelCard parse_card(std::string_view toml, std::string_view origin, const fs::path& folder) {
  const Value value = parse_toml(toml, origin);
  try {
    ModelCard card = card_from_value(value, folder);
    card.source = origin;
    return card;
  } catch (Error& error) {
    throw error.add_context(origin);
  }
}

ModelCard read_card(const fs::path& path) {
  return parse_card(read_text(path, kCardCapBytes), path.string(), path.parent_path());
}

Value to_value(const ModelCard& card) {
  Value value = Value::object({{"schema", kSchema}, {"name", card.name}, {"title", card.title}});
  value.set("kind", to_string(card.kind));
  value.set("role", to_string(card.role));
  if (card.kind == CardKind::bundle) {
    value.set("parts", list_of(card.parts));
  } else {
    value.set("graph", to_string(card.graph));
  }
  if (card.kind == CardKind::model) {
    value.set("file", card.file);
    value.set("sha256", card.sha256);
  }
  if (!card.notes.empty()) value.set("notes", card.notes);
  if (!card.input.shape.empty()) value.set("input", input_value(card.input));
  if (Value output = output_value(card.output); !output.as_object().empty()) {
    value.set("output", std::move(output));
  }
  if (!card.network.empty()) value.set("network", parse_json(card.network, "network"));
  if (card.threshold) {
    value.set("threshold", Value::object({{"value", card.threshold->value},
                                          {"metric", to_string(card.threshold->metric)},
                                          {"set", card.threshold->set}}));
  }
  if (!card.calibration.empty()) {
    value.set("calibration", Value::object({{"record", card.calibration}}));
  }
  const Provenance& from = card.provenance;
  value.set("provenance", Value::object({{"licence", from.licence},
                                         {"commercial_use", from.commercial_use},
                                         {"origin", from.origin},
                                         {"training_data", from.training_data},
                                         {"reference", from.reference}}));
  return value;
}

std::string card_to_toml(const ModelCard& card) {
  return to_toml(to_value(card));
}

}  // namespace sosia::models
