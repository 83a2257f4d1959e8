#!/usr/bin/env python3
"""Runs every example of help, and every ```sh block of README.md, in a folder with the fixtures."""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import fixtures
from run import environment


def examples_of(sosia):
    """All examples, from the verb indexes beside the modules and from the general reference page."""
    commands = []
    for index in fixtures.indexes(sosia):
        for verb in json.loads(index.read_text())["verbs"]:
            commands += [example["command"] for example in verb["examples"]]
    for noun in ("general", "config"):
        page = subprocess.run([sosia, "help", "--markdown", noun], capture_output=True, text=True,
                              check=True).stdout
        commands += re.findall(r"^```\n(sosia .*)\n```$", page, re.M)
    return list(dict.fromkeys(commands))


def readme_blocks(source, sosia):
    """The blocks whose rooms this build has."""
    text = (source / "README.md").read_text(encoding="utf-8")
    table = (source / "cmake" / "rooms.cmake").read_text(encoding="utf-8")
    rooms = set(re.findall(r"^sosia_room\((\w+)", table, re.M))
    built = {path.name.split(".")[0] for path in fixtures.indexes(sosia)}
    return [block for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
            if not set(re.findall(r"\bsosia (\w+)", block)) & rooms - built]


def absent_features(sosia):
    """The optional libraries that this build was made without."""
    version = subprocess.run([sosia, "--version", "--json"], capture_output=True, text=True,
                             check=True).stdout
    return [name for name, feature in json.loads(version)["features"].items()
            if not feature["found"]]


def lacks_feature(result, absent):
    """Whether the command ended because of one of them, which it named."""
    return result.returncode == 4 and any(name in result.stderr for name in absent)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sosia", required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    args = parser.parse_args()
    absent = absent_features(args.sosia)
    commands = examples_of(args.sosia) + readme_blocks(args.source, args.sosia)
    failures = skipped = 0
    for command in commands:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            fixtures.make_all(folder, args.sosia)
            result = subprocess.run(["bash", "-ec", command], cwd=folder, text=True,
                                    capture_output=True, timeout=600, stdin=subprocess.DEVNULL,
                                    env=environment(args.sosia, folder))
        if lacks_feature(result, absent):
            skipped += 1
            print(f"skipped, the build lacks a feature: {command}")
        elif result.returncode != 0:
            failures += 1
            print(f"FAILED (exit {result.returncode}): {command}\n{result.stdout}{result.stderr}")
    print(f"{len(commands) - failures - skipped} passed, {skipped} skipped, {failures} failed")
    return 1 if failures or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
