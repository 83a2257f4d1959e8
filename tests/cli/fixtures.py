"""Input files for the command-line tests and the examples, generated with a fixed seed."""

import math
import random


def _write(folder, name, header, rows):
    with open(folder / name, "w", encoding="utf-8") as file:
        file.write(",".join(header) + "\n")
        for row in rows:
            file.write(",".join(str(cell) for cell in row) + "\n")


def scores(folder):
    rng = random.Random(1)
    rows = [(f"{rng.gauss(2, 1):.6f}", 1, rng.choice("ab")) for _ in range(400)]
    rows += [(f"{rng.gauss(0, 1):.6f}", 0, rng.choice("ab")) for _ in range(4000)]
    _write(folder, "scores.csv", ["score", "label", "group"], rows)


def ranking(folder):
    rng = random.Random(2)
    rows = []
    for query in range(12):
        for item in range(30):
            subject, camera = item % 6, item // 6 % 3
            score = rng.gauss(1.0 if subject == query % 6 else 0.0, 0.6)
            rows.append((f"q{query}", query % 6, query % 3, f"g{item}", subject, camera,
                         f"{score:.6f}"))
    _write(folder, "ranking.csv",
           ["query", "query_subject", "query_camera", "item", "item_subject", "item_camera",
            "score"], rows)


def calibration(folder):
    rng = random.Random(3)
    rows = []
    for _ in range(2000):
        p = rng.random()
        rows.append((f"{p:.6f}", int(rng.random() < p)))
    _write(folder, "calibration.csv", ["probability", "label"], rows)


def identification(folder):
    rng = random.Random(4)
    rows = []
    for probe in range(200):
        subject = probe % 50
        mated = subject < 40
        for candidate in range(40):
            score = rng.gauss(2.5 if mated and candidate == subject else 0, 1)
            rows.append((f"p{probe}", subject, int(mated), candidate, f"{score:.6f}"))
    _write(folder, "identification.csv",
           ["probe", "probe_subject", "mated", "candidate_subject", "score"], rows)


def attack(folder):
    rng = random.Random(5)
    rows = []
    for index in range(600):
        kind = ("bona_fide", "print", "replay")[index // 3 % 3]
        score = 1 / (1 + math.exp(-rng.gauss(2 if kind == "bona_fide" else -1, 1.2)))
        rows.append((f"{score:.6f}", int(kind == "bona_fide"),
                     "" if kind == "bona_fide" else kind, "dev" if index < 300 else "test",
                     f"clip{index // 3}"))
    _write(folder, "attack.csv", ["score", "label", "instrument", "split", "clip"], rows)


def clusters(folder):
    rng = random.Random(6)
    rows = []
    for item in range(120):
        subject = item % 12
        rows.append((subject if rng.random() < 0.9 else rng.randrange(15), subject))
    _write(folder, "clusters.csv", ["cluster", "subject"], rows)


def make_all(folder):
    for make in (scores, ranking, calibration, identification, attack, clusters):
        make(folder)
