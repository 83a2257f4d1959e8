// JPEG: orientation, scale, colour models, and the files that are refused.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/transform.hpp"

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using namespace testing;

constexpr DecodeOptions kDefaults{};

Error error_of(const ByteVector& bytes, const DecodeOptions& options = kDefaults) {
  try {
    decode(bytes, options);
  } catch (const Error& e) {
    return e;
  }
  return Error(ErrorCode::internal, "nothing was thrown");
}

EncodeOptions best() {
  EncodeOptions options;
  options.quality = 100;
  options.subsampling = Subsampling::none_444;
  return options;
}

/// Where row `r`, column `c` of the stored picture is seen, by the wording of the EXIF standard
/// ("the 0th row is at the visual ... side, the 0th column at the ... side").
std::pair<int, int> seen_at(int orientation, int r, int c, Extent upright) {
  const int right = upright.width_px - 1;
  const int bottom = upright.height_px - 1;
  switch (orientation) {
    case 1:
      return {c, r};  // top, left
    case 2:
      return {right - c, r};  // top, right
    case 3:
      return {right - c, bottom - r};  // bottom, right
    case 4:
      return {c, bottom - r};  // bottom, left
    case 5:
      return {r, c};  // left, top
    case 6:
      return {right - r, c};  // right, top
    case 7:
      return {right - r, bottom - c};  // right, bottom
    default:
      return {r, bottom - c};  // left, bottom
  }
}

/// The picture that a camera with this orientation would have stored.
Image stored_for(ImageView upright, int orientation) {
  const bool turned = orientation >= 5;
  Image stored(turned ? upright.height_px : upright.width_px,
               turned ? upright.width_px : upright.height_px, upright.channels);
  for (int r = 0; r < stored.height_px(); ++r) {
    for (int c = 0; c < stored.width_px(); ++c) {
      const auto [x, y] = seen_at(orientation, r, c, upright.extent());
      for (int k = 0; k < upright.channels; ++k) {
        stored.pixel(c, r)[k] = upright.pixel(x, y)[k];
      }
    }
  }
  return stored;
}

TEST(Jpeg, AllEightOrientations) {
  const Image upright = gradient(47, 30, 3);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image stored = stored_for(upright, orientation);
    EXPECT_TRUE(
        same_pixels(apply_orientation(stored, static_cast<Orientation>(orientation)), upright));
    for (const bool little : {false, true}) {
      const ByteVector file = with_exif(jpeg_of(stored, best()),
                                        exif_block(static_cast<unsigned>(orientation), little));
      const Decoded decoded = decode(file);
      EXPECT_EQ(static_cast<int>(decoded.info.orientation), orientation);
      EXPECT_EQ(static_cast<int>(decoded.applied_orientation), orientation);
      EXPECT_EQ(decoded.info.extent, stored.extent());
      EXPECT_LE(largest_difference(decoded.image, upright), 6) << orientation;  // observed 3
      DecodeOptions options;
      options.apply_orientation = false;
      EXPECT_LE(largest_difference(decode(file, options).image, stored), 6) << orientation;
    }
  }
}

TEST(Jpeg, BadExifMeansUpright) {
  const ByteVector jpeg = jpeg_of(gradient(16, 8, 3));
  ByteVector loop = exif_block(6, true);
  loop[10] = std::byte{0xff};  // the directory lies far behind the block
  ByteVector many = exif_block(6, true);
  many[14] = many[15] = std::byte{0xff};  // 65,535 entries claimed; the second is still found
  ByteVector wrong_mark = exif_block(6, true);
  wrong_mark[8] = std::byte{43};
  EXPECT_EQ(probe(with_exif(jpeg, loop)).orientation, Orientation::upright);
  EXPECT_EQ(probe(with_exif(jpeg, many)).orientation, Orientation::rotate_90);
  EXPECT_EQ(probe(with_exif(jpeg, wrong_mark)).orientation, Orientation::upright);
  for (const unsigned value : {0U, 9U, 200U}) {
    EXPECT_EQ(probe(with_exif(jpeg, exif_block(value, true))).orientation, Orientation::upright);
  }
  const ByteVector whole = exif_block(6, false);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_NO_THROW(decode(with_exif(jpeg, ByteVector(whole.begin(), whole.begin() + n)))) << n;
  }
}

