#!/usr/bin/env python3
"""Measures odcs-server against what people use today, and prints a table of ratios. See README.md beside this file."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

import docs
import report
from scenarios import affected, answers, builds, changed, composes, contents, farms, fetch, frontend, growth, memory, pages, queue, stored, tags
from world import PROJECT, World

SCENARIOS = [
    composes.example,
    composes.requested,
    composes.everything,
    composes.first,
    changed.changed,
    memory.memory,
    tags.tag,
    tags.tag_changed,
    frontend.answers,
    frontend.tokens,
    answers.answer,
    pages.page,
    queue.claiming,
    stored.stored,
    queue.queue,
    growth.growth,
    builds.chain,
    builds.eight,
    builds.killed,
    farms.farm,
    contents.contents,
    contents.layer,
    affected.affected,
    fetch.fetch,
]


def main():
    names = [scenario.__name__ for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3,000 packages instead of all, and shorter loads")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"some of {', '.join(names)}")
    parser.add_argument("--skip", action="append", default=[], choices=names, metavar="NAME", help="all but these")
    parser.add_argument("--packages", type=int, help="of the repository; by default all, or 3,000 with --quick")
    parser.add_argument("--program", default=f"{PROJECT}/.build-release/release/odcs-server", help="the odcs-server that is measured")
    parser.add_argument("--directory", default=f"{PROJECT}/.build-bench", help="for repositories, environments and results")
    parser.add_argument("--write-docs", metavar="JSON", help="measure nothing: put the results of that run into docs/, with --only those of a part")
    parser.add_argument("--json", help="where the results go; by default into `results` in the directory")
    options = parser.parse_args()
    if options.write_docs:
        with open(options.write_docs) as stream:
            docs.write(json.load(stream), options.only)
        return

    directory = os.path.abspath(options.directory)
    # PostgreSQL may have to run as another user, who must be able to enter this directory.
    with tempfile.TemporaryDirectory(prefix="odcs-bench-", dir="/var/tmp") as database:
        os.chmod(database, 0o711)
        world = World(os.path.abspath(options.program), f"{directory}/work", f"{database}/postgres", f"{directory}/venv", options)
        results = report.Report(world)
        world.cluster.create()
        try:
            for scenario in SCENARIOS:
                if scenario.__name__ in (options.only or names) and scenario.__name__ not in options.skip:
                    print(f"{scenario.__name__}: {scenario.__doc__.splitlines()[0]}", file=sys.stderr, flush=True)
                    begin = time.monotonic()
                    try:
                        for row in scenario(world):
                            results.add(row)
                            world.say(f"{'met   ' if row.met else 'MISSED'} {row.work}: {row.shown}; {row.bar}")
                    except Exception:
                        results.failed(scenario.__name__, traceback.format_exc())
                        traceback.print_exc()
                    results.took(scenario.__name__, time.monotonic() - begin)
                    results.write(options.json)
        finally:
            world.cluster.stop()
            subprocess.run(["rm", "-rf", f"{database}/postgres"], check=False)
    print(results.table())
    print(f"\nWritten to {results.path}.")
    sys.exit(1 if results.failures else 0)


if __name__ == "__main__":
    main()
