#pragma once
// Model cards: everything about a network that its file does not say. A card is a TOML file.
//
// Cards have three kinds. A `model` names one file by its SHA-256 and can be run. A `bundle` names
// other cards that work together (the three nets of MTCNN). A `convention` has no file: it is how a
// family of files is fed (InsightFace recognisers, MiniFASNet, ...), what `models add` starts from.

#include "sosia/core/value.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::models {

enum class CardKind : std::uint8_t { model, bundle, convention };

/// What a network is for. Spelled in cards and JSON as `to_string` says.
enum class Role : std::uint8_t {
  face_detector,
  face_embedder,
  face_landmarks,
  face_attributes,
  face_swapper,
  liveness,
  person_embedder,
  text_encoder,
};

/// How the network is made from its file.
enum class Graph : std::uint8_t {
  onnx,         ///< the file is ONNX
  dlib_resnet,  ///< built here from safetensors: dlib's face ResNet, 128 numbers
  dlib_mmod,    ///< built here: dlib's CNN face detector, one scale
  mtcnn_p,      ///< built here: MTCNN proposal net, any size
  mtcnn_r,      ///< built here: MTCNN refinement net, 24 x 24
  mtcnn_o,      ///< built here: MTCNN output net, 48 x 48
  minilm,       ///< built here: BERT encoder of 6 layers
  trained,      ///< of `sosia train`: `network` says which, run by LibTorch
};

/// What the caller does to a picture before it is turned into numbers.
enum class Alignment : std::uint8_t {
  none,                ///< the picture as it is
  arcface_112,         ///< similarity of five points onto the ArcFace template, 112 x 112
  dlib_150,            ///< dlib's face chip of 150 x 150, padding 0.25
  face_margin,         ///< the detector's box with `margin` pixels at the input's size, resized
  box,                 ///< the box grown by `box_scale` about its centre, resized
  box_letterbox,       ///< the same made square, kept in proportion and padded
  letterbox_top_left,  ///< fitted into the input, in the top left corner, rest 0
  pad_to_32,           ///< sides padded right and bottom to a multiple of 32
  resize,              ///< resized to the input without regard to proportion
};

enum class Colour : std::uint8_t { rgb, bgr, grey };
enum class Layout : std::uint8_t { nchw, nhwc };

/// Which scale `threshold` lives on.
enum class Metric : std::uint8_t { cosine, l2_distance, probability, score };

/// The picture that a network takes. Its numbers are `(byte - mean[c]) / deviation[c]`, bytes
/// 0..255 and c in the order of `colour`.
struct InputSpec {
  std::string name = {};                 ///< of the network's input; "" is the only one
  std::vector<std::int64_t> shape = {};  ///< in `layout` order; -1 is free
  Layout layout = Layout::nchw;
  Colour colour = Colour::rgb;
  std::array<double, 3> mean{0, 0, 0};
  std::array<double, 3> deviation{1, 1, 1};  ///< none is 0
  Alignment alignment = Alignment::none;
  double box_scale = 1;  ///< of `box` and `box_letterbox`
  double margin_px = 0;  ///< of `face_margin`

  /// Width and height, -1 where free or when the shape has not four dimensions.
  std::int64_t width_px() const noexcept;
  std::int64_t height_px() const noexcept;
};

/// What a network gives.
struct OutputSpec {
  std::string name = {};         ///< of the main output; "" is the first one
  std::int64_t dimension = 0;    ///< numbers for each picture; 0 when it is no vector
  bool l2 = false;               ///< the caller divides by the length (an embedding)
  bool flip_sum = false;         ///< the embedding of the mirrored picture is added before
  bool norm_is_quality = false;  ///< the length before `l2` tells quality (MagFace, AdaFace)
  std::vector<std::string> classes = {};  ///< of logits, in order: {"live", "spoof"}
  bool softmax = false;                   ///< the caller takes the softmax of the logits
  std::string live_class = {};            ///< which of `classes` is bona fide
  std::string decoder = {};  ///< of a detector: "scrfd", "yunet", "mtcnn", "mmod"; else ""
};

/// The threshold that holds when nothing better is known. Accepted means as alike or more.
struct Threshold {
  double value = 0;
  Metric metric = Metric::cosine;
  std::string set = {};  ///< where it came from: "LFW, published", "not measured here", ...
};

/// Where a file comes from and what may be done with it.
struct Provenance {
  std::string licence = {};     ///< SPDX identifier or a phrase
  bool commercial_use = false;  ///< whether licence and training data allow it
  std::string origin = {};      ///< who trained it and where it is found
  std::string training_data = {};
  std::string reference = {};  ///< paper
};

/// One card. A plain value. Thread-safety: as `std::vector`.
struct ModelCard {
  std::string name = {};   ///< [a-z0-9][a-z0-9._-]*, at most 64 bytes
  std::string title = {};  ///< one line
  CardKind kind = CardKind::model;
  Role role = Role::face_embedder;
  Graph graph = Graph::onnx;
  std::string file = {};    ///< file name, never a path; "" unless kind is model
  std::string sha256 = {};  ///< 64 lower-case hexadecimal digits; "" unless kind is model
  std::vector<std::string> parts = {};  ///< cards of a bundle, in the order that the role expects
  InputSpec input = {};
  OutputSpec output = {};
  std::string network = {};  ///< of a trained graph: architecture and its options, as JSON; else ""
  std::optional<Threshold> threshold = {};
  /// Calibration record as JSON text (schema sosia.calibration/1, see the gallery room); "" for
  /// none.
  std::string calibration = {};
  Provenance provenance = {};
  std::string notes = {};  ///< for people: traps, measured figures

  /// Where the card was read: a path, or "built in".
  std::string source = {};
};

std::string_view to_string(CardKind value);
std::string_view to_string(Role value);
std::string_view to_string(Graph value);
std::string_view to_string(Alignment value);
std::string_view to_string(Colour value);
std::string_view to_string(Layout value);
std::string_view to_string(Metric value);

/// All spellings of roles, in order.
std::vector<std::string> role_names();

/// A card from TOML. `origin` names it in errors. A `calibration_file` key is read relative to
/// `folder` (refused when that is empty). Throws corrupt_data: no TOML, an unknown key or value
/// (with the nearest name), a missing key, a value out of range.
ModelCard parse_card(std::string_view toml, std::string_view origin,
                     const std::filesystem::path& folder = {});

/// The same from a file (at most 4 MiB). Throws not_found, io, corrupt_data.
ModelCard read_card(const std::filesystem::path& path);

/// TOML that `parse_card` reads back to an equal card (but for `source`).
std::string card_to_toml(const ModelCard& card);

/// For JSON output: the same structure as the TOML.
Value to_value(const ModelCard& card);

}  // namespace sosia::models
