#pragma once
// A model of 64 tokens with random weights, as a GGUF file: llama's architecture, two layers,
// 32-bit floats. Small enough for tens of thousands of draws; its distributions are neither flat
// nor sharp.

#include "sosia/core/files.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::llm::test {

class GgufWriter {
 public:
  void text(std::string_view key, std::string_view value) {
    begin(key, 8);
    put_text(meta_, value);
  }
  void u32(std::string_view key, std::uint32_t value) {
    begin(key, 4);
    put(meta_, value);
  }
  void f32(std::string_view key, float value) {
    begin(key, 6);
    put(meta_, value);
  }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    begin(key, 9);
    put(meta_, std::uint32_t{8});
    put(meta_, static_cast<std::uint64_t>(values.size()));
    for (const std::string& v : values) put_text(meta_, v);
  }
  template <class T>
  void numbers(std::string_view key, std::uint32_t type, const std::vector<T>& values) {
    begin(key, 9);
    put(meta_, type);
    put(meta_, static_cast<std::uint64_t>(values.size()));
    for (const T& v : values) put(meta_, v);
  }
  /// Dimensions as ggml counts them, the fastest first.
  void tensor(std::string_view name, const std::vector<std::uint64_t>& shape,
              const std::vector<float>& values) {
    put_text(infos_, name);
    put(infos_, static_cast<std::uint32_t>(shape.size()));
    for (const std::uint64_t side : shape) put(infos_, side);
    put(infos_, std::uint32_t{0});  // F32
    put(infos_, static_cast<std::uint64_t>(data_.size()));
    data_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    data_.resize((data_.size() + 31) / 32 * 32);
    ++tensors_;
  }
  /// The same in 8 bits: blocks of 32 with a 16-bit scale.
  void tensor_q8(std::string_view name, const std::vector<std::uint64_t>& shape,
                 const std::vector<float>& values) {
    put_text(infos_, name);
    put(infos_, static_cast<std::uint32_t>(shape.size()));
    for (const std::uint64_t side : shape) put(infos_, side);
    put(infos_, std::uint32_t{8});  // Q8_0
    put(infos_, static_cast<std::uint64_t>(data_.size()));
    for (std::size_t block = 0; block < values.size(); block += 32) {
      float most = 0;
      for (std::size_t i = 0; i < 32; ++i) most = std::max(most, std::abs(values[block + i]));
      const auto scale = static_cast<_Float16>(most / 127);
      put(data_, scale);
      for (std::size_t i = 0; i < 32; ++i) {
        const float q = most == 0 ? 0 : values[block + i] / static_cast<float>(scale);
        put(data_, static_cast<std::int8_t>(std::max(-127.0f, std::min(127.0f, std::round(q)))));
      }
    }
    data_.resize((data_.size() + 31) / 32 * 32);
    ++tensors_;
  }
  std::string bytes() const {
    std::string out = "GGUF";
    put(out, std::uint32_t{3});
    put(out, tensors_);
    put(out, entries_);
    out += meta_ + infos_;
    out.resize((out.size() + 31) / 32 * 32);
    return out + data_;
  }

 private:
  template <class T>
  static void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static void put_text(std::string& out, std::string_view value) {
    put(out, static_cast<std::uint64_t>(value.size()));
    out += value;
  }
  void begin(std::string_view key, std::uint32_t type) {
    put_text(meta_, key);
    put(meta_, type);
    ++entries_;
  }
  std::string meta_, infos_, data_;
  std::uint64_t tensors_ = 0, entries_ = 0;
};

