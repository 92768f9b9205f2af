"""Chooses packages from an index such that what they need is among them."""
import collections
import random


def popularity(packages):
    """How much others depend on each name."""
    counts = collections.Counter()
    for package in packages:
        for kind, weight in (("Depends", 1.0), ("Pre-Depends", 1.0), ("Recommends", 0.5)):
            for alternatives in package.alternatives(kind):
                counts[alternatives[0][0]] += weight
        counts[package.name] += {"required": 1000, "important": 500, "standard": 300}.get(package.priority, 0)
    return counts


def closed_subset(packages, count, first, seed):
    """About `count` packages: those named in `first`, then popular and random ones by turns, each with everything that it needs.

    Among alternatives the first is taken, without a look at versions or conflicts: few cannot be installed in the end."""
    by_name = {package.name: package for package in packages}
    rank = popularity(packages)
    providers = collections.defaultdict(list)
    for package in packages:
        for alternatives in package.alternatives("Provides"):
            providers[alternatives[0][0]].append(package.name)
    for names in providers.values():
        names.sort(key=lambda name: (-rank[name], name))
    chosen = set()

    def closure(start):
        found, pending = set(), [start]
        while pending:
            name = pending.pop()
            if name in chosen or name in found:
                continue
            found.add(name)
            for alternatives in by_name[name].alternatives("Pre-Depends", "Depends"):
                candidates = [n for alternative, _, _ in alternatives for n in [alternative, *providers[alternative]] if n in by_name]
                if candidates and not any(n in chosen or n in found for n in candidates):
                    pending.append(candidates[0])
        return found

    popular = sorted(by_name, key=lambda name: (-rank[name], name))
    others = sorted(by_name)
    random.Random(seed).shuffle(others)
    for name in [name for name in first if name in by_name] + [name for pair in zip(popular, others) for name in pair]:
        if len(chosen) >= count:
            break
        more = closure(name)
        if len(chosen) + len(more) <= count:
            chosen |= more
    return [package for package in packages if package.name in chosen]
