// Our side of compare_search.py: holds rows and probes in its own memory, does what a line of its
// standard input says, and answers each with one line of JSON.
//
//   gallery_peer ROWS PROBES DIMENSION     two files of little-endian f32, rows of length 1
//
//   scan TYPE THREADS BATCH COUNT K        exact, TYPE f16 or f32 or int8 (the prefilter on f16)
//   read TYPE THREADS                      a plain sum over the bytes of the rows: the limit
//   build LINKS WIDTH THREADS              the graph index on the f16 rows
//   graph THREADS BATCH COUNT K WIDTH
//   keep PATH                              the rows that the last search found, u32, COUNT x K
//
// A search takes the first COUNT probes, BATCH at a time, and answers with the seconds of each
// time; they are of the search alone.

#include "gallery/matrix.hpp"
#include "gallery/scan_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/version.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace {

using namespace sosia;
using namespace sosia::gallery;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

std::span<const float> floats_of(const MappedFile& file) {
  return {reinterpret_cast<const float*>(file.bytes().data()), file.bytes().size() / sizeof(float)};
}

class Peer {
 public:
  Peer(const std::string& rows, const std::string& probes, std::size_t dimension)
      : row_file_(rows), probe_file_(probes), dimension_(dimension) {}

  std::string answer(const std::string& line) {
    std::istringstream in(line);
    std::string verb;
    in >> verb;
    if (verb == "scan") {
      std::string type;
      int threads = 0;
      std::size_t batch = 0, count = 0, k = 0;
      in >> type >> threads >> batch >> count >> k;
      return search(threads, batch, count, [&](std::span<const float> probes, RunContext& run) {
        return type == "int8" ? prefilter().scan(rows(StoredType::f16), probes, k, {}, run)
                              : scan(rows(type_of(type)), probes, k, {}, run);
      });
    }
    if (verb == "graph") {
      int threads = 0;
      std::size_t batch = 0, count = 0, k = 0, width = 0;
      in >> threads >> batch >> count >> k >> width;
      return search(threads, batch, count, [&](std::span<const float> probes, RunContext& run) {
        return graph_->search(rows(StoredType::f16), probes, k, width, {}, run);
      });
    }
    if (verb == "read") {
      std::string type;
      int threads = 0;
      in >> type >> threads;
      return read(rows(type_of(type)), run_with(threads));
    }
    if (verb == "build") {
      GraphIndex::Options options;
      int threads = 0;
      in >> options.links >> options.build_width >> threads;
      const Rows data = rows(StoredType::f16);
      const Stopwatch watch;
      graph_.emplace(GraphIndex::build(data, options, run_with(threads)));
      return fmt::format("{{\"seconds\": [{}]}}", watch.seconds());
    }
    if (verb == "keep") {
      std::string path;
      in >> path;
      write_file(path, std::as_bytes(std::span(found_)), Overwrite::replace);
      return fmt::format("{{\"ids\": {}}}", found_.size());
    }
    throw Error(ErrorCode::usage, "unknown request " + line);
  }

 private:
  static StoredType type_of(const std::string& name) {
    return name == "f32" ? StoredType::f32 : StoredType::f16;
  }

  RunContext& run_with(int threads) {
    auto& run = runs_[threads];
    if (!run) run = std::make_unique<RunContext>(RunConfig{.threads = threads});
    return *run;
  }

  Rows rows(StoredType type) {
    AlignedArray<std::byte>& bytes = type == StoredType::f16 ? halves_ : floats_;
    const auto values = floats_of(row_file_);
    const Rows view{.data = nullptr,
                    .count = values.size() / dimension_,
                    .dimension = dimension_,
                    .type = type,
                    .stride_bytes = row_stride_bytes(dimension_, type)};
    if (bytes.size() == 0) {
      bytes = AlignedArray<std::byte>(view.count * view.stride_bytes);
      run_with(2).parallel_for(0, view.count, 1000, [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
          store_row(values.subspan(i * dimension_, dimension_), type,
                    bytes.data() + i * view.stride_bytes);
        }
      });
    }
    Rows out = view;
    out.data = bytes.data();
    return out;
  }

  const Prefilter& prefilter() {
    if (!prefilter_) prefilter_.emplace(Prefilter::build(rows(StoredType::f16), run_with(2)));
    return *prefilter_;
  }

  template <class Search>
  std::string search(int threads, std::size_t batch, std::size_t count, const Search& search) {
    RunContext& run = run_with(threads);
    const auto probes = floats_of(probe_file_).first(count * dimension_);
    search(probes.first(dimension_), run);  // makes what it needs
    std::vector<double> seconds;
    found_.clear();
    for (std::size_t p = 0; p < count; p += batch) {
      const auto some = probes.subspan(p * dimension_, std::min(batch, count - p) * dimension_);
      const Stopwatch watch;
      const auto results = search(some, run);
      seconds.push_back(watch.seconds());
      for (const auto& hits : results) {
        for (const Hit& hit : hits) found_.push_back(hit.row);
      }
    }
    return fmt::format("{{\"seconds\": [{}]}}", fmt::join(seconds, ", "));
  }

  /// Eight sums over the bytes as integers: nothing but reading.
  static std::string read(const Rows& rows, RunContext& run) {
    std::atomic<std::uint64_t> total{0};
    const auto* words = reinterpret_cast<const std::uint64_t*>(rows.data);
    const std::size_t count = rows.count * rows.stride_bytes / sizeof *words;
    const Stopwatch watch;
    run.parallel_for(0, count, 65536, [&](std::size_t first, std::size_t last) {
      using Words [[gnu::vector_size(32)]] = std::uint64_t;
      Words sums[4] = {};
      for (std::size_t i = first / 16; i < last / 16; ++i) {
        const auto* at = reinterpret_cast<const Words*>(words + i * 16);
        for (int s = 0; s < 4; ++s) sums[s] += at[s];
      }
      const Words sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
      total += sum[0] + sum[1] + sum[2] + sum[3];
    });
    return fmt::format("{{\"seconds\": [{}], \"bytes\": {}, \"sum\": {}}}", watch.seconds(),
                       rows.count * rows.stride_bytes, total.load());
  }

  MappedFile row_file_, probe_file_;
  std::size_t dimension_;
  std::map<int, std::unique_ptr<RunContext>> runs_;
  AlignedArray<std::byte> halves_, floats_;
  std::optional<Prefilter> prefilter_;
  std::optional<GraphIndex> graph_;
  std::vector<std::uint32_t> found_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    Peer peer(argv[1], argv[2], std::stoul(argv[3]));
    fmt::print("{{\"commit\": \"{}\", \"target\": \"{}\"}}\n", version_commit(), kernel_target());
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
      fmt::print("{}\n", peer.answer(line));
      std::fflush(stdout);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "gallery_peer: {}\n", error.what());
    return 1;
  }
}
