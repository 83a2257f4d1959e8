// `sosia gallery create`.

#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/value.hpp"

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

struct CreateVerbOptions {
  GalleryPlace place;
  std::optional<std::int64_t> dim;
  StoredType type = StoredType::f16;
  std::string model;
  std::int64_t max_templates = 16;
  double min_quality = 0;
  bool encrypt = false;
  std::string calibration;
};

void describe(Fields& f, CreateVerbOptions& o) {
  describe_place(f, o.place);
  f({.name = "dim", .help = "numbers of a vector", .min = 1, .max = 65536, .required = true},
    o.dim);
  f.choice({.name = "type", .help = "how vectors are stored"}, o.type,
           {{"f16", StoredType::f16}, {"f32", StoredType::f32}});
  f({.name = "model",
     .help = "hash of the model that makes the vectors (default: the first enrolled one's)"},
    o.model);
  f({.name = "max_templates",
     .help = "templates kept of each subject",
     .symbol = "E",
     .min = 1,
     .max = 1024},
    o.max_templates);
  f({.name = "min_quality",
     .help = "templates of a lower quality are kept only where a subject has no better",
     .min = 0,
     .max = 1},
    o.min_quality);
  f({.name = "encrypt", .help = "seal vectors, labels and metadata in the file"}, o.encrypt);
  f({.name = "calibration",
     .help = "record (JSON) that decisions use until the gallery is calibrated itself",
     .role = FieldRole::input_file},
    o.calibration);
}

Report create(const CreateVerbOptions& o, RunContext& run) {
  if (!o.encrypt && !o.place.key_file.empty()) {
    throw Error(ErrorCode::usage, "a key is given, but the gallery is not to be encrypted",
                "add --encrypt, or leave --key-file out");
  }
  CreateOptions options;
  options.dimension = static_cast<std::size_t>(*o.dim);
  options.type = o.type;
  options.model = o.model;
  options.max_templates = static_cast<std::size_t>(o.max_templates);
  options.min_quality = o.min_quality;
  options.encrypt = o.encrypt;
  options.replace = run.overwrite() == Overwrite::replace;
  if (!o.calibration.empty()) {
    options.calibration =
        calibration_from_value(parse_json(read_text(o.calibration), o.calibration));
  }
  const auto gallery = create_gallery(o.place.gallery, options,
                                      {.access = Access::write,
                                       .secret = o.encrypt ? secret_of(o.place) : Secret(),
                                       .who = "gallery create"});
  const GalleryInfo info = gallery->info();
  Report report("gallery.create", "a new gallery");
  report.scalar("gallery", info.place);
  report.scalar("id", info.id);
  report.scalar("dimension", info.dimension);
  report.scalar("type", o.type == StoredType::f16 ? "f16" : "f32", "stored as");
  report.scalar("model", info.model.empty() ? Value() : Value(info.model));
  report.scalar("max_templates", info.max_templates, "templates per subject");
  report.scalar("encrypted", info.encrypted);
  report.verdict(
      fmt::format("{} is ready for vectors of dimension {}", o.place.gallery, info.dimension));
  return report;
}

}  // namespace

Verb create_verb() {
  return make_verb<CreateVerbOptions>(
      {.noun = "gallery",
       .name = "create",
       .summary = "make an empty gallery",
       .details =
           "A gallery is one file that can be copied. Beside it lie, while they are of use, a "
           "cache (GALLERY.cache) and a graph index (GALLERY.index): deleting them loses nothing. "
           "Vectors are stored with length 1.\n\n"
           "When a subject gets more than --max-templates, those are kept that lie farthest from "
           "each other, beginning with the one of the highest quality; the sum of the others stays "
           "for the centroid rule of searches.\n\n"
           "With --encrypt vectors, labels, tenants, cameras, origins, metadata and the keys of "
           "the audit table are sealed with XChaCha20-Poly1305; times, qualities and numbers are "
           "not. The key is 32 bytes in --key-file, or 64 hexadecimal digits there or in the "
           "environment variable SOSIA_GALLERY_KEY; no option takes it. Such a gallery has no "
           "cache: it is read whole when it is searched.",
       .examples = {{"sosia gallery create new.sosia --dim 512", "vectors of 512 numbers"},
                    {"sosia gallery create sealed.sosia --dim 512 --encrypt --key-file key",
                     "sealed; make the key before: head -c 32 /dev/urandom > key"}}},
      create);
}

}  // namespace sosia::gallery
