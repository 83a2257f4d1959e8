#pragma once
// For each format: open what may be a file, and touch everything in it. Throws sosia::Error for
// what is refused; nothing else may happen. Used by the fuzz targets and by the corrupted-file
// test.

#include "sosia/core/error.hpp"
#include "sosia/formats.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::fuzz {

using Bytes = std::span<const std::byte>;

/// Adds up bytes, so that reading them cannot be optimised away and sanitizers see every access.
inline std::uint64_t touch(Bytes bytes) {
  static volatile std::uint64_t sink = 0;
  std::uint64_t sum = 0;
  for (const std::byte b : bytes) sum += static_cast<std::uint64_t>(b);
  sink = sink + sum;
  return sum;
}

inline void touch(std::string_view text) {
  touch(std::as_bytes(std::span(text.data(), text.size())));
}

/// Runs one attempt of several on the same input.
template <class Attempt>
void attempt(Attempt&& code) {
  try {
    code();
  } catch (const Error& error) {
    touch(error.what());
  }
}

inline void walk_csv(Bytes bytes, const formats::CsvOptions& options) {
  formats::CsvReader csv(bytes, "input.csv", options);
  for (const std::string& name : csv.header()) touch(name);
  while (csv.next()) {
    for (std::size_t i = 0; i < csv.size(); ++i) touch(csv[i]);
    // One field of each record: most conversions throw, which costs more than all the reading.
    const std::size_t chosen = static_cast<std::size_t>(csv.line()) % csv.size();
    attempt([&] { csv.real(chosen); });
    attempt([&] { csv.integer(chosen); });
    touch(csv.where());
  }
}

inline void exercise_csv(Bytes bytes) {
  formats::CsvOptions small;  // small caps reach the refusals
  small.header = false;
  small.ragged = true;
  small.max_field_bytes = 64;
  small.max_record_bytes = 256;
  small.max_columns = 20;
  formats::CsvOptions plain;
  plain.quotes = false;
  plain.delimiter = ',';
  plain.encoding = formats::TextEncoding::windows1252;
  attempt([&] { walk_csv(bytes, small); });
  attempt([&] { walk_csv(bytes, plain); });
  attempt([&] {
    formats::CsvReader csv(bytes, "input.csv");
    csv.column("scores");
  });
  walk_csv(bytes, {});
}

inline void touch_array(const formats::ArrayView& array) {
  touch(array.bytes);
  attempt([&] { formats::to_f32(array); });
  attempt([&] { formats::to_i64(array); });
}

inline void walk_pickle(formats::PickleNode node, int depth, int& budget) {
  using formats::PickleKind;
  if (depth > 110 || --budget < 0) return;
  const auto below = [&](formats::PickleNode child) { walk_pickle(child, depth + 1, budget); };
  switch (node.kind()) {
    case PickleKind::text:
      touch(node.as_text());
      break;
    case PickleKind::bytes:
    case PickleKind::big_integer:
      touch(node.as_bytes());
      break;
    case PickleKind::list:
    case PickleKind::tuple:
    case PickleKind::set:
      for (std::size_t i = 0; i < node.size() && budget > 0; ++i) below(node[i]);
      break;
    case PickleKind::object:
      touch(node.name());
      below(node.arguments());
      [[fallthrough]];
    case PickleKind::dict:
      for (std::size_t i = 0; i < node.size() && budget > 0; ++i) {
        const auto [key, value] = node.entry(i);
        below(key);
        below(value);
      }
      node.find("key");
      if (const auto state = node.state()) below(*state);
      break;
    case PickleKind::array:
      attempt([&] {
        if (node.is_object_array()) {
          for (std::size_t i = 0; i < node.size() && budget > 0; ++i) below(node[i]);
        } else {
          attempt([&] { touch_array(node.array_view()); });
          touch_array(node.array().view());
        }
      });
      break;
    case PickleKind::persistent:
      below(node.persistent_id());
      break;
    default:
      attempt([&] { node.as_real(); });
      attempt([&] { node.as_boolean(); });
  }
}

