"""The table of a campaign, as it is printed and as it stands in docs/reliability.md."""


def seconds(values):
    """Returns the median and the maximum of some times, in words."""
    if not values:
        return "none"
    ordered = sorted(values)
    return f"median {ordered[len(ordered) // 2]:.2f} s, maximum {ordered[-1]:.2f} s of {len(ordered)}"


class Table:
    """Rows of (scenario, what happened, result). A row without a problem is fine."""

    def __init__(self):
        self.rows = []

    def add(self, name, figures, problem, took):
        self.rows.append((name, figures, problem, took))

    @property
    def failed(self):
        return any(problem for _, _, problem, _ in self.rows)

    def __str__(self):
        lines = ["| scenario | figures | lost or left over | seconds |", "|---|---|---|---|"]
        for name, figures, problem, took in self.rows:
            lines.append(f"| {name} | {'. '.join(figures)} | {problem or 'nothing'} | {took:.0f} |")
        return "\n".join(lines)
