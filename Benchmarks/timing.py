"""Samples, taken by turns so that what disturbs one side disturbs the other as well."""
import math
import statistics
import time


def seconds(action, *arguments):
    """How long `action` takes."""
    begin = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - begin


def by_turns(runs, **actions):
    """Asks each action for a figure `runs` times, all of them once in each round, and each round begins with another one."""
    samples = {name: [] for name in actions}
    names = list(actions)
    for turn in range(runs):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(actions[name]())
    return samples


median = statistics.median


def percentile(samples, share):
    """The smallest sample that `share` of all do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