inline constexpr std::size_t kTinyVocabulary = 64;
/// Tokens 0 to 2 are special: unknown, beginning, end. 3 is a space, 4 to 29 are letters, 30 to 39
/// digits.
inline std::vector<std::string> tiny_vocabulary() {
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>", "\xe2\x96\x81"};
  for (char c = 'a'; c <= 'z'; ++c) tokens.emplace_back(1, c);
  for (char c = '0'; c <= '9'; ++c) tokens.emplace_back(1, c);
  for (const char* c : {"{", "}", "[", "]", "\"", ":", ",", ".", "-", "\n", "true", "A",
                        "B", "C", "D", "E", "F",  "G", "H", "I", "J", "K",  "L",    "M"}) {
    tokens.emplace_back(c);
  }
  tokens.resize(kTinyVocabulary, "~");
  return tokens;
}

/// `scale` of the output layer: how sharp the distributions are.
/// `eight_bits`: matrices are quantised, as models that people use are.
inline std::string tiny_gguf(std::uint64_t seed, double scale = 1.0, bool eight_bits = false) {
  constexpr std::uint64_t kWidth = 64, kHidden = 128, kHeads = 2, kKeyHeads = 1;
  GgufWriter file;
  file.text("general.architecture", "llama");
  file.text("general.name", "tiny random " + std::to_string(seed));
  file.u32("llama.context_length", 2048);
  file.u32("llama.embedding_length", kWidth);
  file.u32("llama.block_count", 2);
  file.u32("llama.feed_forward_length", kHidden);
  file.u32("llama.attention.head_count", kHeads);
  file.u32("llama.attention.head_count_kv", kKeyHeads);
  file.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  file.u32("llama.rope.dimension_count", kWidth / kHeads);
  file.u32("llama.vocab_size", kTinyVocabulary);
  file.text("tokenizer.ggml.model", "llama");
  auto tokens = tiny_vocabulary();
  // Names must differ.
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == "~") tokens[i] += std::to_string(i);
  }
  file.texts("tokenizer.ggml.tokens", tokens);
  std::vector<float> scores(kTinyVocabulary, 0);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = -static_cast<float>(i);
  file.numbers("tokenizer.ggml.scores", 6, scores);
  std::vector<std::int32_t> types(kTinyVocabulary, 1);
  types[0] = 2;
  types[1] = types[2] = 3;
  file.numbers("tokenizer.ggml.token_type", 5, types);
  file.u32("tokenizer.ggml.unknown_token_id", 0);
  file.u32("tokenizer.ggml.bos_token_id", 1);
  file.u32("tokenizer.ggml.eos_token_id", 2);
  std::uint64_t index = 0;
  const auto random = [&](std::string_view name, std::uint64_t in, std::uint64_t out, double s) {
    RandomStream stream(seed, "weights", index++);
    std::vector<float> values(in * out);
    for (float& v : values) {
      v = static_cast<float>(s * stream.normal() / std::sqrt(static_cast<double>(in)));
    }
    if (eight_bits) {
      file.tensor_q8(name, {in, out}, values);
    } else {
      file.tensor(name, {in, out}, values);
    }
  };
  const std::vector<float> ones(kWidth, 1);
  random("token_embd.weight", kWidth, kTinyVocabulary, 8);
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    constexpr std::uint64_t kKeys = kWidth / kHeads * kKeyHeads;
    file.tensor(block + "attn_norm.weight", {kWidth}, ones);
    random(block + "attn_q.weight", kWidth, kWidth, 1.5);
    random(block + "attn_k.weight", kWidth, kKeys, 1.5);
    random(block + "attn_v.weight", kWidth, kKeys, 1.5);
    random(block + "attn_output.weight", kWidth, kWidth, 1.5);
    file.tensor(block + "ffn_norm.weight", {kWidth}, ones);
    random(block + "ffn_gate.weight", kWidth, kHidden, 1.5);
    random(block + "ffn_up.weight", kWidth, kHidden, 1.5);
    random(block + "ffn_down.weight", kHidden, kWidth, 1.5);
  }
  file.tensor("output_norm.weight", {kWidth}, ones);
  random("output.weight", kWidth, kTinyVocabulary, scale);
  return file.bytes();
}

}  // namespace sosia::llm::test
