#!/usr/bin/env python3
"""Runs a command whose standard output is a terminal, and prints what it wrote: terminal.py command...

Line ends are as the command wrote them. The exit status is the command's.
"""

import os
import subprocess
import sys


def main():
    ours, its = os.openpty()
    process = subprocess.Popen(sys.argv[1:], stdout=its)
    os.close(its)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # how the end looks on Linux
        pass
    sys.stdout.buffer.write(text.replace(b"\r\n", b"\n"))
    return process.wait()


if __name__ == "__main__":
    sys.exit(main())
