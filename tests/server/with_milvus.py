#!/usr/bin/env python3
"""Runs a test program beside a real Milvus server on loopback, and stops the server whatever happens.

    with_milvus.py --server .venv-milvus/bin/milvus-server PROGRAM

The program finds the server in the environment: SOSIA_TEST_MILVUS is "127.0.0.1:PORT" and
SOSIA_TEST_MILVUS_MANAGEMENT the other port. It is run three times: all tests but ServerRestart.*,
then ServerRestart.Write, and after a restart of the server ServerRestart.Read.

Ports are free ones but for two that milvus-server takes itself: the management port (the first free
one from 9091) and 2380 of its etcd. The data live in a temporary folder. Exit status 77 (skipped)
when the server is not installed.
"""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PORTS = ("etcd", "root-coord", "proxy", "proxy-internal", "query-coord", "query-node",
         "index-coord", "index-node", "data-coord", "data-node")
START_S = 120


def free_ports(count):
    """Ports that nobody listens on; all are held at once, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()] if path.exists() else []


class Server:
    """milvus-server in a process group of its own. A guard process ends the group when this process
    dies in a way that leaves it no time to clean up."""

    def __init__(self, command, data):
        self.command, self.data = command, data
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.process = None
        self.guard = None

    def start(self):
        words = [self.command, "--data", str(self.data)]
        for name, port in self.ports.items():
            words += [f"--{name}-port", str(port)]
        # Strong reads wait for the next tick (the server's default is 200 ms), and loading for the
        # next look at what is to be loaded (1000 and 500 ms).
        for setting in ("proxy.timeTickInterval=50", "queryCoord.checkInterval=100",
                        "queryCoord.distPullInterval=100"):
            words += ["--extra-config", setting]
        with open(self.data / "server.log", "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        self.guard = self._start_guard(self.process.pid)
        return self._wait()

    def _start_guard(self, group):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.close(write_end)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            if os.read(read_end, 1) == b"":  # the parent is gone without a word
                try:
                    os.killpg(group, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                shutil.rmtree(self.data, ignore_errors=True)
            os._exit(0)
        os.close(read_end)
        return pid, write_end

    def _management_port(self):
        """milvus-server chooses it and tells its child alone."""
        for pid in children(self.process.pid):
            try:
                environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            for entry in environment:
                if entry.startswith(b"METRICS_PORT="):
                    return int(entry.split(b"=")[1])
        return None

    def _wait(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"milvus-server ended with {self.process.returncode}")
            port = self._management_port()
            try:
                if port is not None:
                    url = f"http://127.0.0.1:{port}/healthz"
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        if answer.read() == b"OK":
                            return port
            except OSError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"milvus-server was not ready within {START_S} s")

    def stop(self):
        if self.process is None:
            return
        for number, wait_s in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            end = time.monotonic() + wait_s
            while time.monotonic() < end:
                self.process.poll()  # takes the exit status, so that no zombie keeps the group
                try:
                    os.killpg(self.process.pid, 0)
                except (ProcessLookupError, PermissionError):
                    break
                time.sleep(0.1)
        self.process.wait()
        pid, write_end = self.guard
        os.write(write_end, b"x")
        os.close(write_end)
        os.waitpid(pid, 0)
        self.process = None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    args = parser.parse_args()
    if not os.access(args.server, os.X_OK):
        print(f"skipped: {args.server} is not installed; `make test-server` installs it")
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    data = pathlib.Path(tempfile.mkdtemp(prefix="sosia-milvus-"))
    server = Server(args.server, data)
    status = 1

    def run(management, *words):
        environment = dict(os.environ, SOSIA_TEST_MILVUS=f"127.0.0.1:{server.ports['proxy']}",
                           SOSIA_TEST_MILVUS_MANAGEMENT=str(management))
        return subprocess.run([args.program, *words, *args.arguments], env=environment,
                              check=False).returncode

    def timed(what, action):
        begin = time.monotonic()
        result = action()
        print(f"==== {what}: {time.monotonic() - begin:.1f} s", flush=True)
        return result

    try:
        management = timed("server started", server.start)
        if args.arguments:  # a hand-made choice of tests
            status = run(management)
            return status
        status = timed("tests", lambda: run(management, "--gtest_filter=-ServerRestart.*"))
        if run(management, "--gtest_filter=ServerRestart.Write") != 0:
            status = status or 1
        timed("server stopped", server.stop)
        management = timed("server started again", server.start)
        if run(management, "--gtest_filter=ServerRestart.Read") != 0:
            status = status or 1
    except RuntimeError as error:
        print(error)
        log = data / "server.log"
        if log.exists():
            print(log.read_text(errors="replace")[-3000:])
        status = 1
    finally:
        server.stop()
        shutil.rmtree(data, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
