#!/usr/bin/env python3
"""Lookahead beside plain decoding, the paper's trie and the drafters of llama.cpp and llama-cpp-python,
all in one loop of one engine, in turn, on eight workloads (prompt_sets.py).

    make bench-llm          (or setup/bench-llm.sh [--quick] [--models NAME...] [--workloads NAME...]
                             [--test N] [--warm N] [--timed N] [--rounds N] [--tokens N] [--threads N]
                             [--stop-after record|replay])

Three parts, each kept as it is made, so that a run that was killed goes on where it was:

1. Every prompt is answered greedily once per model without drafts ("recording"). Warm prompts are
   answered too: their answers are what a warm memory holds. No answer of a tested prompt is remembered.
2. Replay: what the drafters would have had accepted of those answers. Tokens a step with a free budget
   (a flat t(n)) do not depend on the machine; those under t(n) as measured at start, or a published one
   (--curve), do so through that curve only. Every peer also takes part with the settings that a grid finds
   best for it, by modelled speed on the same answers: in hindsight, which favours it.
3. Speed: some prompts of every workload are answered by all columns in turn, the order rotating. A column
   is compared with plain decoding beside it:
     ratio       tokens a second over those of plain decoding: the least of the rounds, summed
     processor   the same of processor time
     modelled    the steps that were taken, each at the median time of all steps of that many tokens in
                 the row, and the drafting of a step at its median: what load does to single steps is gone
   `same` is the share of answers that are those of plain decoding; others come from near ties.

    plain            a drafter that never drafts
    lookahead        fresh: without memory; warm: the answers of the warm prompts
    trie             the paper's index with our policy
    cache map-k mod  llama.cpp's ngram-cache, ngram-map-k and ngram-mod; cache and mod warm too
    lookup           prompt lookup of llama-cpp-python, in a Python process that is asked over pipes (its
                     time is in the row; see draft_us)
"""

import argparse
import hashlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import prompt_sets  # noqa: E402
from peer_program import PeerProgram  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SOSIA_DATA", SOURCE / ".." / "shared" / "data"))
LEAVES = 8
PROMPT_TAIL = 24  # tokens of the prompt that a memory keeps in front of an answer
# name: (file, where, quantisation, what it is requantised from)
MODELS = {
    "smollm2-q4_1": ("smollm2-135m-instruct-q4_1.gguf", "models", "Q4_1", None),
    "smollm2-q8_0": ("smollm2-135m-instruct-q8_0.gguf", "bench", "Q8_0", "smollm2-q4_1"),
    "gemma-q4_k_m": ("gemma-3-270m-q4_k_m.gguf", "bench", "Q4_K_M", None),
    "gemma-q8_0": ("gemma-3-270m-q8_0.gguf", "bench", "Q8_0", "gemma-q4_k_m")}
KEEPS = ("lookahead", "trie", "cache", "mod")  # drafters that have a place for a warm memory
GRIDS = {
    "cache": [{"n_draft": n, "static": s} for n in (1, 2, 3, 4, 6, 8, 16) for s in (0, 1)],
    "map-k": [{"size_n": n, "size_m": m} for n in (2, 3, 4, 6, 8, 12) for m in (1, 2, 3, 4, 8, 16, 48)],
    "mod": [{"n_match": n, "n_min": low, "n_max": high} for n in (3, 4, 6, 8, 12, 16, 24)
            for low, high in ((1, 1), (1, 2), (1, 4), (2, 8), (4, 16), (8, 32), (16, 64), (48, 64))],
    "lookup": [{"max_ngram_size": n, "num_pred_tokens": m} for n in (1, 2, 3, 4)
               for m in (1, 2, 3, 4, 7, 10, 16)]}


class Peer(PeerProgram):
    def __init__(self, options, model):
        super().__init__(
            str(options.build / "bin/llm_peer"), str(model_file(options, model)),
            str(options.threads), "2048", str(LEAVES), sys.executable,
            str(SOURCE / "bench/llm/lookup_drafter.py"),
            str(SOURCE / ".venv/llama/llama_cpp/llama_speculative.py"))

    def do(self, what, **members):
        return self.ask(json.dumps({"do": what, **members}))

    def column(self, name, kind, settings, warm):
        self.do("column", name=name, kind=kind, settings=settings, warm=warm)


