"""The results of a run, as a table to read and as JSON to keep."""
import datetime
import json
import os
import platform
import subprocess

from world import PROJECT


def _lines(path, name):
    try:
        with open(path) as stream:
            return [line.partition(":")[2].strip() for line in stream if line.startswith(name)]
    except OSError:
        return []


def machine():
    memory = _lines("/proc/meminfo", "MemTotal")
    return {
        "processor": (_lines("/proc/cpuinfo", "model name") or [platform.machine()])[0],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[0].split()[0]) / 2**20, 1) if memory else None,
        "kernel": platform.release().split("-")[0],
        "system": next(iter(_pretty_name()), platform.system()),
    }


def _pretty_name():
    with open("/etc/os-release") as stream:
        return [line.partition("=")[2].strip().strip('"') for line in stream if line.startswith("PRETTY_NAME=")]


def commit():
    """Returns the commit that was measured. Adds ", changed since" if files differ from it."""
    said = subprocess.run(["git", "-C", PROJECT, "describe", "--always", "--dirty=, changed since", "--abbrev=12"], capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


class Report:
    def __init__(self, world):
        self._world = world
        self.rows = []
        self.failures = {}
        self._seconds = {}
        self._begin = datetime.datetime.now(datetime.timezone.utc)
        self._load = [os.getloadavg()[0]]
        self.path = None

    def add(self, row):
        self.rows.append(row)
        self._load.append(os.getloadavg()[0])

    def took(self, scenario, seconds):
        self._seconds[scenario] = round(seconds, 1)

    def failed(self, scenario, trace):
        self.failures[scenario] = trace

    def as_json(self):
        return {
            "date": self._begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "commit": commit(),
            "quick": self._world.quick,
            "machine": machine(),
            # The load of the last minute, before the run and after each row. All values but the first
            # include the run's own share.
            "load": [round(load, 2) for load in self._load],
            # The duration of each scenario, with the time to make missing repositories.
            "seconds": self._seconds,
            "tools": self._world.tools.versions(),
            "rows": [row.as_json() for row in self.rows],
            "growth": self._world.growth,
            "facts": self._world.facts,
            "failures": self.failures,
        }

    def write(self, path=None):
        self.path = path or f"{os.path.dirname(self._world.directory)}/results/{self._begin.strftime('%Y%m%d-%H%M%S')}.json"
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        with open(self.path, "w") as stream:
            json.dump(self.as_json(), stream, indent=1)

    def table(self):
        return table(self.as_json())


def table(results):
    """Returns the rows as a table of Markdown, which people can also read as it is."""
    lines = [("work", "rival", "bar", "measured", "")]
    lines += [(row["work"], row["rival"], row["bar"], row["shown"], "met" if row["met"] else "**missed**") for row in results["rows"]]
    lines += [(name, "", "", "could not be measured", "**failed**") for name in results["failures"]]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])
