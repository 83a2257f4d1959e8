#!/usr/bin/env python3
"""Runs one text file of command-line tests.

    # a comment
    $ sosia papers --json            a command (shell words; pipes and redirections work)
    exit 0                           expected exit status (default 0)
    stdout> text                     a line that must occur in standard output, as a substring
    stdout~ regex                    a regular expression that must match in it
    stdout! text                     must not occur
    stderr> / stderr~ / stderr!      the same for standard error
    json {"a": {"b": 1}}             standard output is one JSON document that contains this;
                                     "..." stands for any value
    empty stdout                     nothing at all (also: empty stderr)
    width 40                         no line of standard output is wider
    file NAME                        the file exists afterwards
    no file NAME                     it does not

Every command runs in one fresh folder per test file that holds the generated fixtures, with no
configuration of the user. `sosia`, `interrupt.py` and `terminal.py` are on PATH.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import fixtures


def contains(actual, wanted, path=""):
    """Why `actual` does not contain `wanted`, or None."""
    if wanted == "...":
        return None
    if isinstance(wanted, dict):
        if not isinstance(actual, dict):
            return f"{path}: expected an object, found {actual!r}"
        for key, value in wanted.items():
            if key not in actual:
                return f"{path}.{key}: missing"
            problem = contains(actual[key], value, f"{path}.{key}")
            if problem:
                return problem
        return None
    if isinstance(wanted, list):
        if not isinstance(actual, list) or len(actual) < len(wanted):
            return f"{path}: expected a list of at least {len(wanted)}, found {actual!r}"
        for index, value in enumerate(wanted):
            problem = contains(actual[index], value, f"{path}[{index}]")
            if problem:
                return problem
        return None
    return None if actual == wanted else f"{path}: expected {wanted!r}, found {actual!r}"


def parse(text):
    """[(line number, command, [(line number, expectation)])]"""
    cases = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("$ "):
            cases.append((number, line[2:], []))
        elif not cases:
            raise SystemExit(f"line {number}: an expectation before any command")
        else:
            cases[-1][2].append((number, line))
    return cases


def check(expectation, result, folder):
    """Why the expectation fails, or None."""
    streams = {"stdout": result.stdout, "stderr": result.stderr}
    match = re.fullmatch(r"(stdout|stderr)([>~!]) ?(.*)", expectation)
    if match:
        name, kind, wanted = match.groups()
        text = streams[name]
        found = re.search(wanted, text, re.M) if kind == "~" else wanted in text
        if bool(found) == (kind == "!"):
            return f"{name} {'holds' if kind == '!' else 'lacks'} {wanted!r}"
        return None
    word, _, rest = expectation.partition(" ")
    if word == "json":
        try:
            document = json.loads(result.stdout)
        except ValueError as error:
            return f"stdout is not one JSON document: {error}"
        return contains(document, json.loads(rest))
    if word == "empty":
        return f"{rest} is not empty" if streams[rest] else None
    if word == "width":
        wide = [line for line in result.stdout.splitlines() if len(line) > int(rest)]
        return f"wider than {rest}: {wide[0]!r}" if wide else None
    if expectation.startswith("file "):
        return None if (folder / rest).exists() else f"{rest} does not exist"
    if expectation.startswith("no file "):
        name = expectation[len("no file "):]
        return f"{name} exists" if (folder / name).exists() else None
    if word == "exit":
        return None
    raise SystemExit(f"unknown expectation: {expectation}")


# What is measured once per machine (costs of steps of a language model) is measured once per test.
_cache = tempfile.TemporaryDirectory()


def environment(sosia, folder):
    env = {key: value for key, value in os.environ.items()
           if not key.startswith("SOSIA_") and key not in ("NO_COLOR", "COLUMNS")}
    here = pathlib.Path(__file__).resolve().parent
    env["PATH"] = os.pathsep.join([str(pathlib.Path(sosia).resolve().parent), str(here), env["PATH"]])
    env["HOME"] = env["XDG_CONFIG_HOME"] = str(folder / "home")
    env["XDG_CACHE_HOME"] = _cache.name
    return env


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sosia", required=True)
    parser.add_argument("script", type=pathlib.Path)
    args = parser.parse_args()
    failures = 0
    cases = parse(args.script.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        fixtures.make_all(folder, args.sosia)
        for number, command, expectations in cases:
            result = subprocess.run(["bash", "-c", command], cwd=folder, text=True,
                                    capture_output=True, timeout=600, stdin=subprocess.DEVNULL,
                                    env=environment(args.sosia, folder), errors="replace")
            wanted = next((int(line.split()[1]) for _, line in expectations
                           if line.startswith("exit ")), 0)
            problems = [] if result.returncode == wanted else [
                (number, f"exit status {result.returncode}, expected {wanted}")]
            for at, expectation in expectations:
                problem = check(expectation, result, folder)
                if problem:
                    problems.append((at, problem))
            if problems:
                failures += 1
                print(f"{args.script.name}:{number}: $ {command}")
                for at, problem in problems:
                    print(f"  line {at}: {problem}")
                print("  --- stdout ---\n" + result.stdout + "  --- stderr ---\n" + result.stderr)
    print(f"{len(cases) - failures} passed, {failures} failed")
    return 1 if failures or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
