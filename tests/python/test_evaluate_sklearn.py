"""Differential tests of `sosia evaluate` against scikit-learn, scipy and protocols in numpy.

Needs numpy, scipy and scikit-learn; skips without them. SOSIA_BINARY names the program. Every case
runs the program on a generated CSV file and compares its JSON with the other implementation.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

try:
    import numpy as np
    from scipy import integrate, stats
    from sklearn import metrics
    from sklearn.calibration import calibration_curve
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}") from missing

SOSIA = os.environ.get("SOSIA_BINARY")
NO_BOOTSTRAP = ["--replicates", "0"]


def run_json(*words):
    """The JSON that `sosia WORDS... --json` prints."""
    command = [SOSIA, *map(str, words), "--json", "--no-config"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if result.returncode != 0:
        raise AssertionError(f"exit {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def evaluate(verb, columns, *options):
    """The JSON of `sosia evaluate VERB` on a CSV with the columns {name: values}."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "input.csv"
        with open(path, "w", encoding="utf-8") as file:
            file.write(",".join(columns) + "\n")
            for row in zip(*columns.values()):
                # repr keeps every bit of a double.
                file.write(",".join(repr(float(v)) if isinstance(v, float) else str(v)
                                    for v in row) + "\n")
        return run_json("evaluate", verb, path, *options)


def plot_series(report, plot, series=0):
    """x and y of one series of a plot."""
    chosen = next(p for p in report["plots"] if p["key"] == plot)["series"][series]
    return np.array(chosen["x"], float), np.array(chosen["y"], float)


def comparison_lists():
    """Labelled scores: smooth, with many ties, few of one class, all tied but one."""
    rng = np.random.default_rng(0)
    for size, digits, share in ((3000, 17, .3), (3000, 1, .3), (500, 0, .5), (400, 17, .02),
                                (60, 2, .5), (5000, 3, .9)):
        labels = (rng.random(size) < share).astype(int)
        labels[:2] = (0, 1)
        yield np.round(rng.normal(size=size) + 1.2 * labels, digits), labels
    yield np.array([.5, .5, .5, .6]), np.array([0, 1, 0, 1])


