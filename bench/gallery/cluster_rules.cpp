// Which rule against chaining? Six ways to cut a graph of near neighbours into clusters, on
// simulated worlds and on vectors of real pictures; the figures of docs/decisions/0011.
//
//   cluster_rules [seeds] [NAME...]        NAME.npy (n x d) and NAME.csv (column label)
//
// Every rule gets the same edges: the 20 nearest rows with cosine >= threshold. Thresholds are
// those at which 1 % ... 0.01 % of the pairs of different subjects are edges, and the best of a
// sweep. Rows that stay alone are clusters of one in all scores.

#include "gallery/vector_block.hpp"
#include "gallery/worlds.hpp"
#include "sosia/evaluate/clustering.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/npy.hpp"
#include "sosia/gallery/groups.hpp"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <queue>

using namespace sosia;
using namespace sosia::gallery;

namespace {

constexpr std::size_t kNeighbours = 20;

struct Data {
  std::string name = {};
  std::size_t d = 0;
  std::vector<float> vectors = {};
  std::vector<std::int64_t> subjects = {};
  std::size_t size() const { return subjects.size(); }
};

using Graph = std::vector<std::vector<Hit>>;  // of each row, nearest first, itself left out

Graph neighbours(const Data& data, RunContext& run) {
  const VectorBlock block(data.vectors, data.d);
  Graph graph = scan(block.rows(), data.vectors, kNeighbours + 1, {}, run);
  for (std::size_t i = 0; i < graph.size(); ++i) {
    std::erase_if(graph[i], [&](const Hit& h) { return h.row == i; });
    if (graph[i].size() > kNeighbours) graph[i].resize(kNeighbours);
  }
  return graph;
}

Graph cut(const Graph& graph, float threshold) {
  Graph out = graph;
  for (auto& list : out) std::erase_if(list, [&](const Hit& h) { return h.score < threshold; });
  return out;
}

struct Sets {
  explicit Sets(std::size_t n) : parent(n) { std::iota(parent.begin(), parent.end(), 0); }
  std::int64_t find(std::int64_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  }
  void join(std::int64_t a, std::int64_t b) { parent[find(a)] = find(b); }
  std::vector<std::int64_t> labels() {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < parent.size(); ++i)
      out.push_back(find(static_cast<std::int64_t>(i)));
    return out;
  }
  std::vector<std::int64_t> parent;
};

bool has(const std::vector<Hit>& list, std::size_t row) {
  return std::any_of(list.begin(), list.end(), [&](const Hit& h) { return h.row == row; });
}

std::vector<std::int64_t> components(const Graph& g) {
  Sets sets(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    for (const Hit& h : g[i]) sets.join(i, h.row);
  }
  return sets.labels();
}

std::vector<std::int64_t> mutual(const Graph& g) {
  Sets sets(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    for (const Hit& h : g[i]) {
      if (has(g[h.row], i)) sets.join(i, h.row);
    }
  }
  return sets.labels();
}

// An edge must be mutual, and its ends share this part of all their neighbours (themselves
// counted).
std::vector<std::int64_t> shared(const Graph& g, double share) {
  Sets sets(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    for (const Hit& h : g[i]) {
      if (!has(g[h.row], i)) continue;
      double common = 2;
      for (const Hit& x : g[i]) common += x.row != h.row && has(g[h.row], x.row);
      const double all = static_cast<double>(g[i].size() + g[h.row].size() + 2) - common;
      if (common / all >= share) sets.join(i, h.row);
    }
  }
  return sets.labels();
}

// DBSCAN on the graph: rows with three or more edges join; the others go with their nearest such.
std::vector<std::int64_t> density(const Graph& g, std::size_t least) {
  Sets sets(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (g[i].size() < least) continue;
    for (const Hit& h : g[i]) {
      if (g[h.row].size() >= least) sets.join(i, h.row);
    }
  }
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (g[i].size() >= least) continue;
    for (const Hit& h : g[i]) {
      if (g[h.row].size() >= least) {
        sets.join(i, h.row);
        break;
      }
    }
  }
  return sets.labels();
}

