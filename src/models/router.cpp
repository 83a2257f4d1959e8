// Which convention a network follows, by its inputs, outputs and file name.

#include "sosia/models/router.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace sosia::models {
namespace {

/// What the rules look at.
struct Seen {
  const Port* picture = nullptr;  ///< the input with four dimensions and 1 or 3 channels
  Layout layout = Layout::nchw;
  std::int64_t width = -1, height = -1;
  std::size_t inputs = 0, outputs = 0;
  std::int64_t numbers = -1;  ///< last side of the first output
  bool yunet_names = false;
  std::string file;  ///< lower case

  bool square(std::int64_t side) const { return width == side && height == side; }
  bool named(std::string_view part) const { return file.find(part) != std::string::npos; }
};

bool colour_channels(std::int64_t side) {
  return side == 1 || side == 3;
}

Seen look(std::span<const Port> inputs, std::span<const Port> outputs,
          const std::string& file_name) {
  Seen seen;
  seen.inputs = inputs.size();
  seen.outputs = outputs.size();
  seen.file = ascii_lower(std::filesystem::path(file_name).filename().string());
  for (const Port& port : inputs) {
    if (port.shape.size() != 4 || seen.picture != nullptr) continue;
    if (!colour_channels(port.shape[1]) && !colour_channels(port.shape[3])) continue;
    seen.picture = &port;
    seen.layout = colour_channels(port.shape[1]) ? Layout::nchw : Layout::nhwc;
    const std::size_t at = seen.layout == Layout::nchw ? 2 : 1;
    seen.height = port.shape[at];
    seen.width = port.shape[at + 1];
  }
  if (!outputs.empty() && !outputs[0].shape.empty()) seen.numbers = outputs[0].shape.back();
  for (const Port& port : outputs) {
    if (port.name.starts_with("obj") || port.name.starts_with("cls_")) seen.yunet_names = true;
  }
  return seen;
}

struct Choice {
  std::string convention = {};
  std::string why = {};
  std::vector<std::string> check = {};
};

const std::string kColourCheck =
    "colour order and normalisation cannot be seen in a file: compare them with its source";

Choice choose_detector(const Seen& seen) {
  if (seen.yunet_names || seen.outputs == 12 || seen.named("yunet")) {
    return {"yunet", fmt::format("{} outputs, for class, object, box and points of three strides",
                                 seen.outputs)};
  }
  return {"scrfd",
          fmt::format("{} outputs: a detector with {}", seen.outputs,
                      seen.outputs == 10 || seen.outputs == 15 ? "5 strides and 1 anchor"
                                                               : "3 strides and 2 anchors"),
          {"the outputs are told apart by their last side (1, 4, 10): see that these occur"}};
}

/// Recognisers of 112 x 112: one shape, many ways of feeding them.
Choice choose_recogniser(const Seen& seen) {
  const std::string shape = fmt::format("a square picture of {} pixels", seen.width);
  const auto by_name = [&](const char* part, const char* convention) {
    return Choice{convention, fmt::format("{}, and the file name holds \"{}\"", shape, part)};
  };
  if (seen.named("adaface")) return by_name("adaface", "adaface");
  if (seen.named("cvlface")) return by_name("cvlface", "cvlface");
  if (seen.named("sface")) return by_name("sface", "sface");
  if (seen.named("seeta")) return by_name("seeta", "seetaface");
  if (seen.named("arcfaceresnet100")) return by_name("arcfaceresnet100", "arcface-zoo");
  if (seen.square(160) || seen.named("facenet_") || seen.named("20180402")) {
    return {"facenet", shape + ", as FaceNet takes", {kColourCheck}};
  }
  if (seen.square(112) && seen.numbers == 512) {
    return {"insightface",
            shape + " and 512 numbers, as InsightFace's recognisers have",
            {kColourCheck, "files of MXNet's time normalise inside: then mean 0, deviation 1"}};
  }
  return {"recogniser",
          shape + ", so probably a recogniser",
          {kColourCheck, "the alignment is taken to be ArcFace's"}};
}

Choice choose(const Seen& seen) {
  if (seen.picture != nullptr) {
    if (seen.outputs >= 5) return choose_detector(seen);
    if (seen.square(192)) {
      return seen.numbers == 3309
                 ? Choice{"1k3d68", "a picture of 192 x 192 and 3309 numbers", {kColourCheck}}
                 : Choice{"2d106det", "a picture of 192 x 192: landmarks", {kColourCheck}};
    }
    if (seen.square(96)) return {"genderage", "a picture of 96 x 96: attributes", {kColourCheck}};
    if (seen.inputs == 2 && seen.square(128)) {
      return {"inswapper", "two inputs and a picture of 128 x 128: a swapper"};
    }
    const bool few = seen.numbers == 2 || seen.numbers == 3;
    if (few && seen.square(80)) {
      return {"minifasnet",
              "a picture of 80 x 80 and 3 numbers: MiniFASNet",
              {"the box is grown by 2.7 or 4.0: the file name says which"}};
    }
    if (few && seen.square(128)) {
      return {"hairymax",
              fmt::format("a picture of 128 x 128 and {} numbers: MiniFASNetV2-SE", seen.numbers),
              {"the box is grown by 1.5 or 1.0: the file name says which"}};
    }
    if (seen.height == 256 && seen.width == 128) {
      return {"osnet", "a picture of 128 x 256: a person", {kColourCheck}};
    }
    if (seen.width == seen.height && seen.width >= 112 && seen.width % 16 == 0) {
      return choose_recogniser(seen);
    }
  }
  return {};
}

/// Ports in words, for the message when no rule fits.
std::string ports_text(std::span<const Port> ports) {
  std::vector<std::string> words;
  for (const Port& port : ports.first(std::min<std::size_t>(ports.size(), 6))) {
    words.push_back(fmt::format("{} {}", quote(port.name), shape_text(port.shape)));
  }
  if (ports.size() > words.size()) words.push_back(fmt::format("{} more", ports.size() - 6));
  return enumerate(words);
}

std::string card_name(const std::string& file_name) {
  std::string name;
  for (const char c : ascii_lower(std::filesystem::path(file_name).stem().string())) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    const char next = plain ? c : '-';
    if (name.empty() && (next == '-' || next == '.' || next == '_')) continue;
    if (name.size() < 64) name += next;
  }
  return name.empty() ? "model" : name;
}

