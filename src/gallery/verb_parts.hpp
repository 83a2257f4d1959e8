#pragma once
// What the verbs of this room share: which gallery, which key, times as text, tables of bad rows.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/gallery/gallery.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sosia::gallery {

/// The options that say which gallery.
struct GalleryPlace {
  std::string gallery = {};
  std::string key_file = {};
};
void describe_place(Fields& f, GalleryPlace& o);

/// The secret of `--key-file`, else of SOSIA_GALLERY_KEY, else none.
Secret secret_of(const GalleryPlace& place);
/// Opens the gallery for a verb.
std::unique_ptr<Gallery> open_place(const GalleryPlace& place, Access access,
                                    const std::string& verb);

/// Milliseconds since 1970-01-01 UTC of "2024-05-01", "2024-05-01T12:30:00.5Z",
/// "2024-05-01 12:30:00+02:00" (without a zone: UTC), or of a number: seconds below 1e11, else
/// milliseconds. Nothing for other texts.
std::optional<std::int64_t> parse_time(std::string_view text);
/// The time that an option gives; nothing when `text` is empty. Throws usage for other texts.
/// `flag`:
/// "--before".
std::optional<std::int64_t> time_option(const char* flag, const std::string& text);
/// "2024-05-01T12:30:00.500Z", without the fraction when it is 0.
std::string format_time(std::int64_t time_ms);

}  // namespace sosia::gallery
