#!/usr/bin/env python3
"""Runs a command and sends it SIGINT once it can take it: interrupt.py [--twice] command...

Ctrl-C in a terminal without the terminal and without guessing a time: the signal is sent half a
second after the command has installed its handler, and with --twice again as soon as the first one
has been delivered. The exit status is the command's, 128 + n when a signal ended it.
"""

import signal
import subprocess
import sys
import time


def mask(pid, name):
    """A set of signals of the process, as /proc shows it."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            key, _, value = line.partition(":")
            if key == name:
                return int(value, 16)
    return 0


def wait_for(process, name, wanted):
    bit = 1 << (signal.SIGINT - 1)
    deadline = time.monotonic() + 60
    while process.poll() is None and bool(mask(process.pid, name) & bit) != wanted:
        if time.monotonic() > deadline:
            process.kill()
            raise SystemExit(f"interrupt.py: {name} did not change within a minute")
        time.sleep(0.005)


def main():
    words = sys.argv[1:]
    twice = words[0] == "--twice"
    process = subprocess.Popen(words[twice:])
    wait_for(process, "SigCgt", True)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    if twice:
        wait_for(process, "ShdPnd", False)
        process.send_signal(signal.SIGINT)
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
