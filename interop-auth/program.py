"""A program that runs in the background until a test or the suite ends it."""

import os
import signal
import subprocess
import threading


class Program:
    """Starts a program, and waits for a line with `sign` in its log."""

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
        ready.wait(timeout=120)
        assert self.process.poll() is None, f"{self.command[0]} did not start:\n{self.log.read_text()}"

    def _read(self, ready):
        with open(self.log, "a") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                if self.sign in line:
                    ready.set()
        ready.set()

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=30)
        self.reader.join(timeout=30)