// Label propagation by the sum of scores (Biemann 2006), 20 rounds in random order; dlib's rule.
std::vector<std::int64_t> whispers(const Graph& g) {
  Graph both(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) {
    for (const Hit& h : g[i]) {
      both[i].push_back(h);
      if (!has(g[h.row], i)) both[h.row].push_back({static_cast<std::uint32_t>(i), h.score});
    }
  }
  std::vector<std::int64_t> label(g.size());
  std::iota(label.begin(), label.end(), 0);
  std::vector<std::size_t> order(g.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::uint64_t round = 0; round < 20; ++round) {
    RandomStream(0, "whispers", round).shuffle(std::span(order));
    for (std::size_t i : order) {
      std::map<std::int64_t, double> votes;
      for (const Hit& h : both[i]) votes[label[h.row]] += h.score;
      double best = 0;
      for (const auto& [name, vote] : votes) {
        if (vote > best) best = vote, label[i] = name;
      }
    }
  }
  return label;
}

std::vector<std::int64_t> as_labels(const std::vector<std::int32_t>& clusters) {
  std::vector<std::int64_t> out(clusters.begin(), clusters.end());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] < 0) out[i] = -1 - static_cast<std::int64_t>(i);
  }
  return out;
}

Data simulated(const std::string& name, std::uint64_t seed) {
  Data data{.name = name, .d = 64};
  World world{.seed = seed, .name = name};
  if (name == "families") world.kind = WorldKind::families;
  if (name == "poor samples") world.kind = WorldKind::wolves;
  world.noise = 0.9;
  const Population people(world);
  RandomStream stream(seed, "cluster sizes");
  const auto put = [&](const std::vector<float>& v, std::int64_t subject) {
    data.vectors.insert(data.vectors.end(), v.begin(), v.end());
    data.subjects.push_back(subject);
  };
  const std::size_t subjects = name == "uneven sizes" ? 60 : 200;
  for (std::size_t s = 0; s < subjects; ++s) {
    std::size_t size = 2 + stream.below(19);
    if (name == "uneven sizes") size = std::max<std::size_t>(1, 300 / (s + 1));
    for (std::size_t i = 0; i < size; ++i) put(people.sample(s, i), static_cast<std::int64_t>(s));
  }
  if (name == "noise, bridges") {
    const std::size_t n = data.size();
    for (std::size_t i = 0; i < n / 5; ++i) {
      put(people.sample(10'000 + i, 0), static_cast<std::int64_t>(10'000 + i));
    }
    for (std::size_t i = 0; i < n / 20; ++i) {  // half way between two samples of two subjects
      const std::size_t a = stream.below(n), b = stream.below(n);
      std::vector<float> v(data.d);
      for (std::size_t j = 0; j < data.d; ++j) {
        v[j] = data.vectors[a * data.d + j] + data.vectors[b * data.d + j];
      }
      normalise(v);
      put(v, static_cast<std::int64_t>(20'000 + i));
    }
  }
  return data;
}

Data from_files(const std::string& name) {
  const formats::Array array = formats::read_npy(name + ".npy");
  Data data{.name = name.substr(name.rfind('/') + 1), .d = array.shape.at(1)};
  const auto values = array.view().as<float>();
  data.vectors.assign(values.begin(), values.end());
  formats::CsvReader reader(name + ".csv");
  std::map<std::string, std::int64_t> numbers;
  const std::size_t column = reader.column("label");
  while (reader.next()) {
    data.subjects.push_back(
        numbers.try_emplace(std::string(reader[column]), numbers.size()).first->second);
  }
  return data;
}

// Cosines of pairs of different subjects, falling.
std::vector<float> impostor_scores(const Data& data) {
  std::vector<float> out;
  for (std::size_t i = 0; i < data.size(); ++i) {
    for (std::size_t j = i % 7; j < i; j += data.size() > 1000 ? 7 : 1) {
      if (data.subjects[i] == data.subjects[j]) continue;
      float dot = 0;
      for (std::size_t x = 0; x < data.d; ++x) {
        dot += data.vectors[i * data.d + x] * data.vectors[j * data.d + x];
      }
      out.push_back(dot);
    }
  }
  std::sort(out.rbegin(), out.rend());
  return out;
}

struct Score {
  double pair = 0, bcubed = 0, nmi = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 3;
  RunContext run({.threads = 2});
  std::vector<std::vector<Data>> all;
  for (const char* name : {"even", "noise, bridges", "families", "uneven sizes", "poor samples"}) {
    all.emplace_back();
    for (std::uint64_t s = 0; s < seeds; ++s) all.back().push_back(simulated(name, s));
  }
  for (int i = 2; i < argc; ++i) all.push_back({from_files(argv[i])});
  std::printf(
      "%-15s %-16s | pair F at FMR 1e-2, 1e-3, 1e-4 | BCubed F               | NMI"
      "                   | best of sweep: t pair F, BCubed, NMI\n",
      "data", "rule");
  for (const auto& list : all) {
    using Rule = std::function<std::vector<std::int64_t>(const Data&, const Graph&, double)>;
    const std::pair<const char*, Rule> rules[] = {
        {"components", [](auto&, auto& g, double) { return components(g); }},
        {"mutual", [](auto&, auto& g, double) { return mutual(g); }},
        {"shared 1/5", [](auto&, auto& g, double) { return shared(g, 0.2); }},
        {"shared 1/3", [](auto&, auto& g, double) { return shared(g, 1.0 / 3); }},
        {"shared 1/2", [](auto&, auto& g, double) { return shared(g, 0.5); }},
        {"density 3", [](auto&, auto& g, double) { return density(g, 3); }},
        {"whispers", [](auto&, auto& g, double) { return whispers(g); }},
        {"average link", [&](auto& d, auto&, double t) {
           return as_labels(
               cluster(d.vectors, d.d, {.threshold = t, .neighbours = kNeighbours}, run));
         }}};
    std::vector<Graph> graphs;
    std::vector<std::vector<float>> impostors;
    for (const Data& data : list) {
      graphs.push_back(neighbours(data, run));
      impostors.push_back(impostor_scores(data));
    }
    const double count = static_cast<double>(list.size());
    for (const auto& [name, rule] : rules) {
      const auto judge = [&](std::size_t i, double t) {
        const auto labels = rule(list[i], cut(graphs[i], static_cast<float>(t)), t);
        const auto& truth = list[i].subjects;
        return Score{evaluate::pairwise_scores(labels, truth).f1,
                     evaluate::bcubed_scores(labels, truth).f1,
                     evaluate::normalized_mutual_information(labels, truth)};
      };
      Score at[3], best;
      double best_t = 0;
      for (int r = 0; r < 3; ++r) {
        for (std::size_t i = 0; i < list.size(); ++i) {
          const double rate = std::pow(10.0, -2 - r);
          const auto place =
              static_cast<std::size_t>(rate * static_cast<double>(impostors[i].size()));
          const Score s = judge(i, impostors[i][place]);
          at[r].pair += s.pair / count, at[r].bcubed += s.bcubed / count,
              at[r].nmi += s.nmi / count;
        }
      }
      for (double t = 0.2; t < 0.96; t += 0.05) {
        Score mean;
        for (std::size_t i = 0; i < list.size(); ++i) {
          const Score s = judge(i, t);
          mean.pair += s.pair / count, mean.bcubed += s.bcubed / count, mean.nmi += s.nmi / count;
        }
        if (mean.bcubed > best.bcubed) best = mean, best_t = t;
      }
      std::printf(
          "%-15s %-16s | %8.3f %8.3f %8.3f     | %6.3f %6.3f %6.3f   | %6.3f %6.3f %6.3f  |"
          " %.2f %6.3f %6.3f %6.3f\n",
          list[0].name.c_str(), name, at[0].pair, at[1].pair, at[2].pair, at[0].bcubed,
          at[1].bcubed, at[2].bcubed, at[0].nmi, at[1].nmi, at[2].nmi, best_t, best.pair,
          best.bcubed, best.nmi);
      std::fflush(stdout);
    }
  }
  return 0;
}
