#include "sosia/gallery/place.hpp"

namespace sosia::gallery {

void describe_place(Fields& f, GalleryPlace& o, PlaceForm form) {
  f({.name = "gallery",
     .help = "the gallery: a file, or milvus://host:port/collection",
     .positional = form == PlaceForm::positional,
     .required = true},
    o.gallery);
  // A plain text, not an input file: the hash of a key has no place in a manifest.
  f({.name = "key_file",
     .help = "file with the key of an encrypted gallery: 32 bytes or 64 hexadecimal digits "
             "(default: the environment's SOSIA_GALLERY_KEY)",
     .group = form == PlaceForm::named ? "gallery" : ""},
    o.key_file);
}

Secret secret_of(const GalleryPlace& place) {
  return place.key_file.empty() ? Secret::from_environment() : Secret::from_file(place.key_file);
}

std::unique_ptr<Gallery> open_place(const GalleryPlace& place, Access access,
                                    const std::string& who) {
  return open_gallery(place.gallery, {.access = access, .secret = secret_of(place), .who = who});
}

}  // namespace sosia::gallery
