"""Runs odcs-server from outside: starts it with a configuration, sends HTTP requests, reads /proc and
its log.
"""
import http.client
import json
import os
import subprocess
import threading
import time
import urllib.request
from urllib.parse import urlsplit


class ComposeFailed(Exception):
    pass


class Server:
    """One process of odcs-server."""

    def __init__(self, program, directory, role, settings, address_file=None):
        self.log_file = f"{directory}/{role}.log"
        self._lines = []
        self._said = threading.Condition()
        configuration = f"{directory}/{role}.yaml"
        with open(configuration, "w") as stream:
            json.dump(settings, stream, indent=1)  # JSON is also YAML
        command = [program, role.split("-")[0], "--config", configuration]
        if address_file:
            command += ["--address-file", address_file]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with open(self.log_file, "a") as log:
            for line in self.process.stderr:
                with self._said:
                    self._lines.append((time.perf_counter(), line))
                    self._said.notify_all()
                log.write(line)

    def when_said(self, text, since=0, patience=60):
        """Waits for a log line with that text, and returns the time at which it came.

        A line that came before `since` does not count. Both times are values of time.perf_counter().
        Raises TimeoutError after `patience` seconds.
        """
        deadline = time.perf_counter() + patience
        with self._said:
            while True:
                for moment, line in self._lines:
                    if moment >= since and text in line:
                        return moment
                if not self._said.wait(max(0, deadline - time.perf_counter())):
                    raise TimeoutError(f"the server did not log {text!r}; see {self.log_file}")

    def moments(self, text, since=0):
        """Returns the times at which log lines with that text came."""
        with self._said:
            return [moment for moment, line in self._lines if moment >= since and text in line]

    def memory(self):
        """Returns figures of memory in MiB, by their names in /proc.

        VmRSS is the resident memory, RssAnon its part without mapped files. VmHWM is the peak since
        `forget_peak`.
        """
        fields = {}
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                name, _, value = line.partition(":")
                if name in ("VmRSS", "RssAnon", "VmHWM"):
                    fields[name] = int(value.split()[0]) / 1024
        return fields

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as stream:
            stream.write("5")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self._reader.join(10)


class Service:
    """A whole service with one state directory and one database.

    Frontend and worker are one process, or there is a frontend process and any number of worker
    processes.
    """

    def __init__(self, program, directory, database, roots, workers=None, settings=None):
        """Starts the service. If `workers` is None, one process does everything.

        If it is 0, there is only a frontend.
        """
        self.directory = directory
        self.processes = []
        os.makedirs(directory, exist_ok=True)
        self._settings = {
            "state_directory": f"{directory}/state",
            "database": {"url": database},
            # All load comes from one address. By default the number of its waiting composes is limited.
            "frontend": {"host": "127.0.0.1", "port": 0, "waiting_per_caller": 0, "watches_per_caller": 0},
            "sources": {"allowed_roots": roots},
            "worker": {"expire_seconds": 3600},
        }
        for section, values in (settings or {}).items():
            self._settings.setdefault(section, {}).update(values)
        self._program = program
        address_file = f"{directory}/address"
        if os.path.exists(address_file):
            os.remove(address_file)
        self.frontend = self._start("run" if workers is None else "frontend", address_file)
        self.url = self._address(address_file)
        self._connection = None
        self.workers = [self.frontend] if workers is None else []
        for number in range(workers or 0):
            self.add_worker(number)

    def add_worker(self, number):
        self._settings["frontend"]["public_url"] = self.url
        self._settings["worker"]["name"] = f"worker-{number}"
        worker = self._start(f"worker-{number}")
        self.workers.append(worker)
        worker.when_said("worker runs")

    def _start(self, role, address_file=None):
        process = Server(self._program, self.directory, role, self._settings, address_file)
        self.processes.append(process)
        return process

    def _address(self, file):
        while not (os.path.exists(file) and os.path.getsize(file)):
            if self.frontend.process.poll() is not None:
                self.frontend.stop()
                raise RuntimeError(f"the server did not start; see {self.frontend.log_file}")
            time.sleep(0.005)
        with open(file) as stream:
            return stream.read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()

    def call(self, method, path, body=None):
        """Sends a request and returns the JSON of the answer. Keeps one connection for all requests.

        Raises RuntimeError if the status is 300 or more.
        """
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        try:
            self._connection.request(method, path, body=None if body is None else json.dumps(body))
            answer = self._connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            # The server closes a connection that was idle for half a minute.
            self._connection.close()
            self._connection.request(method, path, body=None if body is None else json.dumps(body))
            answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]}")
        return json.loads(content)

    def submit(self, body):
        return self.call("POST", "/api/1/composes/", body)

    def wait(self, compose):
        """Waits until the compose has ended, and returns it.

        The service answers when it has ended, as it does for `odcs wait`. If too many clients wait, it
        answers at once. Then the compose is polled.
        """
        while compose["state_name"] in ("wait", "generating"):
            compose = self.call("GET", f"/api/1/composes/{compose['id']}?wait=30")
            if compose["state_name"] in ("wait", "generating"):
                time.sleep(0.02)
        return compose

    def compose(self, body):
        """Makes a compose. Returns the seconds from the POST until a client sees it done, and the compose."""
        begin = time.perf_counter()
        compose = self.wait(self.submit(body))
        took = time.perf_counter() - begin
        if compose["state_name"] != "done":
            raise ComposeFailed(compose["state_reason"])
        return took, compose

    def phase(self, name, body):
        """Makes a compose, and returns the seconds that the worker spent on that phase."""
        before = self._phase(name)
        compose = self.wait(self.submit(body))
        if compose["state_name"] != "done":
            raise ComposeFailed(compose["state_reason"])
        while (after := self._phase(name))[0] == before[0]:
            time.sleep(0.01)
        return after[1] - before[1]

    def _phase(self, name):
        """Returns how many times all workers have completed that phase, and the sum of the seconds."""
        with urllib.request.urlopen(f"{self.url}/api/1/metrics/") as answer:
            lines = answer.read().decode().splitlines()
        values = [0.0, 0.0]
        for line in lines:
            for index, suffix in enumerate(("count", "sum")):
                if line.startswith(f'odcs_phase_duration_seconds_{suffix}{{phase="{name}"}}'):
                    values[index] = float(line.split()[-1])
        return values

    def repository(self, compose, tree="x86_64/os"):
        """Returns the directory of the compose's packages on this machine."""
        return f"{self.directory}/state/composes/odcs-{compose['id']}/compose/Temporary/{tree}"


def of_repository(path, packages=(), flags=(), **more):
    """Returns the body of a request for a compose of a repository. The request does not reuse a result."""
    source = {"type": "repo", "source": path}
    if packages:
        source["packages"] = list(packages)
    return {"source": source, "flags": ["no_reuse", *flags], **more}
