"""Line plots as SVG. Both axes are logarithmic.

A straight line is a power, and a line at 45 degrees is proportional.
"""
import math

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50
# The height of a line of text.
LINE = 15
COLORS = ["#1b6ca8", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0f766e"]


def plot(title, x_label, y_label, xs, series, guide=True):
    """Returns a plot as SVG. `series` has a list of values for each name, one for each of `xs`.

    With `guide`, a dashed line shows n log n through the last point of the highest line.
    """
    lines = {name: [(x, y) for x, y in zip(xs, values) if y > 0] for name, values in series.items()}
    if guide:
        end = max((points[-1] for points in lines.values()), key=lambda point: point[1])
        unit = end[1] / (end[0] * math.log(max(2, end[0])))
        guided = [(x, unit * x * math.log(max(2, x))) for x in reversed(xs)]
    everything = [point for points in lines.values() for point in points]
    x_axis = Axis([x for x, _ in everything], LEFT, WIDTH - RIGHT)
    # The names of the lines are above all of them.
    names = len(lines) + (1 if guide else 0)
    y_axis = Axis([y for _, y in everything], HEIGHT - BOTTOM, TOP + LINE * names)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(WIDTH / 2, 20, title, "middle", 14),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_label, "middle"),
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{escaped(y_label)}</text>',
    ]
    for tick in y_axis.ticks():
        y = y_axis.place(tick)
        parts += [line([(LEFT, y), (WIDTH - RIGHT, y)], "#e5e7eb"), text(LEFT - 6, y + 4, number(tick), "end")]
    for x in xs:
        place = x_axis.place(x)
        parts.append(line([(place, TOP), (place, HEIGHT - BOTTOM)], "#e5e7eb"))
    parts += [text(place, HEIGHT - BOTTOM + 16, label, "middle", 10) for place, label in apart([(x_axis.place(x), number(x)) for x in xs])]
    if guide:
        shown = [(x_axis.place(x), y_axis.place(y)) for x, y in guided]
        parts.append(line(clipped(shown), "#9ca3af", dashed=True))
    for index, (name, points) in enumerate(lines.items()):
        color = COLORS[index % len(COLORS)]
        places = [(x_axis.place(x), y_axis.place(y)) for x, y in points]
        parts.append(line(places, color, 2))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
        parts.append(f'<text x="{LEFT + 10}" y="{TOP + 16 + LINE * index}" fill="{color}">{escaped(name)}</text>')
    if guide:
        parts.append(f'<text x="{LEFT + 10}" y="{TOP + 16 + LINE * len(lines)}" fill="#6b7280">dashed: n log n</text>')
    return "\n".join([*parts, "</svg>", ""])


class Axis:
    def __init__(self, values, first, last):
        low, high = math.log10(min(values)), math.log10(max(values))
        margin = max(0.08, (high - low) * 0.08)
        self.low, self.high, self.first, self.last = low - margin, high + margin, first, last

    def place(self, value):
        return self.first + (math.log10(value) - self.low) / (self.high - self.low) * (self.last - self.first)

    def ticks(self):
        steps = [1] if self.high - self.low > 3 else [1, 2, 5]
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        return [step * 10.0**decade for decade in decades for step in steps if self.low <= math.log10(step * 10.0**decade) <= self.high]


def apart(labels):
    """Returns the labels below an axis that have room. The last one always has it."""
    kept = []
    for place, label in reversed(labels):
        # A digit is 6 wide.
        if not kept or place + 3 * len(label) + 4 < kept[-1][0] - 3 * len(kept[-1][1]):
            kept.append((place, label))
    return kept


def clipped(points):
    """Returns the part of a line that is above the lower edge of the plot."""
    bottom = HEIGHT - BOTTOM
    kept = points[:1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if y1 > bottom:
            return kept + [(x0 + (x1 - x0) * (bottom - y0) / (y1 - y0), bottom)]
        kept.append((x1, y1))
    return kept


def line(points, color, width=1, dashed=False):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"{dash}/>'


def text(x, y, content, anchor, size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escaped(content)}</text>'


def escaped(content):
    return content.replace("&", "&amp;").replace("<", "&lt;")


def number(value):
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    if value >= 1e4:
        return f"{value / 1e3:.3g}k"
    return f"{value:.4g}"
