"""A program that runs in the background until a test or the suite ends it."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time


class Program:
    """Starts a program, and waits until it is ready.

    `sign` is a part of the line by which its log says so, or the address and port at which it listens.
    """

    def __init__(self, command, log, sign, variables=None):
        self.command = command
        self.log = log
        self.sign = sign
        self.variables = variables or {}
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        self.reader = threading.Thread(target=self._read, args=[ready], daemon=True)
        self.reader.start()
        if isinstance(self.sign, tuple):
            self._wait_for_address()
        else:
            ready.wait(timeout=120)
        assert self.process.poll() is None, f"{self.command[0]} did not start:\n{self.log.read_text()}"

    def _wait_for_address(self):
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(self.sign, timeout=1):
                return
            time.sleep(0.05)

    def _read(self, ready):
        with open(self.log, "a") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                if isinstance(self.sign, str) and self.sign in line:
                    ready.set()
        ready.set()

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=30)
        self.reader.join(timeout=30)
