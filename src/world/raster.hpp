#pragma once
// A small software rasteriser: grids of vertices into a buffer of samples that holds depth, normal
// and three free values, to be shaded afterwards. Same bits everywhere; see exact_math.hpp.

#include "world/vec3.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <xmmintrin.h>

namespace sosia::world {

/// A vertex after projection: place in samples, nearness (greater is nearer to the camera), normal
/// in the camera's frame and three values that the material interprets.
struct Vertex {
  float x = 0, y = 0, near = 0;
  Vec3 normal;
  Vec3 value;
  float padding = 0;  ///< the fourth of `high`

  __m128 low() const { return _mm_setr_ps(near, normal.x, normal.y, normal.z); }
  __m128 high() const { return _mm_setr_ps(value.x, value.y, value.z, padding); }
};

/// What one sample saw. `material` 0 is nothing. `near` and `normal` are stored as one register.
struct alignas(16) Sample {
  float near = 0;
  Vec3 normal;
  Vec3 value;
  std::uint32_t material = 0;
};

static_assert(offsetof(Sample, normal) == 4 && sizeof(Sample) == 32);

/// Square, reused from picture to picture.
class SampleBuffer {
 public:
  void reset(int side) {
    side_ = side;
    samples_.assign(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), Sample{});
  }
  int side() const noexcept { return side_; }
  Sample* row(int y) noexcept {
    return samples_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(side_);
  }
  const Sample* row(int y) const noexcept {
    return samples_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(side_);
  }

 private:
  int side_ = 0;
  std::vector<Sample> samples_;
};

/// Rows of columns; neighbours form the cells.
struct Grid {
  int columns = 0, rows = 0;
  std::vector<Vec3> points;    ///< in the frame of the part
  std::vector<Vec3> values;    ///< as Vertex::value
  std::vector<Vertex> screen;  ///< after projection

  void reset(int columns_in, int rows_in) {
    columns = columns_in;
    rows = rows_in;
    const auto n = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
    points.resize(n);
    values.resize(n);
    screen.resize(n);
  }
  std::size_t index(int column, int row) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
           static_cast<std::size_t>(column);
  }
};

/// Which side of the cells is drawn: grids are laid out so that the outer side is the front.
enum class Faces { front, both, back };

