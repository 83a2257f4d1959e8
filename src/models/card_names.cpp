#include "models/card_names.hpp"

#include "sosia/core/error.hpp"

namespace sosia::models {
namespace {

template <class E>
std::string_view spelling(E value, const Spellings<E>& spellings) {
  for (const auto& [name, entry] : spellings) {
    if (entry == value) return name;
  }
  throw Error(ErrorCode::internal, "an enumeration of a card has a value without a name");
}

}  // namespace

const Spellings<CardKind>& card_kinds() {
  static const Spellings<CardKind> kNames{{"model", CardKind::model},
                                          {"bundle", CardKind::bundle},
                                          {"convention", CardKind::convention}};
  return kNames;
}

const Spellings<Role>& roles() {
  static const Spellings<Role> kNames{
      {"face_detector", Role::face_detector},     {"face_embedder", Role::face_embedder},
      {"face_landmarks", Role::face_landmarks},   {"face_attributes", Role::face_attributes},
      {"face_swapper", Role::face_swapper},       {"liveness", Role::liveness},
      {"person_embedder", Role::person_embedder}, {"text_encoder", Role::text_encoder}};
  return kNames;
}

const Spellings<Graph>& graphs() {
  static const Spellings<Graph> kNames{
      {"onnx", Graph::onnx},           {"dlib_resnet", Graph::dlib_resnet},
      {"dlib_mmod", Graph::dlib_mmod}, {"mtcnn_p", Graph::mtcnn_p},
      {"mtcnn_r", Graph::mtcnn_r},     {"mtcnn_o", Graph::mtcnn_o},
      {"minilm", Graph::minilm},       {"trained", Graph::trained}};
  return kNames;
}

const Spellings<Alignment>& alignments() {
  static const Spellings<Alignment> kNames{{"none", Alignment::none},
                                           {"arcface_112", Alignment::arcface_112},
                                           {"dlib_150", Alignment::dlib_150},
                                           {"face_margin", Alignment::face_margin},
                                           {"box", Alignment::box},
                                           {"box_letterbox", Alignment::box_letterbox},
                                           {"letterbox_top_left", Alignment::letterbox_top_left},
                                           {"pad_to_32", Alignment::pad_to_32},
                                           {"resize", Alignment::resize}};
  return kNames;
}

const Spellings<Colour>& colours() {
  static const Spellings<Colour> kNames{
      {"rgb", Colour::rgb}, {"bgr", Colour::bgr}, {"grey", Colour::grey}};
  return kNames;
}

const Spellings<Layout>& layouts() {
  static const Spellings<Layout> kNames{{"nchw", Layout::nchw}, {"nhwc", Layout::nhwc}};
  return kNames;
}

const Spellings<Metric>& metrics() {
  static const Spellings<Metric> kNames{{"cosine", Metric::cosine},
                                        {"l2_distance", Metric::l2_distance},
                                        {"probability", Metric::probability},
                                        {"score", Metric::score}};
  return kNames;
}

std::string_view to_string(CardKind value) {
  return spelling(value, card_kinds());
}
std::string_view to_string(Role value) {
  return spelling(value, roles());
}
std::string_view to_string(Graph value) {
  return spelling(value, graphs());
}
std::string_view to_string(Alignment value) {
  return spelling(value, alignments());
}
std::string_view to_string(Colour value) {
  return spelling(value, colours());
}
std::string_view to_string(Layout value) {
  return spelling(value, layouts());
}
std::string_view to_string(Metric value) {
  return spelling(value, metrics());
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (const auto& [name, role] : roles()) names.emplace_back(name);
  return names;
}

}  // namespace sosia::models
