// From a file to a network that runs.

#include "models/graph_parts.hpp"
#include "models/network_impl.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <new>

#include <fmt/format.h>
#include <openvino/core/except.hpp>
#include <openvino/openvino.hpp>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

/// Files of models: InsightFace's largest are 330 MB.
constexpr std::uint64_t kFileCapBytes = std::uint64_t{4} << 30;

std::vector<std::int64_t> sides_of(const ov::PartialShape& shape) {
  std::vector<std::int64_t> sides;
  if (shape.rank().is_dynamic()) return sides;
  for (const ov::Dimension& side : shape) {
    sides.push_back(side.is_static() ? side.get_length() : -1);
  }
  return sides;
}

Port port_of(const ov::Output<const ov::Node>& place) {
  Port port;
  const auto& names = place.get_names();
  // A tensor may have several names; the order of a hash table must not choose between them.
  port.name = names.empty() ? place.get_node()->get_friendly_name()
                            : *std::min_element(names.begin(), names.end());
  port.shape = sides_of(place.get_partial_shape());
  port.type = place.get_element_type().get_type_name();
  return port;
}

std::string human_size(double bytes) {
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

/// Refuses what would not fit before the engine tries.
void require_size(const ov::Model& model, const std::string& origin) {
  for (const auto& node : model.get_ordered_ops()) {
    for (const auto& output : node->outputs()) {
      const ov::PartialShape& shape = output.get_partial_shape();
      if (shape.is_dynamic()) continue;
      double bytes = static_cast<double>(output.get_element_type().size());
      for (const ov::Dimension& side : shape) bytes *= static_cast<double>(side.get_length());
      if (bytes <= static_cast<double>(kTensorCapBytes)) continue;
      throw Error(ErrorCode::out_of_memory,
                  fmt::format("the operation {} needs {} for one tensor of shape {}",
                              quote(node->get_friendly_name()), human_size(bytes),
                              shape_text(sides_of(shape))),
                  fmt::format("networks may use {} for a tensor; export the model with a smaller "
                              "or a free input",
                              human_size(static_cast<double>(kTensorCapBytes))),
                  origin);
    }
  }
}

ov::AnyMap settings_of(const NetworkOptions& options) {
  const int threads = options.threads > 0 ? options.threads : usable_processors();
  ov::AnyMap settings{ov::inference_num_threads(threads),
                      ov::num_streams(std::max(1, options.parallel)),
                      ov::hint::enable_cpu_pinning(false)};
  if (options.precision == Precision::exact) {
    settings.insert(ov::hint::inference_precision(ov::element::f32));
    settings.insert(ov::hint::dynamic_quantization_group_size(0));
  }
  if (!options.cache.empty()) settings.insert(ov::cache_dir(options.cache.string()));
  return settings;
}

std::shared_ptr<ov::Model> build(Graph graph, const formats::SafetensorsFile& file) {
  switch (graph) {
    case Graph::dlib_resnet:
      return build_dlib_resnet(file);
    case Graph::dlib_mmod:
      return build_dlib_mmod(file);
    case Graph::mtcnn_p:
      return build_mtcnn_p(file);
    case Graph::mtcnn_r:
      return build_mtcnn_r(file);
    case Graph::mtcnn_o:
      return build_mtcnn_o(file);
    case Graph::minilm:
      return build_minilm(file);
    case Graph::onnx:
    case Graph::trained:
      break;
  }
  throw Error(ErrorCode::internal, "a graph that nobody builds");
}

void require_hash(const ModelCard& card, std::span<const std::byte> bytes, const fs::path& path) {
  const std::string found = sha256_hex(bytes);
  if (found == card.sha256) return;
  throw Error(ErrorCode::corrupt_data,
              fmt::format("this is not the file of model {}: its SHA-256 is {}, not {}", card.name,
                          found, card.sha256),
              card.source == "built in" && card.graph != Graph::onnx
                  ? "remove the file and run `make setup`"
                  : "get the file again, or make a card for this one: sosia models add FILE",
              path.string());
}

/// What the card says about inputs and outputs must be so.
void require_ports(const ModelCard& card, const Network& network, const std::string& origin) {
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorCode::corrupt_data, message, "the card and the file do not belong together",
                fmt::format("{}: card {}", origin, card.source));
  };
  if (!card.output.name.empty()) network.output_index(card.output.name);
  if (card.role == Role::text_encoder) return;
  const Port* port = nullptr;
  for (const Port& input : network.inputs()) {
    if (card.input.name.empty() || input.name == card.input.name) {
      port = &input;
      break;
    }
  }
  if (port == nullptr) {
    refuse(fmt::format("the network has no input {}; its first is {}", quote(card.input.name),
                       quote(network.inputs().front().name)));
    return;
  }
  const auto& want = card.input.shape;
  bool fits = port->shape.empty() || port->shape.size() == want.size();
  for (std::size_t i = 0; fits && i < port->shape.size(); ++i) {
    const bool batch = i == 0;
    fits = batch || port->shape[i] < 0 || want[i] < 0 || port->shape[i] == want[i];
  }
  if (!fits) {
    refuse(fmt::format("the network's input {} is {}, but the card says {}", quote(port->name),
                       shape_text(port->shape), shape_text(want)));
  }
}

}  // namespace