def columns_of(scores, labels):
    return {"score": [float(s) for s in scores], "label": list(labels)}


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Verification(unittest.TestCase):
    FARS = (.3, .1, .01, .001)

    def run_all(self):
        for scores, labels in comparison_lists():
            yield scores, labels, evaluate("verification", columns_of(scores, labels), "--far",
                                           ",".join(map(str, self.FARS)))

    @staticmethod
    def key(rate):
        return {.1: "1e-1", .01: "1e-2", .001: "1e-3"}.get(rate, f"{rate:g}")

    def test_auc_and_average_precision(self):
        for scores, labels, ours in self.run_all():
            self.assertAlmostEqual(ours["auc"], metrics.roc_auc_score(labels, scores), 12)
            self.assertAlmostEqual(ours["average_precision"],
                                   metrics.average_precision_score(labels, scores), 12)
            precision, recall, _ = metrics.precision_recall_curve(labels, scores)
            f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
            self.assertAlmostEqual(ours["best_f1"], f1.max(), 12)

    def test_auc_is_mann_whitney(self):
        for scores, labels, ours in self.run_all():
            genuine, impostor = scores[labels == 1], scores[labels == 0]
            u = stats.mannwhitneyu(genuine, impostor).statistic
            self.assertAlmostEqual(ours["auc"], u / len(genuine) / len(impostor), 12)

    def test_separation(self):
        for scores, labels, ours in self.run_all():
            genuine, impostor = scores[labels == 1], scores[labels == 0]
            ratio = (genuine.mean() - impostor.mean()) ** 2 / (genuine.var() + impostor.var())
            np.testing.assert_allclose(ours["fisher_ratio"], ratio, rtol=1e-9)
            np.testing.assert_allclose(ours["d_prime"], np.sqrt(2 * ratio), rtol=1e-9)

    def test_curves_have_the_points_of_sklearn(self):
        rng = np.random.default_rng(12)
        for digits in (17, 1):
            labels = rng.integers(0, 2, 300)
            scores = np.round(rng.normal(size=300) + labels, digits)
            ours = evaluate("verification", columns_of(scores, labels))
            far, tar, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
            x, y = plot_series(ours, "roc")
            np.testing.assert_allclose(x, far, atol=1e-12)
            np.testing.assert_allclose(y, tar, atol=1e-12)
            x, y = plot_series(ours, "det")
            # det_curve leaves out the flat ends; every point of it must be one of ours.
            for fmr, fnmr in zip(*metrics.det_curve(labels, scores)[:2]):
                self.assertLess(np.min(np.abs(x - fmr) + np.abs(y - fnmr)), 1e-12)
            # Theirs rises in threshold and ends with a point that accepts nothing.
            precision, recall, _ = metrics.precision_recall_curve(labels, scores)
            x, y = plot_series(ours, "precision_recall")
            np.testing.assert_allclose(x, recall[-2::-1], atol=1e-12)
            np.testing.assert_allclose(y, precision[-2::-1], atol=1e-12)
            _, f1 = plot_series(ours, "precision_recall", 1)
            np.testing.assert_allclose(f1, 2 * x * y / np.maximum(x + y, 1e-300), atol=1e-12)

    def test_decisions_at_a_threshold(self):
        for scores, labels, _ in self.run_all():
            # One threshold between scores, one equal to a score, one that accepts nothing.
            for threshold in (.61803, float(scores[0]), 99.0):
                ours = evaluate("verification", columns_of(scores, labels), "--threshold",
                                repr(threshold))["at_threshold"]
                decisions = (scores >= threshold).astype(int)
                for key, function in (("precision", metrics.precision_score),
                                      ("recall", metrics.recall_score),
                                      ("f1", metrics.f1_score)):
                    self.assertAlmostEqual(ours[key],
                                           function(labels, decisions, zero_division=0), 12)
                self.assertAlmostEqual(ours["accuracy"],
                                       metrics.accuracy_score(labels, decisions), 12)
                (tn, fp), (fn, tp) = metrics.confusion_matrix(labels, decisions, labels=[0, 1])
                self.assertAlmostEqual(ours["fmr"], fp / (fp + tn), 12)
                self.assertAlmostEqual(ours["fnmr"], fn / (fn + tp), 12)

    def test_wilson_intervals(self):
        for level in (.95, .8):
            for scores, labels, _ in self.run_all():
                ours = evaluate("verification", columns_of(scores, labels), "--level", level)
                genuine = int(labels.sum())
                for row in ours["operating_points"]:
                    accepted = round(row["tar"] * genuine)
                    expected = stats.binomtest(accepted, genuine).proportion_ci(level, "wilson")
                    self.assertAlmostEqual(row["tar_low"], expected.low, 12)
                    self.assertAlmostEqual(row["tar_high"], expected.high, 12)

    def test_eer(self):
        for scores, labels, ours in self.run_all():
            far, tar, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
            frr = 1 - tar
            nearest = np.argmin(np.abs(far - frr))
            # Two points can be equally near but for rounding: any of them will do.
            gap = np.abs(far - frr)
            ties = np.flatnonzero(gap <= gap[nearest] + 1e-12)
            self.assertTrue(any(abs(ours["eer_nearest"] - (far[i] + frr[i]) / 2) < 1e-12
                                for i in ties))
            # The crossing of the polyline, by bisection on its parameter.
            low, high = 0.0, float(len(far) - 1)
            steps = np.arange(len(far))
            for _ in range(200):
                middle = (low + high) / 2
                if np.interp(middle, steps, far) < np.interp(middle, steps, frr):
                    low = middle
                else:
                    high = middle
            self.assertAlmostEqual(ours["eer"], np.interp(low, steps, far), 9)

    def test_tar_by_every_rule(self):
        for scores, labels, ours in self.run_all():
            full = metrics.roc_curve(labels, scores, drop_intermediate=False)
            reduced = metrics.roc_curve(labels, scores)
            rows = {row["target"]: row for row in ours["tar_by_rule"]}
            for target in self.FARS:
                far, tar, _ = full
                row = rows[target]
                self.assertAlmostEqual(row["interpolated"], np.interp(target, far, tar), 12)
                self.assertAlmostEqual(row["not_above"], tar[far <= target].max(), 12)
                for name, curve in (("nearest", full), ("nearest_reduced", reduced)):
                    # The IJB evaluation: arrays flipped, the first of the nearest.
                    flipped_far, flipped_tar = np.flipud(curve[0]), np.flipud(curve[1])
                    expected = flipped_tar[np.argmin(np.abs(flipped_far - target))]
                    self.assertAlmostEqual(row[name], expected, 12, name)
                self.assertEqual(ours["tar_at_far"][self.key(target)], row["nearest"])

    def test_lfw_folds_and_val(self):
        rng = np.random.default_rng(3)
        for digits in (17, 2):
            labels = np.tile(np.repeat([1, 0], 30), 10)
            cosine = np.clip(np.round(rng.normal(size=600) * .2 + .35 * labels, digits), -1, 1)
            ours = evaluate("verification", columns_of(cosine, labels), "--folds", 10)
            accuracy, val = lfw(2 - 2 * cosine, labels)
            self.assertAlmostEqual(ours["fold_accuracy"], accuracy.mean(), 12)
            self.assertAlmostEqual(ours["fold_accuracy_std"], accuracy.std(), 12)
            self.assertAlmostEqual(ours["val_at_far"]["val"], val.mean(), 12)
            self.assertAlmostEqual(ours["val_at_far"]["val_std"], val.std(), 12)

    def test_groups(self):
        rng = np.random.default_rng(5)
        labels = rng.integers(0, 2, 900)
        groups = rng.choice(["a", "b", "c"], 900)
        scores = rng.normal(size=900) + labels * (1 + (groups == "a"))
        ours = evaluate("verification", {**columns_of(scores, labels), "group": list(groups)})
        far, _, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
        shared = thresholds[np.flatnonzero(far <= .01)[-1]]
        for row in ours["groups"]:
            mask = groups == row["group"]
            self.assertAlmostEqual(row["auc"],
                                   metrics.roc_auc_score(labels[mask], scores[mask]), 12)
            accepted = scores >= shared
            self.assertAlmostEqual(row["fmr"], accepted[mask & (labels == 0)].mean(), 12)
            self.assertAlmostEqual(row["fnmr"], 1 - accepted[mask & (labels == 1)].mean(), 12)


