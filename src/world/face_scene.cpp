// Head, ears, neck and torso.

#include "world/face_scene.hpp"

#include <cmath>

namespace sosia::world {

void grid_normals(const Grid& grid, bool wraps, std::vector<Vec3>& normals) {
  normals.resize(grid.points.size());
  for (int row = 0; row < grid.rows; ++row) {
    const int below = std::max(row - 1, 0), above = std::min(row + 1, grid.rows - 1);
    for (int column = 0; column < grid.columns; ++column) {
      int left = column - 1, right = column + 1;
      if (left < 0) left = wraps ? grid.columns - 2 : 0;
      if (right >= grid.columns) right = wraps ? 1 : grid.columns - 1;
      const Vec3 across = grid.points[grid.index(right, row)] - grid.points[grid.index(left, row)];
      const Vec3 up =
          grid.points[grid.index(column, above)] - grid.points[grid.index(column, below)];
      normals[grid.index(column, row)] = normalized(cross(across, up));
    }
  }
}

const std::vector<CutAngle>& FaceScene::head_angles(int half) {
  std::vector<CutAngle>& angles = head_angles_[half];
  if (angles.empty()) {
    for (int c = -half; c <= half; ++c) {
      const double t = static_cast<double>(c) / half;
      angles.push_back(cut_angle(t * (0.42 + 0.58 * t * t) * exact::kPi));
    }
  }
  return angles;
}

const std::vector<CutAngle>& FaceScene::even_angles(int columns) {
  std::vector<CutAngle>& angles = even_angles_[columns];
  if (angles.empty()) {
    for (int c = 0; c < columns; ++c) {
      angles.push_back(cut_angle(2 * exact::kPi * (static_cast<double>(c) / (columns - 1) - 0.5)));
    }
  }
  return angles;
}

FaceView make_face_view(const FaceAttributes& a, int side) {
  FaceView view;
  view.head = rotation_of(a.yaw_deg, a.pitch_deg, a.roll_deg);
  view.body = rotation_of(0.35 * a.yaw_deg, 0, 0.15 * a.roll_deg);
  const auto size = static_cast<float>(side);
  view.scale = 0.315f * size * static_cast<float>(a.scale);
  view.centre_x = size * (0.5f + static_cast<float>(a.shift_x));
  // The middle of the head, a little below the eyes, stands in the middle of the picture.
  view.centre_y = size * (0.5f + static_cast<float>(a.shift_y)) - 0.08f * view.scale;
  return view;
}

void FaceScene::finish(bool wraps) {
  grid_normals(grid_, wraps, normals_);
  for (std::size_t i = 0; i < grid_.points.size(); ++i) {
    const Vec3 p = view.project(grid_.points[i]);
    grid_.screen[i] = {p.x, p.y, p.z, normals_[i], grid_.values[i]};
  }
}

void FaceScene::head(bool fine) {
  // Angles: dense where the face is. Rows: dense between chin and brows.
  const int half = fine ? 30 : 13;
  const int columns = 2 * half + 1, rows = fine ? 70 : 33;
  grid_.reset(columns, rows);
  const std::vector<CutAngle>& angles = head_angles(half);
  for (int r = 0; r < rows; ++r) {
    const float u = static_cast<float>(r) / static_cast<float>(rows - 1);
    const float s = static_cast<float>(FaceShape::kCuts - 1) * u;
    const HeadCut cut = shape.cut_at(s);
    for (int c = 0; c < columns; ++c) {
      const CutAngle angle = angles[static_cast<std::size_t>(c)];
      Vec3 p{cut.half_width * angle.across, cut.y,
             (angle.along >= 0 ? cut.front : cut.back) * angle.along};
      if (angle.along > 0 && s >= 2) p.z += shape.relief(p.x, p.y) * angle.along;
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = p;
      grid_.points[i] = view.from_head(p);
    }
  }
  finish(true);
  raster_grid(samples, grid_, kHead);
}

void FaceScene::ellipsoid(Vec3 centre, Vec3 radii, Material material, float first) {
  constexpr int kColumns = 15, kRows = 9;
  grid_.reset(kColumns, kRows);
  for (int r = 0; r < kRows; ++r) {
    const double latitude = exact::kPi * (static_cast<double>(r) / (kRows - 1) - 0.5);
    const auto ring = static_cast<float>(exact::cos(latitude));
    const auto up = static_cast<float>(exact::sin(latitude));
    for (int c = 0; c < kColumns; ++c) {
      const double longitude = 2 * exact::kPi * (static_cast<double>(c) / (kColumns - 1) - 0.5);
      const Vec3 unit{ring * static_cast<float>(exact::sin(longitude)), up,
                      ring * static_cast<float>(exact::cos(longitude))};
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {first, unit.y, unit.x};
      if (material == kHair) {
        grid_.values[i] = {static_cast<float>(longitude) * 1.5f, unit.y * 0.4f, 1.0f};
      }
      grid_.points[i] = view.from_head(
          {centre.x + radii.x * unit.x, centre.y + radii.y * unit.y, centre.z + radii.z * unit.z});
    }
  }
  finish(true);
  raster_grid(samples, grid_, material);
}

void FaceScene::ears() {
  constexpr int kColumns = 11, kRows = 9;
  const float half_width = shape.cut_at(shape.parameter_of(shape.ear_y)).half_width;
  for (int side = -1; side <= 1; side += 2) {
    grid_.reset(kColumns, kRows);
    const auto sign = static_cast<float>(side);
    for (int r = 0; r < kRows; ++r) {
      const double latitude = exact::kPi * (static_cast<double>(r) / (kRows - 1) - 0.5);
      const auto v = static_cast<float>(exact::sin(latitude));
      // Wider above than below, like an ear.
      const float ring = static_cast<float>(exact::cos(latitude)) * (1.0f + 0.25f * v);
      for (int c = 0; c < kColumns; ++c) {
        const double longitude = 2 * exact::kPi * (static_cast<double>(c) / (kColumns - 1) - 0.5);
        const float u = ring * static_cast<float>(exact::sin(longitude));
        const float w = ring * static_cast<float>(exact::cos(longitude));
        // A flat ellipsoid that stands off from the head to the back; u runs to the back on both
        // sides, w outwards.
        const float along = 0.15f * u, out = 0.055f * w + 0.075f * u;
        const Vec3 p{sign * (half_width + 0.015f + out * shape.ear_size),
                     shape.ear_y + 0.235f * shape.ear_size * v,
                     -0.03f - along * shape.ear_size - 0.04f * v};
        const std::size_t i = grid_.index(side < 0 ? c : kColumns - 1 - c, r);
        grid_.values[i] = {u, v, w};
        grid_.points[i] = view.from_head(p);
      }
    }
    finish(true);
    raster_grid(samples, grid_, side < 0 ? kLeftEar : kRightEar);
  }
}

void FaceScene::neck() {
  constexpr int kColumns = 21, kRows = 8;
  grid_.reset(kColumns, kRows);
  const float width = shape.cuts[4].half_width / 0.515f;  // thick for a broad jaw
  for (int r = 0; r < kRows; ++r) {
    const float down = 1.0f - static_cast<float>(r) / (kRows - 1);  // rows go upwards
    const float bend = exact::ramp(0.0f, 1.0f, down);
    const float y = exact::mix(-0.50f, -1.70f, down);
    const float radius =
        (0.385f + 0.01f * bend + 0.07f * down * down * down) * (0.70f + 0.30f * width);
    for (int c = 0; c < kColumns; ++c) {
      const double theta = 2 * exact::kPi * (static_cast<double>(c) / (kColumns - 1) - 0.5);
      const Vec3 p{radius * static_cast<float>(exact::sin(theta)), y,
                   -0.16f - 0.05f * down + 0.95f * radius * static_cast<float>(exact::cos(theta))};
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {static_cast<float>(theta), y, down};
      grid_.points[i] = mix(view.from_head(p), view.from_body(p), bend);
    }
  }
  finish(true);
  raster_grid(samples, grid_, kNeck);
}

void FaceScene::torso() {
  struct Ring {
    float y, half_width, depth;
  };
  constexpr Ring kRings[] = {
      {-3.40f, 1.45f, 0.66f}, {-2.70f, 1.58f, 0.66f}, {-2.25f, 1.58f, 0.60f},
      {-2.02f, 1.48f, 0.54f}, {-1.84f, 1.26f, 0.49f}, {-1.71f, 1.00f, 0.48f},
      {-1.59f, 0.76f, 0.48f}, {-1.47f, 0.59f, 0.51f}, {-1.36f, 0.51f, 0.53f}};
  constexpr int kRows = static_cast<int>(std::size(kRings)), kColumns = 25;
  grid_.reset(kColumns, kRows);
  const std::vector<CutAngle>& angles = even_angles(kColumns);
  for (int r = 0; r < kRows; ++r) {
    const Ring& ring = kRings[r];
    for (int c = 0; c < kColumns; ++c) {
      const CutAngle angle = angles[static_cast<std::size_t>(c)];
      const Vec3 p{ring.half_width * angle.across, ring.y, ring.depth * angle.along - 0.20f};
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = p;
      grid_.points[i] = view.from_body(p);
    }
  }
  finish(true);
  // The neckline: lower in front.
  raster_grid(samples, grid_, kTorso, Faces::front, [](Vec3 p) { return p.y < neckline(p.z); });
}

void FaceScene::build(const FaceIdentity& identity, const FaceAttributes& a, int side, bool fine) {
  samples.reset(side);
  shape = make_face_shape(identity, a);
  view = make_face_view(a, side);
  hair = make_hair_line(shape, a);
  // From front to back: what is hidden is not even interpolated.
  if (a.occlusion == FaceOcclusion::cup) cup(a);
  if (a.occlusion == FaceOcclusion::hand) hand(a);
  if (a.occlusion == FaceOcclusion::mask) mask();
  if (a.glasses != FaceGlasses::none) glasses(a);
  if (a.hat != FaceHat::none) hat(a);
  if (a.hair != FaceHair::bald) hair_shell(a, fine);
  head(fine);
  ears();
  torso();
  neck();
  // The inner side of hanging hair, seen beside the neck: nearly all of it is hidden by now.
  if (hair.hang > 0) raster_hair(a, Faces::back);
}

}  // namespace sosia::world
