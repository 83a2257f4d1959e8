#pragma once
// Accuracy of a pipeline on photos whose subjects are known: sets, their embeddings, comparisons
// (1:1), searches (1:N). The figures themselves are those of the evaluate room.
//
//   const face::EvaluationSet set = face::read_folder_set("people");
//   const face::EmbeddedSet vectors = face::embed_set(pipeline, set, {}, run);
//   const face::Comparisons pairs = face::compare_set(set, vectors, {}, run);
//   const evaluate::Roc roc(evaluate::split_scores(pairs.scores, pairs.labels));

#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/identification.hpp"
#include "sosia/evaluate/verification.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/gallery/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::face {

// --- sets ---

/// No subject, no group.
inline constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

/// A photo of a set: a file, or an encoded picture inside one.
struct SetPhoto {
  std::string name = {};            ///< for people and for `assign_groups`: the path below the root
  std::filesystem::path file = {};  ///< "" for a picture inside a file
  std::uint64_t key = 0;            ///< of a picture inside a file, for `EvaluationSet::encoded`
  std::uint32_t subject = kNobody;  ///< index in `EvaluationSet::subjects`
  std::uint32_t group = kNobody;    ///< index in `EvaluationSet::groups`
};

/// Two photos that a list compares.
struct SetPair {
  std::uint32_t a = 0, b = 0;  ///< indices in `EvaluationSet::photos`
  bool same = false;
  std::uint32_t fold = 0;  ///< from 0
};

/// Photos whose truth is known. A plain value (copies share the opened file).
struct EvaluationSet {
  std::string name = {};  ///< where it came from, for people
  std::vector<SetPhoto> photos = {};
  /// Names; empty when the set does not say (kNobody everywhere).
  std::vector<std::string> subjects = {};
  /// Subjects were pieced together from the pairs called the same: good for a bootstrap, but two of
  /// them may be one person, so there are no searches.
  bool subjects_derived = false;
  std::vector<SetPair> pairs = {};  ///< in the order of the list
  /// Only `pairs` are compared; otherwise every photo with every other one.
  bool listed = false;
  std::uint32_t folds = 0;  ///< that the list states; 0: it states none
  std::vector<std::string> groups = {};
  bool aligned = false;  ///< pictures are faces cut out by the ArcFace template
  std::vector<std::string> warnings = {};
  /// The bytes of a picture inside a file; they live as long as the set and `scratch`. May be
  /// called from several threads with a scratch buffer each.
  std::function<std::span<const std::byte>(std::uint64_t key, std::vector<std::byte>& scratch)>
      encoded = {};
  std::filesystem::path container = {};  ///< the file that `encoded` reads
};

/// A list of pairs (every form that `formats::read_pairs` knows: LFW's pairs.txt, "a b label", CSV)
/// over the photos below `images`. A photo that the list calls .jpg may have another extension.
/// Subjects are the folders that the items lie in where that agrees with the labels, else pieced
/// together from the pairs. Throws not_found when none of the photos is there, corrupt_data for a
/// list without labels or without pairs, and as `formats::read_pairs`.
EvaluationSet read_pair_set(const std::filesystem::path& list, const std::filesystem::path& images);

/// A folder per subject. Throws as `formats::list_subjects`.
EvaluationSet read_folder_set(const std::filesystem::path& root);

/// A verification set of InsightFace (lfw.bin, ...): aligned crops and pairs. A picture that occurs
/// in several pairs is one photo. Throws as `formats::VerificationBin`.
EvaluationSet read_bin_set(const std::filesystem::path& file);

/// A training set of InsightFace (train.rec): aligned crops by identity. Throws as
/// `formats::RecordSet`, corrupt_data when it holds no pictures.
EvaluationSet read_record_set(const std::filesystem::path& file);

/// Keeps the photos of at most `most` subjects, drawn from the run's stream "subjects". Throws
/// invalid_argument for a set of listed pairs or without subjects.
void keep_subjects(EvaluationSet& set, std::size_t most, const RunContext& run);

/// Reads groups of people from a CSV file: a column that names photos (path, file, image, photo) or
/// subjects (subject, label, name, identity), and `column`. A photo is named by its path below the
/// root. Rows of nobody in the set and photos without a row are counted in `set.warnings`. Throws
/// corrupt_data for missing columns, contradictory rows, and when no row is of the set.
void assign_groups(EvaluationSet& set, const std::filesystem::path& csv, const std::string& column);

// --- embeddings ---

/// Of several faces the one that the photo is of: of those with at least half the area of the
/// largest the nearest to the middle of the photo (of equal ones the first); faces that could be
/// aligned before those that could not. Nothing without faces. facenet's rule, area - 2 offset^2,
/// is not used: in large photos a speck near the middle beats the portrait beside it.
std::optional<std::size_t> main_face(const Analysis& photo);

enum class PhotoState : std::uint8_t {
  found,        ///< there is a vector
  no_face,      ///< the detector found none
  not_aligned,  ///< the five points of the only faces were no face's
  unreadable,   ///< the file could not be read
};

struct EmbedSetOptions {
  /// The vector of the mirrored face is added before the length is made 1, as the LFW protocol
  /// does; nothing does as the embedder's card says, which is what galleries hold.
  std::optional<bool> mirror_sum = {};
  /// Pictures are aligned crops and are not searched for faces: their five points are the ArcFace
  /// template's. Nothing: as the set says.
  std::optional<bool> aligned = {};
  /// Folder of vectors that were computed before, made when missing; "" keeps none. A file there
  /// belongs to one pipeline and one way to embed; photos are known by path, size and time of their
  /// file. It holds biometric templates in the clear.
  std::filesystem::path cache = {};
};

