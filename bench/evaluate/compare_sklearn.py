#!/usr/bin/env python3
"""ROC, AUC and EER of many scores: sosia beside scikit-learn, one thread each, interleaved.

    python3 compare_sklearn.py --build build/release [--count 10000000] [--rounds 5]
                               [--job memory|file|both]

Both sides get the same arrays in memory (f8 scores, u1 labels) and time the computation alone, in
turn, round after round; the order of the peers rotates. Peers:

    sosia             split by label, sort, ROC curve, AUC, EER (interpolated and nearest)
    sklearn           roc_curve with its defaults (drop_intermediate=True), auc, nearest EER
    sklearn full      the same with drop_intermediate=False
    numpy by hand     argsort, cumulative sums, trapezoid, nearest EER: no checks of the input

Before anything is reported, AUC and EER of all peers must agree. --job file measures the whole job:
`sosia evaluate verification FILE.csv --json` (start of the program and all its other figures
included) against reading the CSV by pandas (numpy.loadtxt where that is missing) followed by
roc_curve, auc and EER in a process that has loaded its libraries already.
Needs numpy and scikit-learn, and a release build with benches.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

# Before numpy is loaded: its libraries read these once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import sklearn
from sklearn.metrics import auc, roc_curve

SEED = 1
SEPARATION = 2.0
GENUINE_SHARE = 0.1


def make_comparisons(count, digits):
    rng = np.random.default_rng(SEED)
    labels = (rng.random(count) < GENUINE_SHARE).astype(np.uint8)
    scores = rng.standard_normal(count) + SEPARATION * labels
    return (scores if digits is None else np.round(scores, digits)), labels


def nearest_eer(far, tar):
    frr = 1 - tar
    at = np.argmin(np.abs(far - frr))
    return (far[at] + frr[at]) / 2


def with_sklearn(drop_intermediate):
    def run(scores, labels):
        far, tar, _ = roc_curve(labels, scores, drop_intermediate=drop_intermediate)
        return {"auc": auc(far, tar), "eer_nearest": nearest_eer(far, tar)}
    return run


def by_hand(scores, labels):
    order = np.argsort(-scores)  # the vectorised quicksort: ties are one point, their order is free
    sorted_scores = scores[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)
    true_accepts = np.cumsum(labels[order], dtype=np.int64)[last_of_ties]
    false_accepts = 1 + last_of_ties - true_accepts
    tar = np.concatenate([[0], true_accepts / true_accepts[-1]])
    far = np.concatenate([[0], false_accepts / false_accepts[-1]])
    return {"auc": np.trapezoid(tar, far), "eer_nearest": nearest_eer(far, tar)}


def timed(run):
    def measure(scores, labels):
        begin = time.perf_counter()
        result = run(scores, labels)
        return {"seconds": time.perf_counter() - begin, **result}
    return measure


class Sosia:
    """The peer program, which holds the arrays in its own memory and times itself."""

    def __init__(self, program, folder, scores, labels):
        paths = [folder / "scores.npy", folder / "labels.npy"]
        for path, array in zip(paths, (scores, labels)):
            np.save(path, array)
        self.process = subprocess.Popen([program, *paths], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def __call__(self, _scores, _labels):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def check_agreement(results, what):
    """All peers found the same AUC and the same nearest EER."""
    for key, tolerance in (("auc", 1e-9), ("eer_nearest", 1e-6)):
        for name, result in results.items():
            # The reduced curve lacks points, so that its nearest point may be another one.
            if key == "eer_nearest" and name == "sklearn":
                continue
            if abs(result[key] - results["sosia"][key]) > tolerance:
                sys.exit(f"{what}: {key} of {name} is {result[key]}, of sosia "
                         f"{results['sosia'][key]}; nothing is reported")


def report(title, seconds, extra=""):
    print(f"\n{title}{extra}")
    print(f"  {'peer':<24}{'min s':>9}{'median s':>10}{'max s':>9}"
          f"{'ratio min':>11}{'median':>9}{'max':>9}")
    for name, values in seconds.items():
        ratios = [value / ours for value, ours in zip(values, seconds["sosia"])]
        print(f"  {name:<24}{min(values):>9.3f}{statistics.median(values):>10.3f}"
              f"{max(values):>9.3f}{min(ratios):>11.2f}{statistics.median(ratios):>9.2f}"
              f"{max(ratios):>9.2f}")
    return {name: [round(v, 4) for v in values] for name, values in seconds.items()}


def rounds_of(peers, rounds, scores, labels, what):
    """Seconds by peer. One round that is not counted warms caches and checks the results."""
    check_agreement({name: run(scores, labels) for name, run in peers.items()}, what)
    names = list(peers)
    seconds = {name: [] for name in names}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            seconds[name].append(peers[name](scores, labels)["seconds"])
    return seconds


def compare_in_memory(options, program, digits):
    scores, labels = make_comparisons(options.count, digits)
    what = "distinct scores" if digits is None else f"scores rounded to {digits} decimals"
    with tempfile.TemporaryDirectory() as folder:
        sosia = Sosia(program, pathlib.Path(folder), scores, labels)
        peers = {"sosia": sosia, "sklearn": timed(with_sklearn(True)),
                 "sklearn full": timed(with_sklearn(False)), "numpy by hand": timed(by_hand)}
        seconds = rounds_of(peers, options.rounds, scores, labels, what)
        sosia.close()
    return report(f"{options.count} scores in memory, {what}", seconds,
                  f", {len(np.unique(scores))} of them different")


def compare_files(options, program):
    scores, labels = make_comparisons(options.count, 6)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "scores.csv"
        with open(path, "w", encoding="ascii") as file:
            file.write("score,label\n")
            for start in range(0, options.count, 100_000):
                rows = zip(scores[start:start + 100_000].tolist(),
                           labels[start:start + 100_000].tolist())
                file.write("".join(f"{score:.6f},{label}\n" for score, label in rows))

        def sosia(_scores, _labels):
            result = subprocess.run(
                [program, "evaluate", "verification", path, "--json", "--no-config", "--threads",
                 "1"], capture_output=True, text=True, check=True)
            return json.loads(result.stdout)

        try:
            import pandas
            reader = "pandas"
        except ImportError:
            reader = "loadtxt"

        def read_and_sklearn(_scores, _labels):
            if reader == "pandas":
                table = pandas.read_csv(path)
                read = table["score"].to_numpy(), table["label"].to_numpy()
            else:
                table = np.loadtxt(path, delimiter=",", skiprows=1)
                read = table[:, 0], table[:, 1].astype(np.uint8)
            return with_sklearn(False)(*read)

        peers = {"sosia": timed(sosia), f"{reader} + sklearn full": timed(read_and_sklearn)}
        size_mb = path.stat().st_size / 1e6
        seconds = rounds_of(peers, options.rounds, scores, labels, "whole file")
    return report("whole file", seconds, f": CSV of {options.count} rows, {size_mb:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--count", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--job", choices=("memory", "file", "both"), default="memory")
    parser.add_argument("--out", type=pathlib.Path, help="write the seconds as JSON to this file")
    options = parser.parse_args()
    # One processor for everything: a second thread would have nowhere to run.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    binary = options.build / "bin"
    version = json.loads(subprocess.run([binary / "sosia", "--version", "--json"],
                                        capture_output=True, check=True).stdout)
    about = {"commit": version["commit"], "device": "cpu", "machine": platform.machine(),
             "threads": 1, "seed": SEED, "rounds": options.rounds, "count": options.count,
             "python": platform.python_version(), "numpy": np.__version__,
             "sklearn": sklearn.__version__, "load_before": os.getloadavg()}
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print("ratio: seconds of the peer / seconds of sosia in the same round")
    results = {}
    if options.job != "file":
        peer = binary / "evaluate_peer"
        results["distinct"] = compare_in_memory(options, peer, None)
        results["rounded"] = compare_in_memory(options, peer, 3)
    if options.job != "memory":
        results["file"] = compare_files(options, binary / "sosia")
    about["load_after"] = os.getloadavg()
    print("\nload after:", *(f"{value:.2f}" for value in about["load_after"]))
    if options.out:
        options.out.write_text(json.dumps({"about": about, "seconds": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
