#!/usr/bin/env python3
"""`sosia` starts light: no heavy library among its ELF dependencies, and help opens no module."""

import argparse
import os
import re
import subprocess
import sys

HEAVY = r"torch|c10|openvino|arrow|parquet|llama|ggml|opencv|avcodec|turbojpeg|httplib|libssl|libcrypto"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sosia", required=True)
    args = parser.parse_args()
    needed = subprocess.run(["ldd", args.sosia], capture_output=True, text=True, check=True).stdout
    # Names only: the addresses behind them are hexadecimal and may well hold "c10".
    names = [line.split()[0] for line in needed.splitlines() if line.strip()]
    heavy = [name for name in names if re.search(HEAVY, name)]
    if "libsosia_core" not in needed:
        print("unexpected: libsosia_core is not among the dependencies\n" + needed)
        return 1
    # The loader's own trace names every library that a command opens.
    env = dict(os.environ, LD_DEBUG="files")
    for words in (["--help"], ["papers"], ["evaluate", "-h"]):
        trace = subprocess.run([args.sosia, *words], capture_output=True, text=True, env=env,
                               check=False).stderr
        opened = set(re.findall(r"libsosia_(\w+)\.so", trace)) - {"core"}
        if opened:
            heavy.append(f"sosia {' '.join(words)} opened {sorted(opened)}")
        if "libsosia_core" not in trace:
            heavy.append("the loader gave no trace: the check sees nothing")
    print(*heavy, sep="\n")
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