TEST(Jpeg, PictureComesBack) {
  const Image rgb = gradient(61, 43, 3);
  const Decoded decoded = decode(jpeg_of(rgb, best()));
  EXPECT_LE(largest_difference(decoded.image, rgb), 6);  // observed 3
  EXPECT_EQ(decoded.info.bit_depth, 8);
  EXPECT_FALSE(decoded.info.progressive);
  const Image grey = noise(30, 30, 1);
  DecodeOptions options;
  options.channels = Channels::as_stored;
  const Decoded back = decode(jpeg_of(grey, best()), options);
  EXPECT_EQ(back.info.colour_model, ColourModel::grey);
  EXPECT_EQ(back.image.channels(), 1);
  EXPECT_LE(largest_difference(back.image, grey), 3);  // observed 1
  EncodeOptions progressive = best();
  progressive.progressive = true;
  const Decoded scans = decode(jpeg_of(rgb, progressive));
  EXPECT_TRUE(scans.info.progressive);
  EXPECT_TRUE(same_pixels(scans.image, decoded.image));
}

TEST(Jpeg, GreyFromColourIsTheStoredLuma) {
  const Image rgb = gradient(40, 40, 3);
  DecodeOptions options;
  options.channels = Channels::grey;
  const Image grey = decode(jpeg_of(rgb, best()), options).image;
  EXPECT_LE(largest_difference(grey, convert(rgb, Conversion::to_grey)), 3);  // observed 1
}

TEST(Jpeg, ScaleIsCloseToTheAreaMean) {
  // Both sides multiples of 8: every output pixel is a whole block's mean at 1/8.
  const Image rgb = gradient(160, 96, 3);
  const ByteVector file = jpeg_of(rgb, best());
  for (const int n : {2, 4, 8}) {
    DecodeOptions options;
    options.scale_denominator = n;
    const Image scaled = decode(file, options).image;
    EXPECT_LE(largest_difference(scaled, resize(rgb, 160 / n, 96 / n)), 6) << n;  // observed 3
  }
}

TEST(Jpeg, CmykBecomesRgb) {
  Image cmyk(16, 16, 4);
  const int stored[4] = {255, 128, 51, 204};  // inverted: 255 is no ink
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (int c = 0; c < 4; ++c) {
        cmyk.pixel(x, y)[c] = static_cast<std::uint8_t>(stored[c]);
      }
    }
  }
  ByteVector file = cmyk_jpeg_of(cmyk);
  const Decoded adobe = decode(file);
  EXPECT_EQ(adobe.info.colour_model, ColourModel::cmyk);
  EXPECT_NEAR(adobe.image.pixel(8, 8)[0], 204, 2);  // 255 * 204 / 255
  EXPECT_NEAR(adobe.image.pixel(8, 8)[1], 128 * 204 / 255, 2);
  EXPECT_NEAR(adobe.image.pixel(8, 8)[2], 51 * 204 / 255, 2);
  // Without Adobe's marker the samples are ink as they stand. The file holds YCCK, libjpeg-turbo's
  // own choice: what was (255, 128, 51) is then (97.8, 187.9, 58.2), by T.871 of its complement.
  const std::size_t marker = find_marker(file, 0xee);
  file.erase(file.begin() + static_cast<std::ptrdiff_t>(marker),
             file.begin() + static_cast<std::ptrdiff_t>(marker) + 16);
  const Decoded plain = decode(file);
  EXPECT_NEAR(plain.image.pixel(8, 8)[0], (255 - 97.8) * (255 - 204) / 255, 2);
  EXPECT_NEAR(plain.image.pixel(8, 8)[1], (255 - 187.9) * (255 - 204) / 255, 2);
  EXPECT_NEAR(plain.image.pixel(8, 8)[2], (255 - 58.2) * (255 - 204) / 255, 2);
}