def lfw(distances, same):
    """Accuracy and VAL of each held-out fold, written as the protocol says it."""
    accuracy, val = [], []
    for train, test in KFold(10, shuffle=False).split(distances):
        grid = np.arange(0, 4, .01)
        correct = [np.mean((distances[train] < t) == same[train]) for t in grid]
        best = grid[np.argmax(correct)]
        accuracy.append(np.mean((distances[test] < best) == same[test]))
        grid = np.arange(0, 4, .001)
        impostors = np.sort(distances[train][same[train] == 0])
        far = np.searchsorted(impostors, grid, side="left") / len(impostors)
        threshold = 0.0
        if far.max() >= 1e-3:
            at = np.searchsorted(far, 1e-3, side="left")
            share = (1e-3 - far[at - 1]) / (far[at] - far[at - 1])
            threshold = grid[at - 1] + share * (grid[at] - grid[at - 1])
        genuine = distances[test][same[test] == 1]
        val.append(np.mean(genuine < threshold))
    return np.array(accuracy), np.array(val)


def market(rows):
    """mAP, mINP and CMC of ranked lists, written as the Market-1501 evaluation says it."""
    queries = {}
    for row in rows:
        queries.setdefault(row["query"], []).append(row)
    ap, inp, cmc = [], [], []
    for items in queries.values():
        # Python's sort is stable: ties keep the order of the file.
        items = sorted(items, key=lambda r: -r["score"])
        kept = [r for r in items if r["item_subject"] != -1 and not (
            r["item_subject"] == r["query_subject"] and r["item_camera"] == r["query_camera"])]
        hits = np.array([r["item_subject"] == r["query_subject"] for r in kept])
        if not hits.any():
            continue
        ranks = np.flatnonzero(hits) + 1
        ap.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
        inp.append(len(ranks) / ranks[-1])
        cmc.append([ranks[0] <= r for r in (1, 5, 10)])
    return np.mean(ap), np.mean(inp), np.mean(cmc, axis=0), len(ap)


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Ranking(unittest.TestCase):
    def test_market_rule(self):
        for seed, digits in ((0, 17), (1, 1), (2, 0)):
            rng = np.random.default_rng(seed)
            rows = []
            gallery = [(int(rng.integers(-1, 8)), int(rng.integers(0, 3))) for _ in range(80)]
            for query in range(30):
                subject, camera = query % 9, int(rng.integers(0, 3))
                for item, (item_subject, item_camera) in enumerate(gallery):
                    score = round(rng.normal() + (item_subject == subject), digits)
                    rows.append({"query": query, "query_subject": subject, "query_camera": camera,
                                 "item": item, "item_subject": item_subject,
                                 "item_camera": item_camera, "score": float(score)})
            order = rng.permutation(len(rows))
            rows = [rows[i] for i in order]
            ours = evaluate("ranking", {k: [r[k] for r in rows] for k in rows[0]}, *NO_BOOTSTRAP)
            mean_ap, mean_inp, cmc, valid = market(rows)
            self.assertAlmostEqual(ours["map"], mean_ap, 12)
            self.assertAlmostEqual(ours["minp"], mean_inp, 12)
            self.assertEqual(ours["queries"], valid)
            self.assertEqual(ours["skipped"], 30 - valid)
            for rank, rate in zip(("1", "5", "10"), cmc):
                self.assertAlmostEqual(ours["cmc"][rank], rate, 12)

    def test_one_query_without_ties_is_average_precision(self):
        rng = np.random.default_rng(4)
        relevant = rng.integers(0, 2, 50)
        scores = rng.permutation(50) / 50
        ours = evaluate("ranking", {
            "query": ["q"] * 50, "query_subject": [1] * 50, "query_camera": [0] * 50,
            "item": list(range(50)), "item_subject": list(relevant), "item_camera": [1] * 50,
            "score": [float(s) for s in scores]}, *NO_BOOTSTRAP)
        self.assertAlmostEqual(ours["map"], metrics.average_precision_score(relevant, scores), 12)


    def test_bootstrap_over_subjects(self):
        # With one query a subject it is the ordinary percentile bootstrap of the mean.
        rng = np.random.default_rng(16)
        rows, ap = [], []
        for query in range(40):
            scores = rng.normal(size=20)
            scores[0] += 1
            ap.append(1 / (1 + np.sum(scores[1:] > scores[0])))
            rows += [(query, query, 0, item, query if item == 0 else -2, 1, float(score))
                     for item, score in enumerate(scores)]
        names = ("query", "query_subject", "query_camera", "item", "item_subject", "item_camera",
                 "score")
        ours = evaluate("ranking", dict(zip(names, zip(*rows))), "--replicates", 20000)
        expected = stats.bootstrap((np.array(ap),), np.mean, n_resamples=20000,
                                   method="percentile", random_state=rng).confidence_interval
        # Both ends carry the noise of 20000 replicates, about 0.0015; observed differences: 0.0022
        # and 0.0011.
        self.assertAlmostEqual(ours["intervals"]["map"]["low"], expected.low, delta=.005)
        self.assertAlmostEqual(ours["intervals"]["map"]["high"], expected.high, delta=.005)
        self.assertGreater(expected.high - expected.low, .1)

    def test_is_label_ranking_average_precision(self):
        rng = np.random.default_rng(13)
        queries, items = 25, 60
        subjects = rng.integers(0, 6, items)
        relevant = np.arange(queries)[:, None] % 6 == subjects
        scores = rng.normal(size=(queries, items)) + relevant
        pairs = [(q, i) for q in range(queries) for i in range(items)]
        ours = evaluate("ranking", {
            "query": [q for q, _ in pairs], "query_subject": [q % 6 for q, _ in pairs],
            "query_camera": [0] * len(pairs), "item": [i for _, i in pairs],
            "item_subject": [subjects[i] for _, i in pairs], "item_camera": [1] * len(pairs),
            "score": [float(scores[q, i]) for q, i in pairs]}, *NO_BOOTSTRAP)
        self.assertAlmostEqual(
            ours["map"], metrics.label_ranking_average_precision_score(relevant, scores), 12)


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Calibration(unittest.TestCase):
    @staticmethod
    def samples(seed, digits):
        rng = np.random.default_rng(seed)
        p = np.round(rng.random(2000), digits)
        return p, (rng.random(2000) < p ** 1.5).astype(int)

    def test_brier_log_loss_and_bins(self):
        for seed, digits in ((0, 17), (1, 2), (2, 1)):
            p, labels = self.samples(seed, digits)
            for bins in (10, 15):
                ours = evaluate("calibration", {"probability": [float(v) for v in p],
                                                "label": list(labels)}, "--bins", bins)
                self.assertAlmostEqual(ours["brier"], metrics.brier_score_loss(labels, p), 12)
                self.assertAlmostEqual(ours["log_loss"], metrics.log_loss(labels, p), 12)
                frequency, mean = calibration_curve(labels, p, n_bins=bins)
                used = [row for row in ours["reliability"] if row["count"] > 0]
                np.testing.assert_allclose([r["frequency"] for r in used], frequency, atol=1e-12)
                np.testing.assert_allclose([r["mean_probability"] for r in used], mean, atol=1e-12)
                # ECE on scikit-learn's own bins.
                edges = np.linspace(0, 1, bins + 1)
                counts = np.bincount(np.searchsorted(edges[1:-1], p), minlength=bins)
                counts = counts[counts > 0]
                ece = np.sum(counts / len(p) * np.abs(frequency - mean))
                self.assertAlmostEqual(ours["ece"], ece, 12)

    def test_bins_of_equal_count(self):
        rng = np.random.default_rng(14)
        p = rng.random(1500)
        labels = (rng.random(1500) < p ** 2).astype(int)
        ours = evaluate("calibration", {"probability": [float(v) for v in p],
                                        "label": list(labels)}, "--bins", 15)
        # Without ties and with 15 times 100 rows, quantile bins hold 100 rows each.
        frequency, mean = calibration_curve(labels, p, n_bins=15, strategy="quantile")
        self.assertAlmostEqual(ours["ece_adaptive"], np.mean(np.abs(frequency - mean)), 12)

    def test_isotonic(self):
        for seed, digits in ((3, 17), (4, 1)):
            rng = np.random.default_rng(seed)
            labels = rng.integers(0, 2, 800)
            scores = np.round(rng.normal(size=800) + labels, digits)
            split = np.where(np.arange(800) < 400, "dev", "test")
            ours = evaluate("calibration", {**columns_of(scores, labels), "split": list(split)},
                            "--fit", "isotonic")
            model = IsotonicRegression(out_of_bounds="clip")
            model.fit(scores[:400], labels[:400])
            x, y = (np.array(ours["calibrator"][k]) for k in "xy")
            grid = np.linspace(-5, 6, 1001)
            np.testing.assert_allclose(np.interp(grid, x, y), model.predict(grid), atol=1e-12)
            p = model.predict(scores[400:])
            self.assertAlmostEqual(ours["brier"], metrics.brier_score_loss(labels[400:], p), 12)
            self.assertAlmostEqual(ours["log_loss"], metrics.log_loss(labels[400:], p), 10)

    def test_platt(self):
        rng = np.random.default_rng(6)
        labels = rng.integers(0, 2, 1000)
        scores = 3 * rng.normal(size=1000) + 2 * labels + 40
        ours = evaluate("calibration", columns_of(scores, labels), "--fit", "platt")
        # The same likelihood: every sample counted in both classes by its smoothed target.
        positives = labels.sum()
        target = np.where(labels == 1, (positives + 1) / (positives + 2),
                          1 / (len(labels) - positives + 2))
        model = LogisticRegression(C=1e12, tol=1e-10, max_iter=10000)
        centred = (scores - 40)[:, None]
        model.fit(np.vstack([centred, centred]), np.repeat([1, 0], 1000),
                  sample_weight=np.concatenate([target, 1 - target]))
        self.assertAlmostEqual(ours["calibrator"]["a"], -model.coef_[0, 0], 5)
        self.assertAlmostEqual(ours["calibrator"]["b"] + 40 * ours["calibrator"]["a"],
                               -model.intercept_[0], 5)


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Clustering(unittest.TestCase):
    def test_scores(self):
        for seed, clusters, subjects in ((0, 6, 5), (1, 40, 30), (2, 1, 4), (3, 4, 1)):
            rng = np.random.default_rng(seed)
            truth = rng.integers(0, subjects, 120)
            found = np.where(rng.random(120) < .7, truth % clusters, rng.integers(0, clusters, 120))
            ours = evaluate("clustering", {"cluster": list(found), "subject": list(truth)})
            self.assertAlmostEqual(ours["nmi"],
                                   metrics.normalized_mutual_info_score(truth, found), 10)
            self.assertAlmostEqual(ours["ari"], metrics.adjusted_rand_score(truth, found), 12)
            (_, wrong), (missed, right) = metrics.cluster.pair_confusion_matrix(truth, found)
            if right + wrong and right + missed:
                self.assertAlmostEqual(ours["pairwise"]["precision"], right / (right + wrong), 12)
                self.assertAlmostEqual(ours["pairwise"]["recall"], right / (right + missed), 12)
            if right:
                # Fowlkes-Mallows is the geometric mean of the two.
                self.assertAlmostEqual(
                    np.sqrt(ours["pairwise"]["precision"] * ours["pairwise"]["recall"]),
                    metrics.fowlkes_mallows_score(truth, found), 12)
            both = (found[:, None] == found) & (truth[:, None] == truth)
            self.assertAlmostEqual(ours["bcubed"]["precision"],
                                   np.mean(both.sum(1) / (found[:, None] == found).sum(1)), 12)
            self.assertAlmostEqual(ours["bcubed"]["recall"],
                                   np.mean(both.sum(1) / (truth[:, None] == truth).sum(1)), 12)


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Attack(unittest.TestCase):
    def test_rates(self):
        rng = np.random.default_rng(8)
        labels = rng.integers(0, 2, 1200)
        kinds = np.where(labels == 1, "", rng.choice(["print", "replay", "mask"], 1200))
        scores = rng.normal(size=1200) + 1.5 * labels + .8 * (kinds == "mask")
        split = np.where(np.arange(1200) < 600, "dev", "test")
        ours = evaluate("attack", {**columns_of(scores, labels), "instrument": list(kinds),
                                   "split": list(split)})
        dev, test = split == "dev", split == "test"
        far, tar, thresholds = metrics.roc_curve(labels[dev], scores[dev], drop_intermediate=False)
        threshold = thresholds[np.argmin(np.abs(far - (1 - tar)))]
        self.assertEqual(ours["threshold"], threshold)
        self.assertEqual(ours["threshold_source"], "dev_eer")
        accepted = scores >= threshold
        apcer = max(accepted[test & (kinds == k)].mean() for k in ("print", "replay", "mask"))
        bpcer = 1 - accepted[test & (labels == 1)].mean()
        pooled = accepted[test & (labels == 0)].mean()
        self.assertAlmostEqual(ours["apcer"], apcer, 12)
        self.assertAlmostEqual(ours["bpcer"], bpcer, 12)
        self.assertAlmostEqual(ours["acer"], (apcer + bpcer) / 2, 12)
        self.assertAlmostEqual(ours["hter"], (pooled + bpcer) / 2, 12)
        self.assertAlmostEqual(1 - ours["hter"], metrics.balanced_accuracy_score(
            labels[test], accepted[test]), 12)
        self.assertAlmostEqual(ours["auc"], metrics.roc_auc_score(labels[test], scores[test]), 12)
        for row in ours["instruments"]:
            chosen = accepted[test & (kinds == row["instrument"])]
            expected = stats.binomtest(int(chosen.sum()), len(chosen)).proportion_ci(
                method="wilson")
            self.assertAlmostEqual(row["low"], expected.low, 12)
            self.assertAlmostEqual(row["high"], expected.high, 12)


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Identification(unittest.TestCase):
    def test_open_set(self):
        rng = np.random.default_rng(9)
        rows, top, mates, ranks = [], [], [], []
        for probe in range(400):
            subject = probe % 60
            mated = subject < 40
            scores = np.round(rng.normal(size=40), 2)
            if mated:
                scores[subject] = np.round(scores[subject] + 2.5, 2)
                mates.append(scores[subject])
                # Ties rank in list order.
                order = np.argsort(-scores, kind="stable")
                ranks.append(int(np.flatnonzero(order == subject)[0]) + 1)
            else:
                top.append(scores.max())
            rows += [(f"p{probe}", subject, c, float(s), int(mated)) for c, s in enumerate(scores)]
        names = ("probe", "probe_subject", "candidate_subject", "score", "mated")
        ours = evaluate("identification", dict(zip(names, zip(*rows))), "--fpir", "0.1,0.02",
                        *NO_BOOTSTRAP)
        mates, top, ranks = map(np.array, (mates, top, ranks))
        for rank in (1, 5, 10):
            self.assertAlmostEqual(ours["rank_rates"][str(rank)], np.mean(ranks <= rank), 12)
        for target, key in ((.1, "1e-1"), (.02, "0.02")):
            thresholds = np.unique(np.concatenate([mates, top]))
            allowed = [t for t in thresholds if np.mean(top >= t) <= target]
            expected = max(np.mean((mates >= t) & (ranks == 1)) for t in allowed)
            self.assertAlmostEqual(ours["tpir_at_fpir"][key], expected, 12)


    def test_rank_rates_are_top_k_accuracy(self):
        rng = np.random.default_rng(15)
        subjects = np.arange(300) % 30
        scores = rng.normal(size=(300, 30)) + 1.5 * (subjects[:, None] == np.arange(30))
        rows = [(f"p{p}", subjects[p], c, float(scores[p, c])) for p in range(300)
                for c in range(30)]
        names = ("probe", "probe_subject", "candidate_subject", "score")
        ours = evaluate("identification", dict(zip(names, zip(*rows))), *NO_BOOTSTRAP)
        for rank in (1, 5, 10):
            self.assertAlmostEqual(ours["rank_rates"][str(rank)],
                                   metrics.top_k_accuracy_score(subjects, scores, k=rank), 12)


