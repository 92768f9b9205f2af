"""Takes samples by turns, so that a disturbance of one side disturbs the other side as well."""
import math
import statistics
import time


def seconds(action, *arguments):
    """Runs `action` and returns the seconds that it takes."""
    begin = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - begin


def by_turns(runs, **actions):
    """Calls each action `runs` times, and returns the list of its figures by the name of the action.

    Each round calls every action once, and begins with another action than the round before.
    """
    samples = {name: [] for name in actions}
    names = list(actions)
    for turn in range(runs):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(actions[name]())
    return samples


median = statistics.median


def percentile(samples, share):
    """Returns the smallest sample that `share` of all samples do not exceed. Example: `share` 0.99."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
