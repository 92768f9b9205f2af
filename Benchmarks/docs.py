"""Writes the results of a run into docs/: the tables between their markers, and the plots."""
import os
import re
import textwrap

import report
from plot import plot
from timing import median
from world import PROJECT

PLOTS = {
    "packages": "When the repository has twice the packages",
    "changed": "When more packages of the repository have changed",
    "requests": "When twice the packages are requested",
    "stored": "When twice the composes are stored",
    "workers": "When there are twice the workers",
    "frontends": "When there are twice the frontends",
}

# The plots that show something else than a cost that grows with x.
NO_GUIDE = ("changed",)

# The beginnings of the keys of rows that have tables of their own.
IMAGES = ("image-", "contents-", "affected", "plan", "fetch")
CHANGED = ("changed-",)
FARM = ("farm-",)
ANSWERS = ("answer-",)


def write(results, only=None):
    """Writes the results. `only` names parts, such as changed: the other rows and plots stay as they are."""
    if only:
        rows = [row for row in results["rows"] if row["key"].startswith(tuple(f"{name}-" for name in only))]
        results = {**results, "rows": rows, "growth": {name: series for name, series in results["growth"].items() if name in only}}
    for page in ("performance.md", "scaling.md"):
        path = f"{PROJECT}/docs/{page}"
        with open(path) as stream:
            text = stream.read()
        for name, block in blocks(results).items():
            marked = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- /bench -->)", re.DOTALL)
            text = marked.sub(lambda match: f"{match[1]}{block}\n{match[2]}", text)
        with open(path, "w") as stream:
            stream.write(text)
    os.makedirs(f"{PROJECT}/docs/performance", exist_ok=True)
    for name, series in results["growth"].items():
        if name not in PLOTS:
            continue
        y_label = "seconds" if "seconds" in series else "a second"
        # The cost of a request depends on the number of packages in its compose.
        xs, x_label = (series["packages"], "packages in the compose") if "packages" in series else (series["x"], series["unit"])
        drawn = plot(PLOTS[name], x_label, y_label, xs, series.get("seconds") or series["rates"], "seconds" in series and name not in NO_GUIDE)
        with open(f"{PROJECT}/docs/performance/{name}.svg", "w") as stream:
            stream.write(drawn)


def blocks(results):
    """Returns the blocks of the pages by name. A run of only a part has only the blocks of that part."""
    found = growths(results)
    others = results["rows"]
    parts = (
        ("images", IMAGES, ("buildah", "podman", "skopeo")),
        ("farm", FARM, ("buildah", "podman", "skopeo")),
        ("changed", CHANGED, ("dnf", "libsolv")),
        ("answers", ANSWERS, ("dnf", "libsolv")),
    )
    for name, keys, tools in parts:
        rows = [row for row in others if row["key"].startswith(keys)]
        others = [row for row in others if row not in rows]
        if rows:
            found |= of_part(name, {**results, "rows": rows}, tools)
    return {**found, **of_composes({**results, "rows": others})} if others else found


def of_part(name, results, tools):
    machine = results["machine"]
    versions = ", ".join(f"{tool} {results['tools'][tool].removeprefix(tool).strip()}" for tool in tools)
    run = (
        f"{results['date'][:10]}, commit {results['commit']}, {machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}. The load before the run was {results['load'][0]}. {versions}."
    )
    return {f"{name}-run": textwrap.fill(run, 100), name: report.table(results), f"{name}-samples": samples(results)}


def of_composes(results):
    machine, tools = results["machine"], results["tools"]
    run = (
        f"{results['date'][:10]}, commit {results['commit']}, {machine['cores']} cores of {machine['processor']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Linux {machine['kernel']}. The load before the run was {results['load'][0]}. dnf {tools['dnf']}, "
        f"createrepo_c {tools['createrepo_c']}, libsolv {tools['libsolv']}."
    )
    missed = [row for row in results["rows"] if not row["met"]]
    verdict = f"{len(results['rows']) - len(missed)} bars are met and {len(missed)} missed."
    if results["quick"]:
        verdict += " This was a quick run, of 3,000 packages: it says nothing about the bars."
    found = {"run": f"{textwrap.fill(run, 100)}\n\n{verdict}", "table": report.table(results), "samples": samples(results)}
    if "cost" in results["facts"]:
        found["cost"] = cost(results["facts"]["cost"])
    return found


def growths(results):
    found = {}
    for name, series in results["growth"].items():
        # The table comes with its plot, so that no page shows a plot that does not exist.
        picture = f"![{PLOTS[name]}](performance/{name}.svg)\n\n" if name in PLOTS else ""
        found[f"growth-{name}"] = picture + growth(series)
    return found


def cost(tables):
    """Returns a table of the rows and the KiB that a compose leaves in the database.

    Indexes of small tables have free room.
    """
    lines = ["| table | rows a compose | KiB a compose, with indexes |", "|---|---|---|"]
    lines += [f"| `{name}` | {each['rows']:.3g} | {each['bytes'] / 1024:.2g} |" for name, each in tables.items()]
    return "\n".join(lines)


def samples(results):
    """Returns a table with the least, the median and the greatest sample of each row."""
    lines = ["| row | side | samples | least | median | most |", "|---|---|---|---|---|---|"]
    for row in results["rows"]:
        for side, values in row["samples"].items():
            shown = " | ".join(number(value) for value in (min(values), median(values), max(values)))
            lines.append(f"| {row['key']} | {side} | {len(values)} | {shown} |")
    return "\n".join(lines)


def number(value):
    """Returns a number with four digits, or all digits of a larger one. No table has powers of ten."""
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.4g}"


def growth(series):
    columns = {**series.get("seconds", {}), **series.get("rates", {})}
    unit = ", s" if "seconds" in series else ""
    lines = [f"| {series['unit']} | " + " | ".join(f"{name}{unit}" for name in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for index, x in enumerate(series["x"]):
        lines.append(f"| {x:,} | " + " | ".join(number(values[index]) for values in columns.values()) + " |")
    return "\n".join(lines)