/// What the file shows goes before what the convention says.
void take_from_file(ModelCard& card, const Seen& seen, std::span<const Port> outputs) {
  card.input.name = seen.picture->name;
  card.input.shape = seen.picture->shape;
  card.input.layout = seen.layout;
  const std::size_t axis = seen.layout == Layout::nchw ? 1 : 3;
  if (card.input.shape[axis] == 1) card.input.colour = Colour::grey;
  if (!card.output.decoder.empty()) return;
  card.output.name = outputs[0].name;
  if (seen.numbers > 0 && outputs[0].shape.size() <= 2) card.output.dimension = seen.numbers;
  if (card.role == Role::liveness && seen.numbers == 3 && card.output.classes.size() == 2) {
    card.output.classes = {"live", "print", "replay"};
  }
  if (card.role == Role::liveness) card.output.dimension = 0;
}

}  // namespace

Suggestion suggest_card(std::span<const Port> inputs, std::span<const Port> outputs,
                        const std::string& file_name, std::span<const ModelCard> conventions,
                        const std::string& named) {
  const Seen seen = look(inputs, outputs, file_name);
  const Choice choice = named.empty() ? choose(seen) : Choice{named, "the convention was named"};
  if (choice.convention.empty() || seen.picture == nullptr) {
    throw Error(ErrorCode::unsupported,
                fmt::format("no convention fits a network with inputs {} and outputs {}",
                            ports_text(inputs), ports_text(outputs)),
                "write a card for it: docs/model-cards.md says how");
  }
  const std::string wanted = named.empty() ? "convention-" + choice.convention : named;
  const auto found = std::find_if(conventions.begin(), conventions.end(), [&](const auto& card) {
    return card.kind == CardKind::convention && card.name == wanted;
  });
  if (found == conventions.end()) {
    throw Error(ErrorCode::not_found, fmt::format("the card {} is not there", wanted));
  }
  Suggestion suggestion{*found, wanted, {choice.why}, choice.check};
  ModelCard& card = suggestion.card;
  card.kind = CardKind::model;
  card.name = card_name(file_name);
  card.title = fmt::format("{} (suggested from {})", card.title, wanted);
  card.source = "suggested";
  take_from_file(card, seen, outputs);
  if (card.role == Role::liveness && seen.named("4_0")) card.input.box_scale = 4.0;
  suggestion.check.push_back(
      "licence and threshold: the card has none until somebody looks them up");
  card.threshold.reset();
  card.provenance.licence = "not looked up";
  card.provenance.commercial_use = false;
  return suggestion;
}

}  // namespace sosia::models
