"""Runs the fault campaign: real programs, real faults, and a table of what was lost.

    run.py --program PROGRAM --directory DIRECTORY [--quick] [--seed N] [SCENARIO...]
"""
import argparse
import importlib
import os
import random
import shutil
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

from checks import Lost  # noqa: E402
from scenario import Scenario, Skipped  # noqa: E402
from table import Table  # noqa: E402

# The name, the function, and whether a quick run has it.
SCENARIOS = [
    ("kills", "kills.run", True),
    ("takeover", "kills.takeover", True),
    ("graceful restarts", "kills.graceful", True),
    ("PostgreSQL restarts", "databases.restarts", True),
    ("PostgreSQL is away", "databases.away", False),
    ("failover", "databases.failover", True),
    ("frozen workers", "frozen.fetching", False),
    ("frozen in a transaction", "frozen.in_transaction", False),
    ("frozen in the final rename", "frozen.in_rename", True),
    ("clocks", "clocks.run", False),
    ("full disks", "disks.full", False),
    ("read-only target", "disks.read_only", False),
    ("full state directory", "disks.embedded", False),
    ("bad sources", "bad_sources.run", False),
    ("strangers", "strangers.run", True),
    ("two versions", "versions.run", False),
    ("three receivers", "events.three_receivers", False),
    ("1000 streams", "events.streams", False),
    ("image builds", "images.run", False),
    ("soak", "soak.run", False),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the odcs-server to test")
    parser.add_argument("--client", help="the program odcs, for image builds")
    parser.add_argument("--old", help="an older odcs-server, for the scenario with two versions")
    parser.add_argument("--directory", required=True, help="a directory for all files; it is deleted at the end if nothing was lost")
    parser.add_argument("--quick", action="store_true", help="fewer composes, and no soak")
    parser.add_argument("--minutes", type=float, default=20, help="the duration of the soak")
    parser.add_argument("--slow", type=float, default=0.5, help="the seconds that the slow receiver of events takes for each message")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="repeats the choices of an earlier run")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(name for name, _, _ in SCENARIOS))
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in {name for name, _, _ in SCENARIOS}]
    if unknown:
        parser.error(f"no scenario is called {unknown[0]!r}")
    chosen = [row for row in SCENARIOS if (row[0] in options.names if options.names else row[2] or not options.quick)]
    print(f"The seed is {options.seed}.", flush=True)
    table = Table()
    for name, function, _ in chosen:
        run(name, function, options, table)
    print(f"\n{table}")
    return 1 if table.failed else 0


def run(name, function, options, table):
    print(f"== {name}", flush=True)
    module, _, function = function.partition(".")
    scenario = Scenario(name.replace(" ", "-"), options.directory, options)
    began, problem = time.monotonic(), None
    try:
        getattr(importlib.import_module(f"scenarios.{module}"), function)(scenario)
    except Skipped as reason:
        scenario.note(f"left out: {reason}")
    except Lost as lost:
        problem = str(lost)
    except Exception as error:
        traceback.print_exc()
        problem = f"the scenario broke: {error}"
    scenario.close()
    if problem is None and scenario.left_processes:
        problem = f"processes {scenario.left_processes} are left over"
    if problem:
        print(f"    LOST: {problem}\n    The files are in {scenario.directory}", flush=True)
    else:
        shutil.rmtree(scenario.directory, ignore_errors=True)
    table.add(name, scenario.figures, problem, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
