// Our side of compare_faces.py: does what a line of its standard input says, and answers each with
// one line of JSON.
//
//   face_peer FILE...
//
//   open PIPELINE      opens a pipeline, if it is not open: DETECTOR EMBEDDER THREADS exact|fast
//                      [MIN_FACE_PX]
//   stream PIPELINE    all files, decoded, detected and embedded
//   keep PATH          what the last stream found, as JSON
//   memory TIMES PIPELINE
//                      all files so often; the peak of resident memory

#include "face/support.hpp"
#include "sosia/core/value.hpp"
#include "sosia/version.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

namespace {

using namespace sosia;
using namespace sosia::face;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class Peer {
 public:
  explicit Peer(std::vector<std::filesystem::path> files)
      : files_(std::move(files)), store_(face::testing::test_store()) {}

  std::string answer(const std::string& line) {
    std::istringstream in(line);
    std::string verb;
    in >> verb;
    if (verb == "open" || verb == "stream") {
      const auto begin = std::chrono::steady_clock::now();
      const FacePipeline& pipeline = open(in);
      if (verb == "open") return fmt::format("{{\"seconds\": {}}}", seconds_since(begin));
      return stream(pipeline, files_, true);
    }
    if (verb == "memory") {
      std::size_t times = 0;
      in >> times;
      std::vector<std::filesystem::path> many;
      for (std::size_t i = 0; i < times; ++i) {
        many.insert(many.end(), files_.begin(), files_.end());
      }
      return stream(open(in), many, false);
    }
    if (verb == "keep") {
      std::string path;
      in >> path;
      AtomicFile out(path, Overwrite::replace);
      out.write(to_json(kept_, -1));
      out.commit();
      return "{}";
    }
    throw Error(ErrorCode::usage, "unknown request " + line);
  }

 private:
  const FacePipeline& open(std::istream& in) {
    std::string detector, embedder, precision;
    int threads = 0;
    DetectOptions detect;
    in >> detector >> embedder >> threads >> precision;
    if (double min_face_px = 0; in >> min_face_px) detect.min_face_px = min_face_px;
    auto& pipeline = pipelines_[fmt::format("{} {} {} {} {}", detector, embedder, threads,
                                            precision, detect.min_face_px)];
    if (!pipeline) {
      pipeline = std::make_unique<FacePipeline>(
          store_, PipelineOptions{.detector = detector,
                                  .embedder = embedder,
                                  .detect = detect,
                                  .threads = threads,
                                  .precision = precision == "fast" ? models::Precision::fast
                                                                   : models::Precision::exact,
                                  .cache = {},
                                  .keep_chips = false});
    }
    return *pipeline;
  }

  std::string stream(const FacePipeline& pipeline, const std::vector<std::filesystem::path>& files,
                     bool keep) {
    RunContext run(RunConfig{.threads = pipeline.options().threads});
    kept_ = Value::list();
    std::size_t faces = 0, errors = 0;
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t processor = std::clock();
    pipeline.stream(
        files,
        [&](Analysis&& a) {
          faces += a.faces.size();
          errors += a.error.has_value();
          if (keep) keep_photo(a);
          return true;
        },
        run);
    const double seconds = seconds_since(begin);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return fmt::format(
        "{{\"seconds\": {}, \"processor_s\": {}, \"photos\": {}, \"faces\": {}, \"errors\": {}, "
        "\"peak_rss_mb\": {}}}",
        seconds, static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC, files.size(),
        faces, errors, usage.ru_maxrss / 1024);
  }

  void keep_photo(const Analysis& a) {
    Value photo = Value::list();
    for (const DescribedFace& f : a.faces) {
      Value vector = Value::list();
      for (const float v : f.embedding) vector.push(v);
      photo.push(Value::object(
          {{"box", Value::list({f.box.x_px, f.box.y_px, f.box.width_px, f.box.height_px})},
           {"embedding", std::move(vector)}}));
    }
    kept_.push(std::move(photo));
  }

  std::vector<std::filesystem::path> files_;
  models::ModelStore store_;
  std::map<std::string, std::unique_ptr<FacePipeline>> pipelines_;
  Value kept_ = Value::list();
};

}  // namespace

int main(int argc, char** argv) {
  try {
    Peer peer({argv + 1, argv + argc});
    fmt::print("{{\"commit\": \"{}\", \"engine\": \"{}\"}}\n", version_commit(),
               models::engine_version());
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
      fmt::print("{}\n", peer.answer(line));
      std::fflush(stdout);
    }
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "face_peer: {}\n", e.what());
    return 1;
  }
}
