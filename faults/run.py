"""Runs the fault campaign: real programs, real faults, and a table of what was lost.

    run.py --program PROGRAM --directory DIRECTORY [--quick] [--at-once N] [--seed N] [SCENARIO...]
"""
import argparse
import ctypes
import importlib
import multiprocessing
import multiprocessing.connection
import os
import random
import shutil
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

from checks import Lost  # noqa: E402
from scenario import Scenario, Skipped  # noqa: E402
from table import Table  # noqa: E402

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

# The name, the function, and whether a quick run has it. The longest one comes first, so that others run
# beside it with --at-once.
SCENARIOS = [
    ("image builds", "images.run", False),
    ("kills", "kills.run", True),
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
    ("takeover", "kills.takeover", True),
    ("soak", "soak.run", False),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the odcs-server to test")
    parser.add_argument("--client", help="the program odcs, for image builds")
    parser.add_argument("--old", help="an older odcs-server, for the scenario with two versions")
    parser.add_argument("--directory", required=True, help="a directory for all files; it is deleted at the end if nothing was lost")
    parser.add_argument("--quick", action="store_true", help="fewer composes, and no soak")
    parser.add_argument("--at-once", type=int, default=1, help="the number of scenarios that run side by side")
    parser.add_argument("--minutes", type=float, default=20, help="the duration of the soak")
    parser.add_argument("--slow", type=float, default=0.5, help="the seconds that the slow receiver of events takes for each message")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="repeats the choices of an earlier run")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(name for name, _, _ in SCENARIOS))
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in {name for name, _, _ in SCENARIOS}]
    if unknown:
        parser.error(f"no scenario is called {unknown[0]!r}")
    chosen = [row for row in SCENARIOS if (row[0] in options.names if options.names else row[2] or not options.quick)]
    # The end of the campaign is the end of its scenarios, which then stop what they have started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    print(f"The seed is {options.seed}.", flush=True)
    began = time.monotonic()
    rows = {row[0]: row for row in side_by_side(chosen, options)}
    table = Table()
    for name, _, _ in chosen:
        table.add(*rows[name])
    print(f"\n{table}\n{len(rows)} scenarios in {(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if table.failed else 0


def side_by_side(chosen, options):
    """Runs each scenario in a process of its own, and yields its row when it has ended."""
    fork = multiprocessing.get_context("fork")
    waiting, running = list(chosen), {}
    while waiting or running:
        while waiting and len(running) < options.at_once:
            name, function, _ = waiting.pop(0)
            receiver, sender = fork.Pipe(duplex=False)
            process = fork.Process(target=send_row, args=(sender, name, function, options), daemon=True)
            process.start()
            sender.close()
            running[receiver] = name, process
        for receiver in multiprocessing.connection.wait(running):
            name, process = running.pop(receiver)
            try:
                row = receiver.recv()
            except EOFError:
                row = None
            process.join()
            yield row or (name, [], f"the process of the scenario ended with {process.exitcode}", 0)


def send_row(sender, name, function, options):
    """Runs a scenario, whose process ends with the campaign, even if that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    sender.send(run(name, function, options))


def run(name, function, options):
    """Runs a scenario, and returns its row of the table."""
    module, _, function = function.partition(".")
    scenario = Scenario(name, options)
    began, problem = time.monotonic(), None
    scenario.say("begins")
    try:
        getattr(importlib.import_module(f"scenarios.{module}"), function)(scenario)
    except Skipped as reason:
        scenario.note(f"left out: {reason}")
    except Lost as lost:
        problem = str(lost)
    except Exception as error:
        traceback.print_exc()
        problem = f"the scenario broke: {error}"
    finally:
        scenario.close()
    took = time.monotonic() - began
    if problem is None and scenario.left_processes:
        problem = f"processes {scenario.left_processes} are left over"
    if problem:
        scenario.say(f"LOST: {problem}. The files are in {scenario.directory}")
    else:
        shutil.rmtree(scenario.directory, ignore_errors=True)
    scenario.say(f"took {took:.0f} s")
    return name, scenario.figures, problem, took


if __name__ == "__main__":
    sys.exit(main())
