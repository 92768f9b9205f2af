"""A row of the table: what was measured, against what, and whether the bar is met."""
from dataclasses import asdict, dataclass, field

from timing import median, percentile


@dataclass
class Row:
    """One figure and its bar. `value` is what the bar is about; the samples that it comes from are kept beside it."""

    key: str
    work: str
    rival: str
    bar: str
    value: float
    shown: str
    met: bool
    # By name, in the unit that the name ends with: `ours_s`, `rival_s`.
    samples: dict = field(default_factory=dict)
    # Further figures that say how the row came about.
    details: dict = field(default_factory=dict)

    def as_json(self):
        return asdict(self)


def times(value):
    return f"{value:.1f}" if value < 20 else f"{value:.0f}"


def duration(value):
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def faster(key, work, rival, ours, theirs, at_least, **details):
    """`at_least` times as fast as the rival: the ratio of the medians of two lists of seconds."""
    ratio = median(theirs) / median(ours)
    shown = f"{times(ratio)} times as fast ({duration(median(ours))} : {duration(median(theirs))})"
    return Row(key, work, rival, f"at least {at_least} times as fast", ratio, shown, ratio >= at_least,
               {"ours_s": ours, "rival_s": theirs}, details)  # fmt: skip


def within(key, work, rival, ours, floor, at_most, **details):
    """No more than `at_most` times what the floor takes."""
    ratio = median(ours) / median(floor)
    shown = f"{ratio:.2f} times ({duration(median(ours))} : {duration(median(floor))})"
    return Row(key, work, rival, f"within {at_most} times", ratio, shown, ratio <= at_most,
               {"ours_s": ours, "rival_s": floor}, details)  # fmt: skip


def no_longer(key, work, ours, at_most, rival="", share=0.5, **details):
    """The median, or the sample below which `share` of all are, takes at most so many seconds."""
    value = median(ours) if share == 0.5 else percentile(ours, share)
    name = "median" if share == 0.5 else f"p{share * 100:g}"
    return Row(key, work, rival, f"{name} at most {duration(at_most)}", value, f"{name} {duration(value)}", value <= at_most,
               {"ours_s": ours}, details)  # fmt: skip


def no_more(key, work, value, at_most, unit, samples=None, **details):
    """A figure that is at most so large."""
    return Row(key, work, "", f"at most {at_most} {unit}", value, f"{value:.4g} {unit}", value <= at_most, samples or {}, details)


def no_less(key, work, value, at_least, unit, samples=None, rival="", **details):
    """A figure that is at least so large."""
    return Row(key, work, rival, f"at least {at_least} {unit}", value, f"{value:.3g} {unit}", value >= at_least, samples or {}, details)