def model_file(options, name):
    file, where, _, origin = MODELS[name]
    folder = SOURCE / ".venv/share/sosia/models" if where == "models" else options.work / "models"
    path = folder / file
    if not path.exists() and origin:
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([str(options.build / "bin/llm_peer"), "--requantise",
                        str(model_file(options, origin)), str(path)], check=True)
    if not path.exists():
        sys.exit(f"{path} is not there; setup/bench-llm.sh gets it")
    return path


class Kept:
    """Rows of JSON on disk by key; a row counts when its line is whole."""

    def __init__(self, path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rows = {}
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    row = json.loads(line)
                    self.rows[row["key"]] = row
                except (ValueError, KeyError):
                    pass  # the line that a killed run was at
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            with path.open("a") as file:
                file.write("\n")

    def get(self, key, make):
        if key not in self.rows:
            row = {"key": key, **make()}
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")
            self.rows[key] = row
        return self.rows[key]


def digest(*parts):
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def record(options, peer, kept, prompts, count, what):
    """[{"prompt", "output"}] of the first `count` prompts that fit; answered greedily, without drafts."""
    peer.column("record", "plain", {}, [])
    recordings = []
    for number, prompt in enumerate(prompts[:count]):
        def answer(prompt=prompt):
            tokens = peer.do("prompt", text=prompt, chat=peer.about["chat"])["tokens"]
            if len(tokens) + options.tokens > 2000:
                return {"prompt": tokens, "output": []}
            answer = peer.do("answer", column="record", prompt=tokens, max_tokens=options.tokens)
            return {"prompt": tokens, "output": answer["tokens"]}
        row = kept.get(digest(prompt, options.tokens), answer)
        if len(row["output"]) > 1:
            recordings.append({"prompt": row["prompt"], "output": row["output"]})
        if sys.stderr.isatty():
            print(f"\r  {what} {number + 1}/{min(count, len(prompts))} ", end="", file=sys.stderr)
    return recordings


def texts_of(recordings):
    return [row["prompt"][-PROMPT_TAIL:] + row["output"] for row in recordings]


def quartiles(values):
    values = sorted(values)
    pick = [values[round(q * (len(values) - 1))] for q in (0.25, 0.5, 0.75)]
    return [round(value, 3) for value in pick]


def replay(peer, kind, settings, warm, recordings, curve):
    if curve != "measured" and kind in ("lookahead", "trie"):
        settings = {**settings, "curve": curve}
    peer.column("replay", kind, settings, warm)
    rows = peer.do("replay", column="replay", curve=curve, recordings=recordings)["rows"]
    rows = [row for row in rows if row["steps"] > 0]
    steps = sum(row["steps"] for row in rows)
    return {"tokens_per_step": round(1 + sum(row["accepted"] for row in rows) / steps, 3),
            "quartiles": quartiles([1 + row["accepted"] / row["steps"] for row in rows]),
            "drafted_per_step": round(sum(row["drafted"] for row in rows) / steps, 2),
            "modelled": round(sum(row["plain_ms"] for row in rows) / sum(row["ms"] for row in rows), 3)}


def replay_rows(peer, test, warm, curve):
    """Tokens a step of every drafter, and the best settings of the peers, under t(n) of `curve`."""
    rows, best = [], {}
    for kind in ("lookahead", "trie", *GRIDS):
        for memory in ("fresh", "warm") if kind in KEEPS else ("fresh",):
            texts = warm if memory == "warm" else []
            choices = [("default", {})]
            if kind in GRIDS:
                tried = [(replay(peer, kind, settings, texts, test, curve)["modelled"], settings)
                         for settings in GRIDS[kind]]
                best[f"{kind} {memory}"] = max(tried, key=lambda pair: pair[0])[1]
                choices.append(("best", best[f"{kind} {memory}"]))
            for name, settings in choices:
                free = {"max_leaves": 64} if kind in ("lookahead", "trie") else settings
                costly = replay(peer, kind, settings, texts, test, curve)
                rows.append({"drafter": kind, "memory": memory, "setting": name, "settings": settings,
                             "flat": replay(peer, kind, free, texts, test, "flat"),
                             "costly": costly})
    return {"rows": rows, "best": best}


def columns_of(best, warm):
    """[(name, drafter, settings, warm texts)]"""
    columns = [("plain", "plain", {}, [])]
    for kind in ("lookahead", "trie"):
        columns += [(f"{kind} fresh", kind, {}, []), (f"{kind} warm", kind, {}, warm)]
    for kind in GRIDS:
        for memory, texts in (("fresh", []), ("warm", warm)):
            if memory == "warm" and kind not in KEEPS:
                continue
            columns += [(f"{kind} {memory}", kind, {}, texts),
                        (f"{kind} {memory}, best", kind, best[f"{kind} {memory}"], texts)]
    return columns


def speed(options, peer, test, columns):
    for name, kind, settings, texts in columns:
        peer.column(name, kind, settings, texts)
    names = [name for name, *_ in columns]
    answers = {name: [] for name in names}  # by column, prompt and round
    for number, row in enumerate(test[:options.timed]):
        for name in names:
            answers[name].append([])
        for turn in range(options.rounds):
            shift = (number * options.rounds + turn) % len(names)
            for name in names[shift:] + names[:shift]:
                answers[name][-1].append(peer.do("answer", column=name, prompt=row["prompt"],
                                                 max_tokens=options.tokens))
    return [figures(name, answers) for name in names]


def figures(name, answers):
    pooled = {}
    for rounds in (rounds for column in answers.values() for rounds in column):
        for answer in rounds:
            for n, ms in zip(answer["step_n"], answer["step_ms"]):
                pooled.setdefault(n, []).append(ms)
    cost = {n: statistics.median(times) for n, times in pooled.items()}

    def least(column, member):
        """[ms a token by prompt]"""
        return [min(answer[member] for answer in rounds) / len(rounds[0]["tokens"])
                for rounds in column]

    def modelled(column):
        steps = [n for rounds in column for n in rounds[0]["step_n"]]
        drafting = [us for rounds in column for answer in rounds for us in answer["draft_us"]]
        tokens = sum(len(rounds[0]["tokens"]) - 1 for rounds in column)
        us = statistics.median(drafting) if drafting else 0
        return (sum(cost[n] for n in steps) + len(steps) * us / 1000) / tokens, us

    mine, plain = answers[name], answers["plain"]
    steps = sum(len(rounds[0]["step_n"]) for rounds in mine)
    ratios = [p / m for p, m in zip(least(plain, "ms"), least(mine, "ms"))]
    total = {member: sum(least(plain, member)) / sum(least(mine, member)) for member in ("ms", "cpu_ms")}
    time_of, us = modelled(mine)
    return {"column": name,
            "ratio": round(total["ms"], 3), "quartiles": quartiles(ratios),
            "processor": round(total["cpu_ms"], 3),
            "modelled": round(modelled(plain)[0] / time_of, 3),
            "tokens_per_step": round(1 + sum(r[0]["accepted"] for r in mine) / max(steps, 1), 3),
            "tokens_per_s": round(1000 * len(mine) / sum(least(mine, "ms")), 1),
            "processor_ms_per_token": round(sum(least(mine, "cpu_ms")) / len(mine), 2),
            "draft_us": round(us, 1),
            "same": round(statistics.mean(m[0]["tokens"] == p[0]["tokens"]
                                          for m, p in zip(mine, plain)), 3)}


def load():
    return " ".join(f"{x:.1f}" for x in os.getloadavg())


def show_replay(title, row):
    print(f"\n{title}: replay of {row['test']} answers, memory of {row['warm']}", flush=True)
    print(f"  {'':24}{'free budget':>24}{'t(n) ' + row['curve']:>26}")
    print(f"  {'':24}{'tokens/step':>12}{'nodes/step':>12}{'tokens/step':>14}{'modelled':>12}")
    for r in row["rows"]:
        name = f"{r['drafter']} {r['memory']}" + (", best" if r["setting"] == "best" else "")
        print(f"  {name:24}{r['flat']['tokens_per_step']:12.2f}{r['flat']['drafted_per_step']:12.1f}"
              f"{r['costly']['tokens_per_step']:14.2f}{r['costly']['modelled']:12.2f}", flush=True)


def show_speed(title, row):
    print(f"\n{title}: {row['timed']} prompts, {row['rounds']} rounds, load {row['load_before']} to "
          f"{row['load_after']}", flush=True)
    print(f"  {'column':24}{'ratio':>7} {'quartiles':>17}{'processor':>11}{'modelled':>10}"
          f"{'tokens/step':>13}{'draft us':>10}{'same':>6}")
    for r in row["columns"]:
        spread = "/".join(f"{q:.2f}" for q in r["quartiles"])
        print(f"  {r['column']:24}{r['ratio']:7.2f} {spread:>17}{r['processor']:11.2f}"
              f"{r['modelled']:10.2f}{r['tokens_per_step']:13.2f}{r['draft_us']:10.0f}{r['same']:6.2f}",
              flush=True)


def run_model(options, name, sets, results):
    peer = Peer(options, name)
    about = {"model": name, "quantisation": MODELS[name][2],
             **{key: value for key, value in peer.about.items() if key != "profile"}}
    print("\n" + ", ".join(f"{key} {value}" for key, value in about.items()), flush=True)
    for curve in peer.about["profile"]:
        first = curve["points"][0][1]
        print(f"  t(n)/t(1) behind {curve['context']} tokens (t(1) {first:.2f} ms): "
              + ", ".join(f"{n}: {ms / first:.2f}" for n, ms in curve["points"]), flush=True)
    results["models"].append({**about, "profile": peer.about["profile"]})
    recordings = Kept(options.work / f"recordings/{name}.jsonl")
    rows = Kept(options.out / "llm-rows.jsonl")
    settings = [peer.about["commit"], name, options.tokens, options.test, options.warm,
                options.threads, options.seed]
    for workload in options.workloads or sets:
        test = record(options, peer, recordings, sets[workload]["test"], options.test, workload)
        warm = record(options, peer, recordings, sets[workload]["warm"], options.warm,
                      workload + ", warm")
        if options.stop_after == "record" or not test:
            continue
        title = f"{name}, {workload}"
        texts = texts_of(warm)
        row = rows.get(digest("replay", workload, options.curve, *settings), lambda: {
            "part": "replay", "model": name, "workload": workload, "test": len(test),
            "warm": len(warm), "curve": options.curve,
            **replay_rows(peer, test, texts, options.curve)})
        results["replay"].append(row)
        show_replay(title, row)
        if options.stop_after == "replay":
            continue

        def timed():
            before = load()
            columns = speed(options, peer, test, columns_of(row["best"], texts))
            return {"part": "speed", "model": name, "workload": workload, "rounds": options.rounds,
                    "timed": min(options.timed, len(test)), "warm": len(warm), "load_before": before,
                    "load_after": load(), "columns": columns}
        row = rows.get(digest("speed", workload, options.curve, options.timed, options.rounds, *settings), timed)
        results["speed"].append(row)
        show_speed(title, row)
    peer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--work", type=pathlib.Path, default="build/bench-llm",
                        help="folder of recordings and of models for the bench only")
    parser.add_argument("--out", type=pathlib.Path, default="build/release/bench")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["smollm2-q4_1"])
    parser.add_argument("--workloads", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--test", type=int, default=24, help="prompts of a workload that are recorded")
    parser.add_argument("--warm", type=int, default=40, help="prompts whose answers are the memory")
    parser.add_argument("--timed", type=int, default=4, help="prompts of a workload that are timed")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0, help="of the generated prompts")
    parser.add_argument("--curve", default="measured",
                        help="t(n) of the replay: as measured at start, or one that was published "
                             "(sosia llm replay), when the machine is busy")
    parser.add_argument("--stop-after", choices=("record", "replay"))
    parser.add_argument("--quick", action="store_true", help="a few prompts of every kind")
    options = parser.parse_args()
    if options.quick:
        options.test, options.warm, options.timed, options.rounds = 6, 8, 2, 1
    prompts = SHARED / "llm-prompts"
    if not prompts.is_dir():
        sys.exit(f"no prompts in {prompts}; SOSIA_DATA names the folder of data sets")
    sets = prompt_sets.workloads(prompts, options.seed)
    unknown = [name for name in options.workloads or [] if name not in sets]
    if unknown:
        sys.exit(f"no workload is called {unknown[0]}; there are {', '.join(sets)}")
    began = time.time()
    results = {"about": {"device": "cpu", "machine": platform.machine(), "threads": options.threads,
                         "seed": options.seed, "tokens": options.tokens, "load_before": load()},
               "models": [], "replay": [], "speed": []}
    print(", ".join(f"{key} {value}" for key, value in results["about"].items()))
    for name in options.models:
        run_model(options, name, sets, results)
    results["about"].update(load_after=load(), seconds=round(time.time() - began))
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "llm.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(path)
    print(f"\nwritten: {path}")


if __name__ == "__main__":
    main()
