#pragma once
// Which gallery a verb works on, and with which key: the same options in every room.

#include "sosia/core/fields.hpp"
#include "sosia/gallery/gallery.hpp"

#include <memory>
#include <string>

namespace sosia::gallery {

/// The options that say which gallery.
struct GalleryPlace {
  std::string gallery = {};
  std::string key_file = {};
};

/// How the gallery is named on the command line: without its option's name, or by `--gallery`.
enum class PlaceForm { positional, named };
void describe_place(Fields& f, GalleryPlace& o, PlaceForm form = PlaceForm::positional);

/// The secret of `--key-file`, else of SOSIA_GALLERY_KEY, else none. Throws as `Secret::from_file`.
Secret secret_of(const GalleryPlace& place);

/// Opens the gallery for the verb `who`. Throws as `open_gallery`.
std::unique_ptr<Gallery> open_place(const GalleryPlace& place, Access access,
                                    const std::string& who);

}  // namespace sosia::gallery
