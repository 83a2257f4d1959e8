#!/usr/bin/env python3
"""template_test.py --source CHECKOUT --build-dir FOLDER [--room ROOM]

Proves that a method started from templates/method/ builds and keeps its promises: copies the
checkout to FOLDER/template_test/, runs tools/new_method.py there, builds that room alone, runs the
method's own test, and reproduces its claim, quick and whole. Optimisation is off: compiling is
nearly all of the time. Needs Python 3.11, nothing else.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import import_table  # noqa: E402

METHOD = "template_probe"
LEFT_OUT = {"build", ".git", ".venv", ".setup", "demo", "__pycache__"}


def copy_checkout(source, target):
    """The checkout, without what was built or downloaded in it."""
    if target.exists():
        shutil.rmtree(target)
    skipped = LEFT_OUT
    if target.is_relative_to(source):  # a build folder of an unusual name
        skipped = skipped | {target.relative_to(source).parts[0]}

    def left_out(folder, names):
        return skipped & set(names) if pathlib.Path(folder) == source else set()

    shutil.copytree(source, target, symlinks=True, ignore=left_out)


def run(command, cwd, env=None):
    """The standard output of `command`; on failure its output is shown and the test ends."""
    words = [str(word) for word in command]
    begin = time.monotonic()
    result = subprocess.run(words, cwd=cwd, env=env, text=True, capture_output=True, check=False)
    print(f"{time.monotonic() - begin:6.1f} s  {' '.join(words)}", flush=True)
    if result.returncode != 0:
        print(result.stdout[-4000:], result.stderr[-4000:], sep="\n", file=sys.stderr)
        sys.exit(f"FAILED ({result.returncode}): {' '.join(words)}")
    return result.stdout


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def check_report(text, quick):
    report = json.loads(text)
    expect(report["schema"] == "sosia.reproduce/1", f"schema is {report['schema']}")
    roles = [row["role"] for row in report["rows"]]
    expect(sorted(roles) == ["ablation", "control", "method", "oracle"], f"roles are {roles}")
    rows = {row["role"]: row["metrics"]["accuracy"] for row in report["rows"]}
    expect(all(len(row["seeds"]) >= 3 for row in report["rows"]), "fewer than three seeds")
    expect(abs(rows["control"] - 0.5) < 0.1, f"the control is right {rows['control']} of the time")
    expect(rows["method"] < rows["oracle"] + 0.05, "the method beats the best possible rule")
    expect(report["verdict"] == "shown", f"verdict is {report['verdict']}")
    expect(any("--quick" in line for line in report["warnings"]) == quick, "the warning of --quick")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--room", default="evaluate")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    work = args.build_dir.resolve() / "template_test"
    checkout, build = work / "checkout", work / "build"
    copy_checkout(args.source.resolve(), checkout)

    run([sys.executable, "tools/new_method.py", args.room, METHOD], checkout)
    rooms = import_table.closure(
        import_table.read(checkout / "cmake" / "rooms.cmake"), [args.room, "cli"])
    # Objects without debug lines are the same wherever the checkout lies, so ccache can give them.
    env = dict(os.environ, CCACHE_BASEDIR=str(work), CCACHE_NOHASHDIR="1")
    run(["cmake", "-S", checkout, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
         "-DCMAKE_CXX_FLAGS_DEBUG=-O0", f"-DSOSIA_ONLY_ROOMS={';'.join(rooms)}",
         "-DSOSIA_BUILD_BENCH=OFF"], work, env)
    test = f"test_{args.room}_{METHOD}"
    run(["cmake", "--build", build, "--parallel", args.jobs, "--target", "program",
         "sosia_papers", test], work, env)

    run([build / "bin" / test, "--gtest_brief=1"], work)
    sosia = build / "bin" / "sosia"
    for options in (["--quick"], []):
        check_report(run([sosia, "reproduce", METHOD, "--json", "--no-config", *options], work),
                     quick=bool(options))
    papers = json.loads(run([sosia, "papers", METHOD, "--json"], work))["papers"]
    expect([paper["state"] for paper in papers] == ["faithful"], f"the card's state: {papers}")
    shutil.rmtree(work)
    print("ok: a method that starts from the template builds, passes its test and shows its claim")


if __name__ == "__main__":
    main()
