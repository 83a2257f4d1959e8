#!/usr/bin/env python3
"""Search of galleries: sosia beside faiss, usearch and hnswlib, interleaved, on the same files.

    make bench-search        (or setup/bench-search.sh [--sizes 10000 100000] [--jobs exact graph]
                              [--threads 1 2] [--batches 1 64] [--rounds 7] [--out FOLDER])

Rows are 512-d unit vectors about subject centres, 20 to a subject, noise of length 0.7; probes are
more of them. All peers of a job run in turn, round after round, the order rotating. Every call (one
probe, or one batch) is timed by itself and counts with the least time that it took in any round,
for others work on the machine too. Results are checked before anything is timed: exact searches
must agree on the ten nearest, the prefilter exactly with the f16 scan.

Job exact: seconds a probe, one probe at a time and 64 at once.
    sosia f16, f32      the scan
    sosia int8          the prefilter on the f16 rows: the same result
    read f16            a plain sum over the bytes of the f16 rows: the bandwidth limit
    faiss flat          IndexFlatIP, at the better of sequential and BLAS for the batch
    faiss fp16          IndexScalarQuantizer QT_fp16
Job graph: recall@10 against queries per second for growing search widths; M = 16 and
    efConstruction = 200 everywhere. sosia; hnswlib; faiss HNSWFlat and HNSW over 8-bit codes; usearch
    f16, i8 and f32. Compared are the best rates at a recall of 0.99 or more.

Threads: RunContext for sosia, omp_set_num_threads and BLAS limits for faiss, set_num_threads for
hnswlib, threads= for usearch.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import faiss
import hnswlib
import numpy as np
import usearch
from threadpoolctl import threadpool_limits
from usearch.index import Index

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer_program import PeerProgram  # noqa: E402

SEED = 1
DIMENSION = 512
PER_SUBJECT = 20
NOISE = 0.7
K = 10
WIDTHS = (10, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
GRAPH_PROBES, GRAPH_BATCH = 500, 50
RECALL = 0.99
GRAPHS = ("sosia", "hnswlib", "faiss HNSW flat", "faiss HNSW 8-bit", "usearch f16", "usearch i8",
          "usearch f32")


def write_vectors(folder, count):
    """Files of f32 rows and of 1000 probes."""
    rng = np.random.default_rng(SEED)
    subjects = max(count // PER_SUBJECT, 1)
    centres = rng.standard_normal((subjects, DIMENSION), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)

    def templates(of):
        noise = rng.standard_normal((len(of), DIMENSION), dtype=np.float32)
        vectors = centres[of] + np.float32(NOISE / np.sqrt(DIMENSION)) * noise
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    paths = folder / f"rows-{count}", folder / f"probes-{count}"
    with open(paths[0], "wb") as file:
        for start in range(0, count, 50_000):
            numbers = np.arange(start, min(start + 50_000, count))
            templates(numbers // PER_SUBJECT % subjects).astype("<f4").tofile(file)
    templates(rng.integers(0, subjects, 1000)).astype("<f4").tofile(paths[1])
    return paths


class Sosia(PeerProgram):
    """The peer program, which holds the vectors in its own memory and times itself."""

    def __init__(self, program, rows, probes, folder):
        self.kept = folder / "kept"
        super().__init__(program, rows, probes, str(DIMENSION))

    def found(self, count):
        self.ask(f"keep {self.kept}")
        return np.fromfile(self.kept, dtype=np.uint32).reshape(count, -1)


def interleave(peers, rounds):
    """Seconds of all calls by peer, each call with its least, after a round that is not counted."""
    names = list(peers)
    least = {}
    for number in range(rounds + 1):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            taken = np.array(peers[name]())
            if number > 0:
                least[name] = np.minimum(least.get(name, np.inf), taken)
    return {name: float(seconds.sum()) for name, seconds in least.items()}


def clocked(run):
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def overlap(found, wanted):
    """Share of `wanted` ids that are in `found`, row by row."""
    return float(np.mean([len(set(a.tolist()) & set(b.tolist())) / len(b)
                          for a, b in zip(found, wanted)]))


class Exact:
    """The job exact for one file."""

    def __init__(self, sosia, rows, probes):
        self.sosia, self.probes, self.count = sosia, probes, len(rows)
        self.flat = faiss.IndexFlatIP(DIMENSION)
        self.halves = faiss.IndexScalarQuantizer(
            DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self.halves.train(rows[:1000])
        for start in range(0, len(rows), 100_000):  # a part at a time: rows are mapped
            self.flat.add(rows[start:start + 100_000])
            self.halves.add(rows[start:start + 100_000])

    def check(self):
        number = 64
        found = {}
        for kind in ("f16", "f32", "int8"):
            self.sosia.ask(f"scan {kind} 2 64 {number} {K}")
            found[kind] = self.sosia.found(number)
        found["flat"] = self.flat.search(self.probes[:number], K)[1]
        found["fp16"] = self.halves.search(self.probes[:number], K)[1]
        if not np.array_equal(found["int8"], found["f16"]):
            sys.exit("the prefilter and the f16 scan disagree; nothing is reported")
        # Sums in another order, and rounding to halves, swap neighbours at the end of a list.
        for kind, least in (("f32", 0.999), ("f16", 0.99), ("fp16", 0.99)):
            share = overlap(found[kind], found["flat"])
            if share < least:
                sys.exit(f"{kind} and faiss flat agree on {share} only; nothing is reported")

    def faiss_search(self, index, probes, batch, blas):
        def run():
            # Above this number of probes at once it calls BLAS.
            faiss.cvar.distance_compute_blas_threshold = 1 if blas else 1 << 30
            return [clocked(lambda p=p: index.search(self.probes[p:p + batch], K))
                    for p in range(0, probes, batch)]
        return run

    def measure(self, threads, batch, rounds):
        probes = max(3, min(20, 500_000 // self.count))
        if batch > 1:  # a batch at 10k takes some milliseconds: several of them
            probes = batch * max(1, min(5, 100_000 // self.count))

        def ours(kind):
            return lambda: self.sosia.ask(f"scan {kind} {threads} {batch} {probes} {K}")["seconds"]

        peers = {"sosia f16": ours("f16"), "sosia f32": ours("f32"), "sosia int8": ours("int8"),
                 "faiss flat": self.faiss_search(self.flat, probes, batch, False),
                 "faiss fp16": self.faiss_search(self.halves, probes, batch, False)}
        if batch > 1:
            peers["faiss flat BLAS"] = self.faiss_search(self.flat, probes, batch, True)
        else:
            peers["read f16"] = lambda: [self.sosia.ask(f"read f16 {threads}")["seconds"][0]
                                         for _ in range(probes)]
        faiss.omp_set_num_threads(threads)
        with threadpool_limits(threads):
            # Single searches are short and read memory that others use as well: more rounds.
            seconds = interleave(peers, rounds if batch > 1 else 5 * rounds)
        return {name: values / probes for name, values in seconds.items()}


def exact_row(count, threads, batch, best):
    fastest = min((seconds, name) for name, seconds in best.items() if name.startswith("faiss"))
    flat = min(seconds for name, seconds in best.items() if name.startswith("faiss flat"))
    row = {"rows": count, "threads": threads, "batch": batch,
           **{f"{name} ms": round(1000 * best[name], 4) if name in best else None
              for name in ("sosia f16", "sosia f32", "sosia int8", "read f16", "faiss flat",
                           "faiss flat BLAS", "faiss fp16")},
           "fastest faiss": fastest[1],
           "fastest faiss / sosia f16": round(fastest[0] / best["sosia f16"], 2),
           "faiss flat / sosia f32": round(flat / best["sosia f32"], 2),
           "sosia f16 / read": round(best["sosia f16"] / best["read f16"], 2)
           if "read f16" in best else None,
           "sosia f16 / int8": round(best["sosia f16"] / best["sosia int8"], 2)}
    print("  " + ", ".join(f"{key} {value}" for key, value in row.items() if value is not None),
          flush=True)
    return row


def graphs(sosia, rows, build_threads, wanted):
    """Of the `wanted` peers: {name: (search(width, threads) -> (seconds, ids), build seconds)}, all
    with M 16 and efConstruction 200."""
    probes = {}
    built = {}

    def add(name, build, search):
        if name not in wanted:
            return
        built[name] = clocked(build)
        probes[name] = search
        print(f"  built {name} in {built[name]:.1f} s", flush=True)

    def sosia_search(queries, width, threads):
        seconds = sosia.ask(
            f"graph {threads} {GRAPH_BATCH} {len(queries)} {K} {width}")["seconds"]
        return seconds, sosia.found(len(queries))

    add("sosia", lambda: sosia.ask(f"build 16 200 {build_threads}"), sosia_search)

    def timed(search, prepare):
        def run(queries, width, threads):
            prepare(width, threads)
            seconds, ids = [], []
            for at in range(0, len(queries), GRAPH_BATCH):
                begin = time.perf_counter()
                found = search(queries[at:at + GRAPH_BATCH], threads)
                seconds.append(time.perf_counter() - begin)
                ids.append(np.asarray(found))
            return seconds, np.concatenate(ids)
        return run

    own = hnswlib.Index(space="ip", dim=DIMENSION)
    own.init_index(len(rows), M=16, ef_construction=200, random_seed=SEED)

    def own_width(width, threads):
        own.set_ef(width)
        own.set_num_threads(threads)

    own.set_num_threads(build_threads)
    add("hnswlib", lambda: own.add_items(rows),
        timed(lambda queries, threads: own.knn_query(queries, K)[0], own_width))

    inner = faiss.METRIC_INNER_PRODUCT
    for name, index in (
            ("faiss HNSW flat", faiss.IndexHNSWFlat(DIMENSION, 16, inner)),
            ("faiss HNSW 8-bit", faiss.IndexHNSWSQ(DIMENSION, faiss.ScalarQuantizer.QT_8bit, 16,
                                                   inner))):
        faiss.omp_set_num_threads(build_threads)
        index.hnsw.efConstruction = 200
        index.train(rows)

        def faiss_width(width, threads, index=index):
            index.hnsw.efSearch = width
            faiss.omp_set_num_threads(threads)

        add(name, lambda index=index: index.add(rows),
            timed(lambda queries, threads, index=index: index.search(queries, K)[1], faiss_width))

    for kind in ("f16", "i8", "f32"):
        index = Index(ndim=DIMENSION, metric="ip" if kind != "i8" else "cos", dtype=kind,
                      connectivity=16, expansion_add=200)

        def usearch_width(width, threads, index=index):
            index.expansion_search = width

        add(f"usearch {kind}",
            lambda index=index: index.add(np.arange(len(rows)), rows, threads=build_threads),
            timed(lambda queries, threads, index=index:
                  index.search(queries, K, threads=threads).keys, usearch_width))
    return probes, built


def measure_graphs(searches, queries, truth, threads, rounds):
    """{name: [(width, recall, queries a second)]}; the peers take turns at each width."""
    curves = {name: [] for name in searches}
    for width in WIDTHS:
        recalls = {}

        def once(name):
            def run():
                seconds, ids = searches[name](queries, width, threads)
                recalls[name] = overlap(ids, truth)
                return seconds
            return run

        seconds = interleave({name: once(name) for name in searches}, rounds)
        for name, value in seconds.items():
            curves[name].append((width, recalls[name], len(queries) / value))
    return curves


def best_rates(curves):
    """{name: the best rate at the wanted recall, or None}."""
    return {name: max((rate for _, recall, rate in curve if recall >= RECALL), default=None)
            for name, curve in curves.items()}


def run_graph(sosia, rows, probes, options, results, count):
    queries = np.ascontiguousarray(probes[:GRAPH_PROBES])
    sosia.ask(f"scan f32 2 64 {GRAPH_PROBES} {K}")
    truth = sosia.found(GRAPH_PROBES)
    searches, built = graphs(sosia, rows, max(options.threads), options.graphs)
    for threads in options.threads:
        curves = measure_graphs(searches, queries, truth, threads, min(options.rounds, 5))
        rates = best_rates(curves)
        peers = {name: rate for name, rate in rates.items() if rate and name != "sosia"}
        best_peer = max(peers, key=peers.get)
        results["graph"].append(
            {"rows": count, "threads": threads,
             **{f"{name} QPS": round(rate) if rate else None for name, rate in rates.items()},
             "best peer": best_peer, "sosia / best peer": round(rates["sosia"] / peers[best_peer], 2),
             **{f"{name} build s": round(seconds, 1) for name, seconds in built.items()}})
        results["curves"].append({"rows": count, "threads": threads, "curves": curves})
        print(f"  {count} rows, {threads} threads, best rate at recall@{K} >= {RECALL}: "
              + ", ".join(f"{name} {rate:.0f}" if rate else f"{name} never"
                          for name, rate in rates.items())
              + f"; sosia / best peer {rates['sosia'] / peers[best_peer]:.2f}", flush=True)


def as_table(key, title, note, rows):
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return {"key": key, "title": title, "note": note,
            "columns": [column.replace(" / ", " : ") for column in columns],
            "rows": [[row.get(column) for column in columns] for row in rows]}


def write_report(options, about, results):
    tables, plots = [], []
    if results["exact"]:
        tables.append(as_table("exact", "Exact search, milliseconds a probe",
                               "each call with the least time of all rounds",
                               results["exact"]))
    if results["graph"]:
        tables.append(as_table("graph", f"Graph indexes, best rate at recall@{K} >= {RECALL}",
                               "queries a second", results["graph"]))
    for curve in results["curves"]:
        plots.append({
            "key": f"recall_{curve['rows']}_{curve['threads']}",
            "title": f"{curve['rows']} rows, {curve['threads']} threads",
            "x_label": f"recall@{K}", "y_label": "queries a second", "y_log": True,
            "series": [{"name": name, "x": [point[1] for point in points],
                        "y": [point[2] for point in points]}
                       for name, points in curve["curves"].items()]})
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "search.json"
    path.write_text(json.dumps({"title": "Vector search beside its peers", "about": about,
                                "tables": tables, "plots": plots}, indent=1) + "\n")
    subprocess.run([options.build / "bin/search_report", path, options.out / "search.html"],
                   check=True)
    print(f"written: {path} and search.html beside it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--jobs", nargs="+", choices=("exact", "graph"), default=["exact", "graph"])
    parser.add_argument("--graphs", nargs="+", choices=GRAPHS, default=GRAPHS,
                        help="indexes of job graph (sosia is always among them)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=pathlib.Path, default="build/release/bench")
    options = parser.parse_args()
    options.graphs = ["sosia", *options.graphs]
    results = {"exact": [], "graph": [], "curves": []}
    about = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for count in options.sizes:
            paths = write_vectors(folder, count)
            rows = np.memmap(paths[0], dtype=np.float32, mode="r").reshape(-1, DIMENSION)
            probes = np.fromfile(paths[1], dtype=np.float32).reshape(-1, DIMENSION)
            sosia = Sosia(options.build / "bin/gallery_peer", *paths, folder)
            if not about:
                about = {"commit": sosia.about["commit"], "target": sosia.about["target"],
                         "device": "cpu", "machine": platform.machine(), "seed": SEED,
                         "dimension": DIMENSION, "rounds": options.rounds,
                         "faiss": f"{faiss.__version__} {faiss.get_compile_options().strip()}",
                         "usearch": usearch.__version__, "usearch_kernels": Index(
                             ndim=DIMENSION, dtype="f16").hardware_acceleration,
                         "hnswlib": "0.8.0, built here", "numpy": np.__version__,
                         "load_before": " ".join(f"{x:.1f}" for x in os.getloadavg())}
                print(", ".join(f"{key} {value}" for key, value in about.items()), flush=True)
            if "exact" in options.jobs:
                job = Exact(sosia, rows, probes)
                job.check()
                for threads in options.threads:
                    for batch in options.batches:
                        best = job.measure(threads, batch, options.rounds)
                        results["exact"].append(exact_row(count, threads, batch, best))
                del job
            if "graph" in options.jobs:
                run_graph(sosia, rows, probes, options, results, count)
            sosia.close()
            del rows
            for path in paths:
                path.unlink()
    about["load_after"] = " ".join(f"{x:.1f}" for x in os.getloadavg())
    write_report(options, about, results)


if __name__ == "__main__":
    main()
