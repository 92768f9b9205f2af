"""Sends many requests at once with wrk. It is one process, and does not limit the rate of requests."""
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def start(url, seconds, method="GET", body=None, connections=16, token=None, unique=False):
    """Starts the load. If `unique` is set, each request has another query, so that no answer is a kept one."""
    environment = {**os.environ, "LOAD_METHOD": method}
    if body is not None:
        environment["LOAD_BODY"] = json.dumps(body)
    if token is not None:
        environment["LOAD_TOKEN"] = token
    if unique:
        environment["LOAD_UNIQUE"] = "1"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", f"{HERE}/load.lua", url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(process):
    """Returns the requests per second (`rate`), and latencies in seconds.

    Raises RuntimeError if a request failed.
    """
    out, err = process.communicate()
    line = next((line for line in out.splitlines() if line.startswith("LOAD ")), None)
    if process.returncode or line is None:
        raise RuntimeError(f"wrk: {err or out}")
    found = json.loads(line[5:])
    if found["wrong"] or found["unanswered"]:
        raise RuntimeError(f"{found['wrong']} answers were errors and {found['unanswered']} requests had none")
    return {**found, "rate": found["requests"] / found["seconds"]}


def load(url, seconds, **options):
    return finish(start(url, seconds, **options))