inline void exercise_pickle(Bytes bytes) {
  formats::PickleOptions open;
  open.allow = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.*Storage"};
  open.persistent_ids = true;
  open.max_memory_bytes = 16u << 20;
  attempt([&] {
    const formats::Pickle pickle = formats::parse_pickle(bytes, "input.pkl", open);
    int budget = 10000;
    walk_pickle(pickle.root(), 0, budget);
  });
  formats::PickleOptions closed;
  closed.max_memory_bytes = 1u << 16;
  closed.max_depth = 10;
  formats::parse_pickle(bytes, "input.pkl", closed);
}

inline void exercise_npy(Bytes bytes) {
  attempt([&] {
    formats::PickleOptions options;
    options.max_memory_bytes = 16u << 20;
    formats::parse_npy_pickle(bytes, "input.npy", options);
  });
  touch_array(formats::parse_npy(bytes, "input.npy").view());
}

inline void exercise_zip(Bytes bytes) {
  constexpr std::uint64_t kCapBytes = 8u << 20;
  const formats::ZipReader zip(bytes, "input.npz", kCapBytes);
  for (const formats::ZipEntry& entry : zip.entries()) {
    touch(entry.name);
    attempt([&] { touch(zip.stored_view(entry)); });
    attempt([&] { touch(zip.read(entry)); });
    zip.find(entry.name);
  }
  const formats::NpzReader npz(bytes, "input.npz", kCapBytes);
  for (const std::string& name : npz.names()) {
    attempt([&] { touch_array(npz.read(name).view()); });
  }
  npz.read("absent");
}

inline void exercise_safetensors(Bytes bytes) {
  const formats::SafetensorsFile file(bytes, "input.safetensors");
  for (const formats::TensorInfo& tensor : file.tensors()) {
    touch_array(file.view(tensor));
    touch(file.read(tensor.name).bytes);
  }
  for (const auto& [key, value] : file.metadata()) {
    touch(key);
    touch(value);
  }
  file.info("absent");
}

inline void exercise_verification(Bytes bytes) {
  const formats::VerificationBin set(bytes, "input.bin");
  for (std::size_t i = 0; i < 2 * set.pairs(); ++i) touch(set.image(i));
  for (std::size_t i = 0; i < set.pairs(); ++i) set.same(i);
}

inline void walk_records(const formats::RecordSet& set) {
  std::vector<std::byte> scratch;
  for (const formats::RecordIndexEntry& entry : set.index()) {
    attempt([&] { touch(set.read(entry.key, scratch).image); });
  }
  constexpr std::size_t kMost = 100;
  for (std::size_t i = 0; i < set.identity_count() && i < kMost; ++i) {
    attempt([&] { set.identity(i); });
  }
  set.read(~std::uint64_t{0}, scratch);
}

inline void exercise_recordio(Bytes bytes) {
  attempt([&] {
    constexpr std::string_view kIndex = "0\t0\n1\t40\n2\t76\n9\t4\n";
    walk_records(formats::RecordSet(bytes, kIndex, "input"));
  });
  attempt([&] { formats::parse_image_record(bytes); });
  walk_records(formats::RecordSet(bytes, std::nullopt, "input"));
}

inline void exercise_lists(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  attempt([&] { formats::parse_lfw_pairs(text); });
  attempt([&] { formats::parse_pair_list(text); });
  attempt([&] { formats::parse_pair_csv(bytes); });
  attempt([&] { formats::parse_template_list(text); });
  attempt([&] { formats::parse_template_pairs(text); });
  attempt([&] { formats::parse_record_index(text); });
  attempt([&] { formats::parse_record_property(text); });
  formats::parse_market_name(text);
  formats::parse_msmt17_name(text);
  formats::parse_ltcc_name(text);
  formats::parse_viper_name(text);
  formats::parse_folder_camera(text);
  attempt([&] { formats::parse_msmt17_list(text, "folder", "input"); });
  formats::ReidDataset data = formats::parse_reid_csv(bytes, "folder", "input");
  formats::relabel_subjects(data.train);
}

}  // namespace sosia::fuzz
