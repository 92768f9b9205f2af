"""The composes that the campaign asks for: equal ones that join, short lives, cancels and renewals."""
import random
import threading
import time

from service import TESTS_REPO, of_repository

# Packages of tests-repo. Composes of them differ, and some pull in others.
NAMES = [
    "ed", "libed", "libed-data", "ed-doc", "ed-spell", "ed-tools", "ed-tutor", "ed-words", "ed-vi", "ed-emacs", "ed-macros",
    "ed-classic", "libed++", "libed-devel", "ed-ng", "ed-legacy",
]


class Load:
    """Clients that submit composes one after the other. Each choice depends on the seed only."""

    def __init__(self, service, count, seed, clients=4, source=TESTS_REPO, pace=0, lives=(3, 10, 3600, 7200, 7200)):
        self.accepted, self.canceled, self.renewed, self.refused = [], 0, 0, []
        self.problems = []
        self._service, self._source, self._pace, self._lives = service, source, pace, lives
        self._dice = random.Random(seed)
        self._left = count
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    @property
    def runs(self):
        return any(thread.is_alive() for thread in self._threads)

    def stop(self):
        """Submits nothing more."""
        self._ended.set()
        self.join()

    def join(self):
        for thread in self._threads:
            thread.join()
        if self.problems:
            raise RuntimeError(f"a client was not answered: {self.problems[0]}")

    def _run(self):
        while not self._ended.is_set():
            with self._lock:
                if not self._left:
                    return
                self._left -= 1
                body, fate = self._request(), self._dice.random()
                older = self._dice.choice(self.accepted) if self.accepted else None
            try:
                self._make(body, fate, older)
            except Exception as error:
                self.problems.append(error)
                return
            if self._pace:
                time.sleep(self._pace)

    def _request(self):
        dice = self._dice
        packages = sorted(dice.sample(NAMES, dice.choice([1, 1, 2, 3])))
        if dice.random() < 0.02:
            packages = ["no-such-package"]
        body = of_repository(self._source, *packages)
        # Of the others, equal ones join or show the same result.
        if dice.random() < 0.6:
            body["flags"] = ["no_reuse"]
        body["seconds_to_live"] = dice.choice(self._lives)
        return body

    def _make(self, body, fate, older):
        if older and fate < 0.08:
            answer = self._service.call("PATCH", f"/api/1/composes/{older}", {"seconds_to_live": 7200})
            if answer.status == 200:
                with self._lock:
                    self.accepted.append(answer.json["id"])
                    self.renewed += 1
            else:
                # One that is not final yet cannot be renewed.
                self.refused.append(answer.status)
            return
        compose = self._service.submit(body)
        with self._lock:
            self.accepted.append(compose)
        if fate > 0.92:
            # A compose that has ended meanwhile is deleted instead.
            status = self._service.call("DELETE", f"/api/1/composes/{compose}").status
            if status == 202:
                self.canceled += 1
            else:
                self.refused.append(status)

    @property
    def summary(self):
        return f"{len(set(self.accepted))} accepted, {self.canceled} canceled, {self.renewed} renewed"
