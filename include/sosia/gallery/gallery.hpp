#pragma once
// The gallery: durable templates of subjects, searched and forgotten. One interface, two engines:
// a file on this machine, or a collection of a Milvus server.

#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/gallery/decision.hpp"
#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery {

/// What is fixed when a gallery is made.
struct CreateOptions {
  std::size_t dimension = 0;  ///< 1 to 65536
  StoredType type = StoredType::f16;
  std::string model = {};  ///< hash of the model that makes the vectors; "" takes the first one's
  std::size_t max_templates = 16;  ///< kept per subject, 1 to 1024
  double min_quality = 0;          ///< the floor below which a template is kept only as a last one
  bool encrypt = false;            ///< needs `Secret`
  std::optional<Calibration> calibration = {};  ///< used until the gallery can calibrate itself
  bool replace = false;                         ///< an existing gallery is overwritten
};

/// The key of an encrypted gallery: 32 bytes. Never taken from a command line.
///
/// Wiped when destroyed.
class Secret {
 public:
  Secret() = default;
  /// From a file of 32 bytes or 64 hexadecimal digits. Throws not_found, io, or invalid_argument.
  static Secret from_file(const std::string& path);
  /// From the environment variable SOSIA_GALLERY_KEY (64 hexadecimal digits); empty when unset.
  static Secret from_environment();
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();
  bool empty() const noexcept { return bytes_.empty(); }
  std::span<const std::uint8_t> bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

enum class Access : std::uint8_t { read, write };

struct OpenOptions {
  Access access = Access::read;
  Secret secret = {};
  std::string who = {};  ///< the verb, for the lock's message and the audit table
  /// Encrypted galleries and read-only folders never write a cache.
  bool write_cache = true;
};

/// What is in a gallery.
struct GalleryInfo {
  std::string place = {};   ///< path or address
  std::string engine = {};  ///< "file" or "milvus"
  std::string id = {};      ///< random, made at creation
  std::size_t dimension = 0;
  StoredType type = StoredType::f16;
  std::string model = {};
  std::size_t max_templates = 0;
  double min_quality = 0;
  bool encrypted = false;
  std::uint64_t subjects = 0;
  std::uint64_t templates = 0;
  std::uint64_t generation = 0;  ///< grows with every change
  std::uint64_t bytes = 0;       ///< of all files (0 for a server)
  std::string index = {};        ///< "none", or the graph index with its measured recall
};

/// What became of a batch of templates.
struct AddReport {
  std::uint64_t enrolled = 0;  ///< kept
  std::uint64_t dropped = 0;   ///< given up for others of the same subject (max_templates)
  std::uint64_t new_subjects = 0;
  struct Skipped {
    std::size_t row = 0;  ///< index in the batch
    std::string reason = {};
  };
  std::vector<Skipped> skipped = {};  ///< refused, the rest was taken
};

/// What became of a subject that was forgotten.
struct ForgetReport {
  std::uint64_t templates = 0;
  std::vector<std::string> files_scanned = {};  ///< searched for the forgotten bytes; none found
  std::uint64_t bytes_scanned = 0;
  std::uint64_t strings_searched = 0;  ///< pieces of vectors and texts
  /// Not searched for: too short to tell from chance, or part of what remains.
  std::uint64_t strings_left_out = 0;
  std::string note = {};  ///< what could not be proven, for people; empty when all was
};

/// Something that `verify` found. Empty list: all is well.
struct Damage {
  std::string file = {};
  std::string what = {};
};

struct AuditEntry {
  std::int64_t time_ms = 0;
  std::string verb = {};
  /// Keyed hash of the subject (64 hexadecimal digits, "" for none); its key dies with the subject.
  std::string subject = {};
  std::string detail = {};
};

/// Enrol, search, forget.
///
/// Errors of all members: io, corrupt_data (a checksum failed: nothing is answered from damaged
/// data), cancelled. One process writes at a time; a second writer gets `conflict` naming the
/// holder. Readers are never blocked and see the state of the last acknowledged change.
///
/// Thread-safety: every member may be called from any thread; changes are serialised.
class Gallery {
 public:
  virtual ~Gallery() = default;

  virtual GalleryInfo info() = 0;

  /// Enrols a batch: durable when it returns, or not at all (throws). Template ids are given in
  /// order. Refused rows (NaN, zero norm, wrong dimension, bad text) are reported, the others
  /// taken. Throws conflict when `model` is not the gallery's (the hint names `face migrate`).
  virtual AddReport add(std::span<const Template> batch, const std::string& model,
                        RunContext& run) = 0;

  /// Throws invalid_argument for k = 0, a wrong dimension, NaN, or a zero probe.
  virtual SearchAnswer search(const SearchRequest& request, RunContext& run) = 0;

  /// Calls `each` for every template in order of id, vectors included; stops when it returns false.
  virtual void scan(const Filter& filter, const std::function<bool(const StoredTemplate&)>& each,
                    RunContext& run) = 0;

  /// Removes a subject, its rows in cache and index included, and proves it. Throws not_found with
  /// the nearest labels.
  virtual ForgetReport forget(std::string_view label, std::string_view tenant, RunContext& run) = 0;
  /// Forgets templates that were taken (or, without a time, enrolled) before `before_ms`.
  virtual ForgetReport forget_before(std::int64_t before_ms, RunContext& run) = 0;

  virtual std::vector<Damage> verify(RunContext& run) = 0;

  enum class IndexChoice : std::uint8_t { automatic, graph, none };
  struct Compacted {
    std::uint64_t bytes_before = 0, bytes_after = 0;
    std::string index = {};  ///< as in GalleryInfo
    double recall = 0;       ///< of the index against the exact search, 0 without one
    std::size_t recall_probes = 0;
  };
  /// Rewrites the files without gaps and builds cache and index.
  virtual Compacted compact(IndexChoice index, double recall, RunContext& run) = 0;

  /// The calibration in force: fitted on this gallery, or the one given at creation, or none.
  virtual std::optional<Calibration> calibration() = 0;
  virtual void set_calibration(const Calibration& calibration, RunContext& run) = 0;

  virtual std::vector<AuditEntry> audit() = 0;
};

/// Makes a gallery at `place`: a path, or milvus://host:port/collection[?management=PORT]. Throws
/// conflict when it exists and `replace` is not set.
std::unique_ptr<Gallery> create_gallery(const std::string& place, const CreateOptions& options,
                                        const OpenOptions& open);

/// Opens a gallery. Throws not_found, corrupt_data (a foreign or truncated file), unsupported (a
/// newer version), invalid_argument (no key, or the wrong one), conflict (another writer).
std::unique_ptr<Gallery> open_gallery(const std::string& place, const OpenOptions& open);

}  // namespace sosia::gallery