/// Draws one triangle. `keep(value)` says whether a sample belongs to the part; it is asked before
/// the depth is written.
template <class Keep>
void raster_triangle(SampleBuffer& out, const Vertex& a, const Vertex& b, const Vertex& c,
                     std::uint32_t material, Faces faces, const Keep& keep) {
  // Twice the signed area; positive for the front (y points down on the screen).
  float area = (c.x - a.x) * (b.y - a.y) - (b.x - a.x) * (c.y - a.y);
  float flip = 1.0f;
  if (area < 0) {
    if (faces == Faces::front) return;
    flip = -1.0f;
    area = -area;
  } else if (faces == Faces::back) {
    return;
  }
  if (area < 1e-7f) return;
  const float limit = static_cast<float>(out.side());
  const float min_x = std::max(0.0f, std::min({a.x, b.x, c.x}));
  const float max_x = std::min(limit, std::max({a.x, b.x, c.x}));
  const float min_y = std::max(0.0f, std::min({a.y, b.y, c.y}));
  const float max_y = std::min(limit, std::max({a.y, b.y, c.y}));
  if (!(min_x < max_x && min_y < max_y)) return;
  // Samples lie at half-integers.
  const int x0 = static_cast<int>(min_x + 0.5f), x1 = static_cast<int>(max_x + 0.5f);
  const int y0 = static_cast<int>(min_y + 0.5f), y1 = static_cast<int>(max_y + 0.5f);
  if (x0 >= x1 || y0 >= y1) return;
  const float inverse = flip / area;
  // Barycentric weights of b and c grow by these from sample to sample.
  const float b_dx = -(c.y - a.y) * inverse, b_dy = (c.x - a.x) * inverse;
  const float c_dx = (b.y - a.y) * inverse, c_dy = -(b.x - a.x) * inverse;
  // Four samples of a row at a time (SSE, which every x86-64 has, rounds as scalar code does). A
  // little less than zero counts as inside, so that no sample falls between two triangles.
  const __m128 lanes = _mm_setr_ps(0.0f, 1.0f, 2.0f, 3.0f);
  const __m128 step_b = _mm_set1_ps(b_dx), step_c = _mm_set1_ps(c_dx);
  const __m128 one = _mm_set1_ps(1.0f), slack = _mm_set1_ps(-1e-5f);
  // Nearness and normal in one register, the value in another.
  const __m128 low_a = a.low(), low_b = b.low(), low_c = c.low();
  const __m128 high_a = a.high(), high_b = b.high(), high_c = c.high();
  const __m128 turn = _mm_setr_ps(1.0f, flip, flip, flip);
  const auto blend = [](__m128 p, __m128 q, __m128 r, __m128 wp, __m128 wq, __m128 wr) {
    return _mm_add_ps(_mm_add_ps(_mm_mul_ps(p, wp), _mm_mul_ps(q, wq)), _mm_mul_ps(r, wr));
  };
  const float px = static_cast<float>(x0) + 0.5f - a.x;
  const int width = x1 - x0;
  for (int y = y0; y < y1; ++y) {
    const float py = static_cast<float>(y) + 0.5f - a.y;
    const __m128 row_b = _mm_set1_ps(px * b_dx + py * b_dy);
    const __m128 row_c = _mm_set1_ps(px * c_dx + py * c_dy);
    Sample* row = out.row(y) + x0;
    for (int i = 0; i < width; i += 4) {
      const __m128 at = _mm_add_ps(lanes, _mm_set1_ps(static_cast<float>(i)));
      const __m128 wb4 = _mm_add_ps(row_b, _mm_mul_ps(at, step_b));
      const __m128 wc4 = _mm_add_ps(row_c, _mm_mul_ps(at, step_c));
      const __m128 wa4 = _mm_sub_ps(_mm_sub_ps(one, wb4), wc4);
      const __m128 least = _mm_min_ps(wa4, _mm_min_ps(wb4, wc4));
      auto inside = static_cast<unsigned>(_mm_movemask_ps(_mm_cmpge_ps(least, slack)));
      if (width - i < 4) inside &= (1u << (width - i)) - 1u;
      if (inside == 0) continue;
      alignas(16) float wa_of[4], wb_of[4], wc_of[4];
      _mm_store_ps(wa_of, wa4);
      _mm_store_ps(wb_of, wb4);
      _mm_store_ps(wc_of, wc4);
      for (; inside != 0; inside &= inside - 1) {
        const int lane = std::countr_zero(inside);
        Sample& sample = row[i + lane];
        const __m128 wa = _mm_set1_ps(wa_of[lane]), wb = _mm_set1_ps(wb_of[lane]),
                     wc = _mm_set1_ps(wc_of[lane]);
        const __m128 low = blend(low_a, low_b, low_c, wa, wb, wc);
        if (_mm_cvtss_f32(low) <= sample.near) continue;
        alignas(16) float high[4];
        _mm_store_ps(high, blend(high_a, high_b, high_c, wa, wb, wc));
        const Vec3 value{high[0], high[1], high[2]};
        if (!keep(value)) continue;
        _mm_store_ps(reinterpret_cast<float*>(&sample), _mm_mul_ps(low, turn));
        sample.value = value;
        sample.material = material;
      }
    }
  }
}

/// `empty(values of the corners)` tells that `keep` refuses every sample of a cell.
template <class Keep, class Empty>
void raster_grid(SampleBuffer& out, const Grid& grid, std::uint32_t material, Faces faces,
                 const Keep& keep, const Empty& empty) {
  for (int row = 0; row + 1 < grid.rows; ++row) {
    for (int column = 0; column + 1 < grid.columns; ++column) {
      const Vertex& a = grid.screen[grid.index(column, row)];
      const Vertex& b = grid.screen[grid.index(column + 1, row)];
      const Vertex& c = grid.screen[grid.index(column, row + 1)];
      const Vertex& d = grid.screen[grid.index(column + 1, row + 1)];
      if (empty(a.value, b.value, c.value, d.value)) continue;
      raster_triangle(out, a, b, c, material, faces, keep);
      raster_triangle(out, c, b, d, material, faces, keep);
    }
  }
}

template <class Keep>
void raster_grid(SampleBuffer& out, const Grid& grid, std::uint32_t material, Faces faces,
                 const Keep& keep) {
  raster_grid(out, grid, material, faces, keep, [](Vec3, Vec3, Vec3, Vec3) { return false; });
}

inline void raster_grid(SampleBuffer& out, const Grid& grid, std::uint32_t material,
                        Faces faces = Faces::front) {
  raster_grid(out, grid, material, faces, [](Vec3) { return true; });
}

/// Normals in the part's frame from the neighbours of each point, pointing to the front. Where the
/// first and last column coincide (`wraps`), they are smoothed across the seam.
void grid_normals(const Grid& grid, bool wraps, std::vector<Vec3>& normals);

}  // namespace sosia::world