/// What became of each photo of a set.
struct EmbeddedSet {
  std::size_t dimension = 0;
  std::vector<float> vectors = {};  ///< photos x dimension, length 1; zeros where there is none
  std::vector<PhotoState> states = {};
  std::vector<float> norms = {};          ///< lengths before they were made 1
  std::vector<std::uint32_t> faces = {};  ///< found in the photo
  /// Photos that could not be read.
  struct Unreadable {
    std::uint32_t photo = 0;
    Error error;
  };
  std::vector<Unreadable> unreadable = {};
  std::size_t from_cache = 0;  ///< photos that were not looked at again
  std::vector<std::string> warnings = {};

  std::size_t count(PhotoState state) const;
  std::span<const float> vector(std::uint32_t photo) const {
    return std::span(vectors).subspan(photo * dimension, dimension);
  }
};

/// Embeds every photo once; work of different photos overlaps. A photo that cannot be read is
/// reported and does not stop the rest; what was done is cached when the run is cancelled. A cache
/// that is damaged, or cannot be written, is a warning. Throws unsupported when aligned crops are
/// given to an embedder that is aligned by box or have no template's size, corrupt_data with the
/// first reason when no photo can be read,
/// cancelled, out_of_memory.
EmbeddedSet embed_set(const FacePipeline& pipeline, const EvaluationSet& set,
                      const EmbedSetOptions& options, RunContext& run);

/// The main face of one photo of the set again, with its chip: for pictures in reports. No faces
/// where there are none. Throws what reading throws.
Analysis analyse_photo(const FacePipeline& pipeline, const EvaluationSet& set, std::uint32_t photo,
                       const EmbedSetOptions& options);

// --- 1:1 ---

/// What becomes of a comparison with a photo that gave no vector (a failure to acquire).
enum class MissingRule : std::uint8_t {
  exclude,  ///< it is left out and counted
  reject,   ///< it scores -1, the least there is: a miss when genuine, right when impostor
};

struct CompareOptions {
  MissingRule missing = MissingRule::exclude;
  /// Of sets without a list: more comparisons of different subjects than these are drawn from, each
  /// with equal chance (stream "impostor pairs").
  std::uint64_t most_impostors = 2'000'000;
};

/// Comparisons of a set, in the order of the list (or of the photos). Parallel arrays.
struct Comparisons {
  std::vector<double> scores = {};                   ///< cosine
  std::vector<std::uint8_t> labels = {};             ///< 1 same
  std::vector<std::uint32_t> a = {}, b = {};         ///< photos
  std::vector<evaluate::SubjectPair> subjects = {};  ///< empty when they are not known
  std::vector<std::uint32_t> folds = {};             ///< of a list; else empty
  std::vector<std::uint32_t> groups = {};  ///< kNobody for two groups or none; empty without groups
  std::size_t subject_count = 0;           ///< in `subjects`
  std::uint64_t genuine_missing = 0, impostor_missing = 0;  ///< with a photo that gave no vector
  std::uint64_t impostor_total = 0;  ///< before drawing, of photos with vectors

  std::size_t size() const noexcept { return scores.size(); }
};

/// Throws invalid_argument when there is no genuine or no impostor comparison left.
Comparisons compare_set(const EvaluationSet& set, const EmbeddedSet& vectors,
                        const CompareOptions& options, RunContext& run);

/// The LFW protocol: `evaluate::fold_accuracy` and `fold_val` on squared distances 2 - 2 cosine
/// with the thresholds of the LFW tools.
struct FoldFigures {
  evaluate::FoldAccuracy accuracy = {};
  /// At FAR 1e-3; nothing when a fold lacks a class.
  std::optional<evaluate::FoldVal> val = {};
};

/// Over the folds that the list states, else ten runs of equal length (of the whole list, before
/// pairs were left out). Nothing for comparisons without folds, and when a fold has no pairs left.
/// `group`: of this group's comparisons alone, in the same folds.
std::optional<FoldFigures> fold_figures(const Comparisons& pairs,
                                        std::optional<std::uint32_t> group = {});

// --- 1:N ---

/// Every photo against all others, a subject scoring by its nearest photo (rule `maximum`).
struct SetSearches {
  /// Searches by photos whose subject has other ones, then (at `mated_count`) one per photo with
  /// its own subject taken out of the gallery: what strangers see.
  std::vector<evaluate::Search> searches = {};
  std::vector<std::uint32_t> probes = {};    ///< photo of each search
  std::vector<std::uint32_t> subjects = {};  ///< of each search, numbered from 0 without gaps
  std::size_t mated_count = 0;
  std::size_t subject_count = 0;
  std::size_t gallery_photos = 0;
  std::uint64_t mated_missing = 0;  ///< photos without a vector that would have had a mate
};

/// Nothing when the set does not name subjects, or none has two photos with vectors.
std::optional<SetSearches> search_set(const EvaluationSet& set, const EmbeddedSet& vectors,
                                      MissingRule missing, RunContext& run);

// --- calibration ---

/// What scores of this pipeline mean on this set: `calibrate_faces` where subjects are named and
/// all photos are compared, else fitted to the listed comparisons. Throws as they do, and
/// invalid_argument for vectors that are not those of `pipeline` (see `mirror_sum`).
gallery::Calibration calibrate_set(const EvaluationSet& set, const EmbeddedSet& vectors,
                                   const Comparisons& pairs, const std::string& set_name,
                                   const FacePipeline& pipeline, const EmbedSetOptions& options);

}  // namespace sosia::face