TEST(Jpeg, OtherProcessesAreNamed) {
  const ByteVector good = jpeg_of(gradient(16, 16, 3));
  const std::size_t frame = find_marker(good, 0xc0);
  const auto with = [&](std::size_t offset, unsigned value) {
    ByteVector bytes = good;
    bytes[frame + offset] = static_cast<std::byte>(value);
    return error_of(bytes);
  };
  for (const auto& [marker, word] : {std::pair{0xc9U, "arithmetic"}, std::pair{0xcaU, "arithmetic"},
                                     std::pair{0xc3U, "lossless"}, std::pair{0xc5U, "hierarchical"},
                                     std::pair{0xcbU, "arithmetic"}}) {
    const Error e = with(1, marker);
    EXPECT_EQ(e.code(), ErrorCode::unsupported) << marker;
    EXPECT_NE(e.message().find(word), std::string::npos) << e.message();
  }
  const Error twelve = with(4, 12);
  EXPECT_EQ(twelve.code(), ErrorCode::unsupported);
  EXPECT_NE(twelve.message().find("12 bits"), std::string::npos);
  EXPECT_EQ(with(4, 9).code(), ErrorCode::corrupt_data);
}

TEST(Jpeg, TruncationIsToldWithItsReason) {
  const ByteVector file = jpeg_of(noise(64, 64, 3));
  const Error e = error_of(ByteVector(file.begin(), file.end() - 200));
  EXPECT_EQ(e.code(), ErrorCode::corrupt_data);
  EXPECT_NE(e.message().find("cut off"), std::string::npos) << e.message();
  // The end marker is there, but a piece of the middle is not: the codec's own words.
  ByteVector hole(file.begin(), file.end() - 400);
  hole.insert(hole.end(), file.end() - 2, file.end());
  const Error inside = error_of(hole);
  EXPECT_EQ(inside.code(), ErrorCode::corrupt_data);
  EXPECT_NE(inside.message().find("Corrupt JPEG data"), std::string::npos) << inside.message();
}

TEST(Jpeg, HarmlessOdditiesAreAccepted) {
  const Image picture = gradient(48, 40, 3);
  const ByteVector file = jpeg_of(picture);
  const Image expected = decode(file).image;
  // Padding before the end marker.
  ByteVector padded(file.begin(), file.end() - 2);
  padded.resize(padded.size() + 7);
  append_u8(padded, {0xff, 0xd9});
  EXPECT_TRUE(same_pixels(decode(padded).image, expected));
  // Anything behind it: a second picture, a motion photo's video.
  ByteVector longer = file;
  append(longer, file);
  EXPECT_TRUE(same_pixels(decode(longer).image, expected));
  // Scan parameters of zero, as some cameras write.
  ByteVector zeros = file;
  const std::size_t scan = find_marker(zeros, 0xda);
  ASSERT_EQ(zeros[scan + 12], std::byte{63});
  zeros[scan + 12] = std::byte{0};
  EXPECT_TRUE(same_pixels(decode(zeros).image, expected));
  // They do not hide damage behind them.
  ByteVector hole(zeros.begin(), zeros.end() - 60);
  append_u8(hole, {0xff, 0xd9});
  EXPECT_EQ(error_of(hole).code(), ErrorCode::corrupt_data);
}

TEST(Jpeg, ProgressiveBombsAreRefused) {
  EncodeOptions progressive;
  progressive.progressive = true;
  const ByteVector file = jpeg_of(noise(64, 64, 3), progressive);
  std::size_t last_scan = 0;
  int scans = 0;
  for (std::size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == std::byte{0xff} && file[i + 1] == std::byte{0xda}) {
      last_scan = i;
      ++scans;
    }
  }
  ASSERT_GT(scans, 2);
  const auto with_more = [&](int more) {
    ByteVector out(file.begin(), file.end() - 2);
    for (int i = 0; i < more; ++i) {
      out.insert(out.end(), file.begin() + static_cast<std::ptrdiff_t>(last_scan), file.end() - 2);
    }
    append_u8(out, {0xff, 0xd9});
    return out;
  };
  const Error e = error_of(with_more(100));
  EXPECT_EQ(e.code(), ErrorCode::out_of_memory);
  EXPECT_NE(e.message().find("scans"), std::string::npos) << e.message();
  // 30 scans pass the first rule and fail the second when the cap is the picture itself.
  DecodeOptions tight;
  tight.max_pixels = 64 * 64;
  EXPECT_NO_THROW(decode(file, tight));
  const Error product = error_of(with_more(30), tight);
  EXPECT_EQ(product.code(), ErrorCode::out_of_memory);
  tight.max_progressive_scans = scans - 1;
  EXPECT_EQ(error_of(file, tight).code(), ErrorCode::out_of_memory);
}

}  // namespace
}  // namespace sosia::image