std::string plain_words(const std::string& what) {
  std::string words;
  for (const std::string_view line : split(what, '\n')) {
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with("Exception from ") || text.starts_with("Check '")) {
      // "Check '<condition>' failed at <place>:" says nothing to a person.
      continue;
    }
    if (!words.empty()) words += ' ';
    words += text;
  }
  return quote(words.empty() ? what : words, 400);
}

std::shared_ptr<ov::Model> read_onnx(ov::Core& core, std::span<const std::byte> bytes,
                                     const std::string& origin) {
  try {
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return core.read_model(text, ov::Tensor());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "the network does not fit into memory", {}, origin);
  } catch (const std::exception& error) {
    const std::string_view what = error.what();
    const bool operators = what.find("does not support the following") != what.npos ||
                           what.find("not supported") != what.npos ||
                           what.find("No conversion rule") != what.npos;
    if (operators) {
      throw Error(ErrorCode::unsupported,
                  "OpenVINO cannot run this network: " + plain_words(error.what()),
                  "export it with standard ONNX operators (opset 8 to 17)", origin);
    }
    throw Error(ErrorCode::corrupt_data,
                "this is no ONNX network that can be read: " + plain_words(error.what()),
                "get the file again; `sosia models verify` compares hashes", origin);
  }
}

std::unique_ptr<Network::Impl> compile(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                       const std::string& origin, const NetworkOptions& options) {
  require_size(*model, origin);
  auto impl = std::make_unique<OpenvinoNetwork>();
  impl->origin = origin;
  impl->not_made = std::max(1, options.parallel);
  try {
    impl->compiled = core.compile_model(model, "CPU", settings_of(options));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "the network does not fit into memory", {}, origin);
  } catch (const std::exception& error) {
    throw Error(ErrorCode::unsupported,
                "OpenVINO cannot compile this network: " + plain_words(error.what()), {}, origin);
  }
  for (const auto& input : impl->compiled.inputs()) {
    impl->inputs.push_back(port_of(input));
    impl->input_types.push_back(input.get_element_type());
  }
  for (const auto& output : impl->compiled.outputs()) impl->outputs.push_back(port_of(output));
  return impl;
}

Network Network::open(const ModelCard& card, const ModelStore& store,
                      const NetworkOptions& options) {
  const fs::path path = store.weights(card);
  const std::string origin = path.string();
  if (card.graph == Graph::trained) {
    if (options.check_hash) require_hash(card, MappedFile(path).bytes(), path);
    Network network(open_trained(card, path, options));
    require_ports(card, network, origin);
    return network;
  }
  ov::Core core;
  std::shared_ptr<ov::Model> model;
  if (card.graph == Graph::onnx) {
    const std::vector<std::byte> bytes = read_file(path, kFileCapBytes);
    if (options.check_hash) require_hash(card, bytes, path);
    model = read_onnx(core, bytes, origin);
  } else {
    const MappedFile mapped(path);
    if (options.check_hash) require_hash(card, mapped.bytes(), path);
    const formats::SafetensorsFile file(mapped.bytes(), origin);
    try {
      model = build(card.graph, file);
    } catch (Error& error) {
      throw error.add_context(origin);
    } catch (const std::exception& error) {
      throw Error(ErrorCode::internal, "a graph cannot be built: " + plain_words(error.what()), {},
                  origin);
    }
  }
  Network network(compile(core, model, origin, options));
  require_ports(card, network, origin);
  return network;
}

Network Network::open_file(const fs::path& onnx, const NetworkOptions& options) {
  return open_bytes(read_file(onnx, kFileCapBytes), onnx.string(), options);
}

Network Network::open_bytes(std::span<const std::byte> onnx, std::string_view origin,
                            const NetworkOptions& options) {
  ov::Core core;
  const std::string place(origin);
  return Network(compile(core, read_onnx(core, onnx, place), place, options));
}

fs::path default_cache_folder() {
  const fs::path cache = user_folder("XDG_CACHE_HOME", ".cache");
  return cache.empty() ? cache : cache / "sosia" / "networks";
}

std::string engine_version() {
  try {
    ov::Core core;
    return fmt::format("OpenVINO {} on {}", ov::get_openvino_version().buildNumber,
                       core.get_property("CPU", ov::device::full_name));
  } catch (const std::exception& error) {
    throw Error(ErrorCode::device,
                "OpenVINO finds no processor to run on: " + plain_words(error.what()));
  }
}

}  // namespace sosia::models