@unittest.skipUnless(SOSIA, "SOSIA_BINARY is not set")
class Demonstration(unittest.TestCase):
    """The closed forms that the demonstration measures itself against."""

    def test_true_values(self):
        with tempfile.TemporaryDirectory() as folder:
            ours = run_json("evaluate", "demo", "--out", folder, "--subjects", 50, "--replicates", 10)
        truth = {row["figure"]: row["truth"] for row in ours["verification"]}
        normal = stats.norm
        self.assertAlmostEqual(truth["AUC"], normal.cdf(2 / np.sqrt(2)), 12)
        self.assertAlmostEqual(truth["EER"], normal.cdf(-1), 12)
        for far, key in ((.1, "1e-1"), (.01, "1e-2")):
            self.assertAlmostEqual(truth["TAR at FAR " + key], normal.cdf(2 + normal.ppf(far)), 12)
        rank1, tpir = (row["truth"] for row in ours["identification"])
        first, _ = integrate.quad(lambda x: normal.pdf(x - 4) * normal.cdf(x) ** 49, -6, 14)
        self.assertAlmostEqual(rank1, first, 8)
        self.assertAlmostEqual(tpir, normal.cdf(4 - normal.ppf(.9 ** (1 / 50))), 12)
        gap, _ = integrate.quad(lambda p: abs(p - p ** 3 / (p ** 3 + (1 - p) ** 3)), 0, 1,
                                points=[.5])
        self.assertAlmostEqual(ours["calibration"][1]["truth"], gap, 6)


if __name__ == "__main__":
    unittest.main()
