"""A program that a test starts, with its output in a file."""

import re
import subprocess
import time

from children import ending_with_caller


class Program:
    def __init__(self, command, log, ready, environment=None, patience=120):
        """Starts a program, and waits until its output matches the pattern `ready`."""
        self.command, self.log, self.ready = command, log, re.compile(ready)
        self.environment, self.patience = environment, patience
        self.process = None
        self.start()

    def start(self):
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            command = ending_with_caller(self.command)
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=self.environment)
        self.wait_for(self.ready, begin)

    def text(self, begin=0):
        return self.log.read_bytes()[begin:].decode(errors="replace")

    def wait_for(self, pattern, begin=0):
        """Waits until the output after the byte `begin` matches, and returns the match."""
        end = time.monotonic() + self.patience
        while True:
            match = re.search(pattern, self.text(begin))
            if match:
                return match
            status = self.process.poll()
            assert status is None, f"{self.command[0]} ended with {status}:\n{self.text()[-3000:]}"
            assert time.monotonic() < end, f"{self.command[0]} did not write {pattern}:\n{self.text()[-3000:]}"
            time.sleep(0.05)

    def size(self):
        return self.log.stat().st_size

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends the program as systemd does, and returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=60)
