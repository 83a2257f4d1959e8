"""What the tests of the models room share: the program, its weights, safetensors in numpy."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import unittest

import numpy as np

SOSIA = os.environ.get("SOSIA_BINARY")
ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / ".venv/share/sosia/models"
sys.path.append(str(ROOT / ".venv/share/sosia/oracles"))


def run_json(*words):
    """The JSON that `sosia WORDS... --json` prints."""
    command = [SOSIA, *map(str, words), "--json", "--no-config"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if result.returncode != 0:
        raise AssertionError(f"exit {result.returncode}: {result.stderr}")
    return json.loads(result.stdout)


def need(card):
    """Skips unless the program has the models room and the card's file is there."""
    found = subprocess.run([SOSIA, "models", "list", "--json", "--no-config"], capture_output=True,
                           text=True, check=False)
    if found.returncode != 0:
        raise unittest.SkipTest("this build has no models room (OpenVINO is absent)")
    files = {row["name"]: row["file"] for row in json.loads(found.stdout)["models"]}
    if files.get(card) != "present":
        raise unittest.SkipTest(f"the weights of {card} are not here: make setup")


def read_safetensors(path):
    data = path.read_bytes()
    size, = struct.unpack("<Q", data[:8])
    kinds = {"F32": "<f4", "U8": "u1"}
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[8 + size + begin:8 + size + end],
                                      kinds[entry["dtype"]]).reshape(entry["shape"])
    return tensors
