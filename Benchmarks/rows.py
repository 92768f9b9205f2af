"""The rows of the table.

A row has a measured value, its rival and its bar, and says if the bar is met.
"""
from dataclasses import asdict, dataclass, field

from timing import median, percentile


@dataclass
class Row:
    """One figure and its bar.

    The bar is a limit of `value`, and `samples` has the samples that `value` comes from.
    """

    key: str
    work: str
    rival: str
    bar: str
    value: float
    shown: str
    met: bool
    # Lists of samples by name. The name ends with the unit, for example `ours_s` and `rival_s`.
    samples: dict = field(default_factory=dict)
    # Further figures that explain the row.
    details: dict = field(default_factory=dict)

    def as_json(self):
        return asdict(self)


def times(value):
    return f"{value:.1f}" if value < 20 else f"{value:.0f}"


def duration(value):
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def faster(key, work, rival, ours, theirs, at_least, **details):
    """Makes a row whose bar is to be `at_least` times as fast as the rival.

    The value is the ratio of the medians of two lists of seconds.
    """
    ratio = median(theirs) / median(ours)
    shown = f"{times(ratio)} times as fast ({duration(median(ours))} : {duration(median(theirs))})"
    return Row(key, work, rival, f"at least {at_least} times as fast", ratio, shown, ratio >= at_least,
               {"ours_s": ours, "rival_s": theirs}, details)  # fmt: skip


def within(key, work, rival, ours, floor, at_most, **details):
    """Makes a row whose bar is to take at most `at_most` times as long as the floor."""
    ratio = median(ours) / median(floor)
    shown = f"{ratio:.2f} times ({duration(median(ours))} : {duration(median(floor))})"
    return Row(key, work, rival, f"within {at_most} times", ratio, shown, ratio <= at_most,
               {"ours_s": ours, "rival_s": floor}, details)  # fmt: skip


def no_longer(key, work, ours, at_most, rival="", share=0.5, **details):
    """Makes a row whose bar is a median of at most `at_most` seconds, or the percentile `share` instead."""
    value = median(ours) if share == 0.5 else percentile(ours, share)
    name = "median" if share == 0.5 else "longest" if share == 1 else f"p{share * 100:g}"
    return Row(key, work, rival, f"{name} at most {duration(at_most)}", value, f"{name} {duration(value)}", value <= at_most,
               {"ours_s": ours}, details)  # fmt: skip


def no_more(key, work, value, at_most, unit, samples=None, **details):
    """Makes a row whose bar is a value of at most `at_most`."""
    return Row(key, work, "", f"at most {at_most} {unit}", value, f"{value:.4g} {unit}", value <= at_most, samples or {}, details)


def no_less(key, work, value, at_least, unit, samples=None, rival="", **details):
    """Makes a row whose bar is a value of at least `at_least`."""
    return Row(key, work, rival, f"at least {at_least} {unit}", value, f"{value:.3g} {unit}", value >= at_least, samples or {}, details)
