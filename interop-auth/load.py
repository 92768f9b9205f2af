"""Requests of many people at the same time, while a test ends the systems that know them."""

import contextlib
import signal
import threading
import time

import requests


class Load:
    """Callers that send requests one after the other, each in a thread, until the end of the `with`.

    `callers` are functions by names, each of which sends one request and returns the answer.
    """

    def __init__(self, callers):
        self._callers = callers
        self._answers = {name: [] for name in callers}
        self._changed = threading.Condition()
        self._is_over = False

    def __enter__(self):
        self._threads = [threading.Thread(target=self._run, args=item, daemon=True) for item in self._callers.items()]
        for thread in self._threads:
            thread.start()
        self.wait_for_more()
        return self

    def __exit__(self, *reason):
        self._is_over = True
        for thread in self._threads:
            thread.join(60)

    def _run(self, name, call):
        while not self._is_over:
            time.sleep(0.03)
            try:
                answer = call()
            except requests.RequestException as error:
                answer = error
            with self._changed:
                self._answers[name].append(answer)
                self._changed.notify_all()

    def wait_for_more(self, count=5):
        """Waits until each caller has got `count` answers to requests that it sends from now on."""
        with self._changed:
            # The request that is under way now was sent before.
            goals = {name: len(answers) + 1 + count for name, answers in self._answers.items()}

            def reached():
                return all(len(self._answers[name]) >= goal for name, goal in goals.items())

            assert self._changed.wait_for(reached, 90), {name: len(answers) for name, answers in self._answers.items()}

    def wait_until_well(self, timeout=60):
        """Waits until the newest answer of each caller is 200."""
        end = time.monotonic() + timeout
        while True:
            self.wait_for_more(1)
            bad = {name: answers[-1] for name, answers in self._answers.items() if status(answers[-1]) != 200}
            if not bad:
                return
            assert time.monotonic() < end, f"still {bad}"

    @contextlib.contextmanager
    def without(self, program):
        """Kills a program, and starts it again after some requests of each caller."""
        program.end(signal.SIGKILL)
        try:
            self.wait_for_more()
            yield
            self.wait_for_more()
        finally:
            program.start()

    @contextlib.contextmanager
    def while_still(self, *programs):
        """Makes programs stand still: their connections are accepted, and nothing is answered."""
        for program in programs:
            program.process.send_signal(signal.SIGSTOP)
        try:
            # The servers of this suite remember the groups of people for a second.
            time.sleep(1.5)
            self.wait_for_more(1)
            yield
        finally:
            for program in programs:
                program.process.send_signal(signal.SIGCONT)

    def statuses(self, name):
        return {status(answer) for answer in self._answers[name]}

    def assert_well(self, *names):
        """Checks that each answer to these callers was 200."""
        for name in names:
            assert self.statuses(name) == {200}, (name, self._answers[name][-1])

    def assert_at_most_away(self):
        """Checks that no caller got an answer but 200, and 503 with the time to ask again."""
        for name, answers in self._answers.items():
            for answer in answers:
                assert status(answer) in (200, 503), (name, answer, getattr(answer, "text", ""))
                if status(answer) == 503:
                    assert int(answer.headers["Retry-After"]) > 0, (name, answer.headers)


def status(answer):
    return answer.status_code if isinstance(answer, requests.Response) else type(answer).__name__
