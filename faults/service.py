"""A service of several processes of odcs-server, which can be killed, stopped and started again."""
import http.client
import itertools
import json
import os
import signal
import subprocess
import threading
import time
import uuid

from children import ending_with_caller
from ports import free_port

TESTS_REPO = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests-repo")

# Traps end a process without a report of its threads, which takes a minute.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "SWIFT_BACKTRACE": "enable=no", "no_proxy": "127.0.0.1"}

# Root runs a program with this without any right of root, as a unit of the Debian package does. The
# program keeps the files of root, because it may lie in a directory that no other user can enter.
WITHOUT_RIGHTS_OF_ROOT = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] if os.geteuid() == 0 else []


class Process:
    """One process of odcs-server. It can be started again after its end."""

    def __init__(self, program, role, configuration, log, port=None, environment=None):
        self.program, self.role, self.configuration, self.log, self.port = program, role, configuration, log, port
        self.environment = {**os.environ, **_ENVIRONMENT, **(environment or {})}
        self.process = None
        # A command that runs the program, such as WITHOUT_RIGHTS_OF_ROOT.
        self.wrapper = []
        # The exit statuses of the runs that nobody killed.
        self.ends = []

    @property
    def pid(self):
        return self.process.pid

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    def start(self, ready=True):
        with open(self.log, "ab") as log:
            self._begin = log.tell()
            self.process = subprocess.Popen(
                ending_with_caller([*self.wrapper, self.program, self.role, "--config", self.configuration]),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=self.environment,
            )
        if ready:
            self.when_ready()

    def when_ready(self, patience=120):
        word = "worker runs" if self.role == "worker" else "listening"
        self.when_said(word, patience)

    def when_said(self, word, patience=120):
        """Waits until this run of the process has logged `word`."""
        deadline = time.monotonic() + patience
        while word not in self.said():
            if not self.runs:
                raise RuntimeError(f"{self.role} ended before it was ready; see {self.log}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.role} did not log {word!r} in {patience} seconds; see {self.log}")
            time.sleep(0.02)

    def said(self):
        """Returns what this run of the process has logged."""
        with open(self.log, "rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, patience=60):
        """Asks the process to end. Returns the seconds that this took."""
        began = time.monotonic()
        if self.runs:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(f"{self.role} did not end in {patience} seconds; see {self.log}") from None
            self.ends.append(self.process.returncode)
        return time.monotonic() - began


class Answer:
    def __init__(self, status, body):
        self.status, self.body = status, body

    @property
    def json(self):
        return json.loads(self.body)


class Service:
    """Frontends and workers that share a database and a target directory."""

    def __init__(self, program, directory, database, frontends=2, workers=2, settings=None, environments=None):
        """Writes the configurations.

        Args:
            database: The connection string of PostgreSQL, or None for a cluster of the service's own. Then
                one process does everything.
            environments: Variables for some processes, by their names such as `worker-0`.
        """
        self.program, self.directory = program, directory
        self.target = f"{directory}/composes"
        self.cache = f"{directory}/cache"
        os.makedirs(self.target, exist_ok=True)
        # PostgreSQL may run as another user, who must be able to enter.
        os.chmod(directory, 0o755)
        ports = [free_port() for _ in range(frontends)]
        self.settings = {
            "state_directory": directory,
            "database": {"url": database or ""},
            "frontend": {
                "host": "127.0.0.1", "public_url": f"http://127.0.0.1:{ports[0]}", "waiting_per_caller": 0, "watches_per_caller": 0,
            },
            "composes": {"targets": {"default": {"directory": self.target}}},
            "sources": {"allowed_roots": [TESTS_REPO], "allowed_urls": [], "cache_directory": self.cache},
            # A compose is not given up, however often its worker is killed.
            "worker": {"expire_seconds": 1, "attempts": 100, "retry_seconds": 1},
            "events": {},
        }
        for section, values in (settings or {}).items():
            self.settings.setdefault(section, {}).update(values)
        environments = environments or {}
        role = "frontend" if database else "run"
        self.frontends = [self._process(role, f"frontend-{i}", port, environments) for i, port in enumerate(ports)]
        self.workers = []
        for i in range(workers if database else 0):
            self.workers.append(self._process("worker", f"worker-{i}", None, environments))
        self._turn = itertools.count()

    def _process(self, role, name, port, environments):
        settings = {**self.settings, "worker": {**self.settings["worker"], "name": name}}
        if port:
            settings["frontend"] = {**settings["frontend"], "port": port}
        configuration = f"{self.directory}/{name}.yaml"
        with open(configuration, "w") as stream:
            json.dump(settings, stream, indent=1)  # JSON is also YAML
        return Process(self.program, role, configuration, f"{self.directory}/{name}.log", port, environments.get(name))

    def worker(self, name, environment=None):
        """Adds a worker, which does not run yet."""
        process = self._process("worker", name, None, {name: environment})
        self.workers.append(process)
        return process

    @property
    def processes(self):
        return self.frontends + self.workers

    def start(self):
        # The first frontend brings the database up to date.
        self.frontends[0].start()
        for process in self.processes[1:]:
            process.start(ready=False)
        for process in self.processes[1:]:
            process.when_ready()
        return self

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.runs:
                process.thaw()
                try:
                    process.stop(30)
                except RuntimeError as error:
                    print(error, flush=True)

    # Requests.

    def once(self, method, path, body=None, headers=None, timeout=60, port=None):
        """Sends a request as a load balancer does, with a connection of its own.

        If a frontend refuses the connection, the next one is tried. Any other failure is that of the
        request, and raises an OSError or HTTPException.
        """
        ports = [port] if port else [frontend.port for frontend in self.frontends]
        first = next(self._turn)
        for i in range(len(ports)):
            connection = http.client.HTTPConnection("127.0.0.1", ports[(first + i) % len(ports)], timeout=timeout)
            try:
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    if i + 1 == len(ports):
                        raise
                    continue
                connection.request(method, path, None if body is None else json.dumps(body), headers or {})
                answer = connection.getresponse()
                return Answer(answer.status, answer.read())
            finally:
                connection.close()
        raise AssertionError("there is no frontend")

    def call(self, method, path, body=None, patience=120, key=None):
        """Sends a request, again and again until it has an answer that is not 5xx, as a patient client does.

        A POST has an Idempotency-Key, so that it counts once.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex} if method == "POST" else {}
        deadline = time.monotonic() + patience
        problem = None
        while time.monotonic() < deadline:
            try:
                answer = self.once(method, path, body, headers)
                if answer.status < 500:
                    return answer
                problem = f"{answer.status} {answer.body[:200]}"
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            time.sleep(0.1)
        raise RuntimeError(f"{method} {path} was not answered in {patience} seconds: {problem}")

    def submit(self, body):
        """Submits a compose, and returns its id."""
        answer = self.call("POST", "/api/1/composes/", body)
        if answer.status != 200:
            raise RuntimeError(f"POST: {answer.status} {answer.body[:300]}")
        return answer.json["id"]

    def show(self, compose):
        return self.call("GET", f"/api/1/composes/{compose}").json

    def when(self, compose, *states, patience=120):
        """Waits until the compose is in one of these states. Returns it."""
        deadline = time.monotonic() + patience
        while True:
            shown = self.show(compose)
            if shown["state_name"] in states:
                return shown
            if time.monotonic() > deadline:
                raise RuntimeError(f"compose {compose} is {shown['state_name']}, not {states}: {shown['state_reason']}")
            time.sleep(0.1)

    def ends(self, compose, patience=120):
        return self.when(compose, "done", "failed", "removed", patience=patience)


class Visitor:
    """A client that asks again and again while a fault lasts, and notes how long each answer took."""

    def __init__(self, service, path="/api/1/composes/?per_page=5", interval=0.1):
        self.times, self.failures = [], []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(service, path, interval), daemon=True)

    def _run(self, service, path, interval):
        while not self._ended.wait(interval):
            began = time.monotonic()
            try:
                answer = service.once("GET", path)
                if answer.status != 200:
                    self.failures.append(f"{answer.status} {answer.body[:100]}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            self.times.append(time.monotonic() - began)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(70)


def of_repository(source, *packages, **more):
    """Returns the body of a request for a compose of a repository."""
    asked = {"type": "repo", "source": source}
    if packages:
        asked["packages"] = list(packages)
    return {"source": asked, **more}
