#pragma once
// The inner loops of vector search, one set for each instruction set that Highway knows, chosen at
// run time. kernels.cpp is the only file that includes Highway.
//
// Every floating point sum of a row and a probe is taken in the same order: lane i of one vector
// register adds elements i, i + lanes, i + 2 * lanes ..., then the lanes are added in a fixed tree.
// So one probe or sixty-four, first row or last, give the same bits. (Another instruction set has
// another number of lanes and may give other last bits.)

#include <cstddef>
#include <cstdint>

namespace sosia::gallery {

/// Probes that one pass over the rows serves at most: one bit each in a 64-bit word.
inline constexpr std::size_t kProbesPerPass = 64;
/// Arrays of row pointers are padded to a multiple of it, and by as many again to look ahead at,
/// with the pointers of rows that come next or with any valid one.
inline constexpr std::size_t kRowGroup = 12;
/// Arrays of probes are padded to a multiple of it.
inline constexpr std::size_t kProbeGroup = 4;

/// The kernels add products of codes of rows, taken as 0 to 255, and codes of probes within 16 bits
/// before they widen them: those of `kCodeSteps` registers in a row, of two neighbours each. So a
/// probe's positive codes that meet in one such sum must add up to kMostCodeSum at most, and its
/// negative ones likewise: 255 * 128 < 2^15.
inline constexpr std::size_t kCodeSteps = 4;
inline constexpr int kMostCodeSum = 128;

/// What the bounds of codes need to know of the probes of a pass; arrays of kProbesPerPass. Row r
/// lets probe p through when
/// (dot - offsets[p]) * scales[r] * steps[p] + residuals[r] * norms[p] >= limits[p].
struct CodeProbes {
  const std::int32_t* offsets;
  const float* steps;
  const float* norms;
  const float* limits;
};

/// Rows that will be wanted next, to be fetched from memory meanwhile.
struct Ahead {
  const std::byte* const* rows;
  std::size_t count;
  std::size_t bytes;  ///< of each
};

/// What a row's codes do not say.
struct CodeMeasures {
  float scale;     ///< row = scale * codes + rest
  float residual;  ///< |rest|, rounded up
  float length;    ///< |row|, rounded up
};

/// Where an element of a graph has its codes. Their scale, a float, stands right before them.
struct CodeLayout {
  std::size_t offset;  ///< of the codes, bytes
  std::size_t padded;
};

/// Rows are aligned to 64 bytes. `padded` counts elements, a multiple of 32 halves, 16 floats or 64
/// codes; what is beyond the dimension is zero. Scores of several probes: [row][kProbesPerPass].
struct Kernels {
  const char* target;
  std::size_t code_register;  ///< bytes of a register, for kMostCodeSum

  /// scores[i] = rows[i] . probe for `count` rows (padded to kRowGroup) of f16 or f32.
  void (*dot_halves)(const float* probe, const std::byte* const* rows, std::size_t count,
                     std::size_t padded, float* scores);
  void (*dot_floats)(const float* probe, const std::byte* const* rows, std::size_t count,
                     std::size_t padded, float* scores);
  /// f16 to f32.
  void (*widen)(const std::byte* row, std::size_t padded, float* out);
  /// All of `probe_count` (padded to kProbeGroup) probes with all of `row_count` (padded to
  /// kRowGroup) rows of f32.
  void (*dot_tile)(const float* probes, std::size_t probe_count, const std::byte* const* rows,
                   std::size_t row_count, std::size_t padded, float* scores, Ahead ahead);
  /// passed[i]: bit p is set when the score of row i and probe p is at least thresholds[p].
  void (*at_least)(const float* scores, const float* thresholds, std::size_t probe_count,
                   std::size_t row_count, std::uint64_t* passed);

  /// int8 codes of a row of f32: code = round(x / scale), scale = max |x| / 127.
  CodeMeasures (*encode)(const float* row, std::size_t padded, std::int8_t* codes);
  /// The same as dot_halves and dot_tile for codes: of rows as 0 to 255, of probes as int8. Exact
  /// up to 65536 elements.
  void (*dot_codes)(const std::int8_t* probe, const std::byte* const* rows, std::size_t count,
                    std::size_t padded, std::int32_t* dots);
  void (*dot_code_tile)(const std::int8_t* probes, std::size_t probe_count,
                        const std::byte* const* rows, std::size_t row_count, std::size_t padded,
                        std::int32_t* dots, Ahead ahead);
  /// Which of up to 64 rows (dots[i], scales[i], residuals[i]; padded to 64) probe 0 lets through.
  std::uint64_t (*codes_pass)(const std::int32_t* dots, const float* scales, const float* residuals,
                              std::size_t count, CodeProbes probes);
  /// The same for `probe_count` probes and each row: bit p of passed[i].
  void (*code_tile_pass)(const std::int32_t* dots, const float* scales, const float* residuals,
                         std::size_t probe_count, std::size_t row_count, CodeProbes probes,
                         std::uint64_t* passed);
  /// 1 - cosine of two elements of a graph, by their codes. `layout` is a CodeLayout; nothing need
  /// be aligned.
  float (*code_distance)(const void* a, const void* b, const void* layout);
};

/// The best set for this processor.
const Kernels& kernels();

}  // namespace sosia::gallery
