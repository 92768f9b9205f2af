"""Gives mutated inputs to the parsers of inputs of strangers, and looks for traps, signals, hangs and memory.

    run.py --program fuzz-parsers --directory DIRECTORY [--count N] [--seconds N] [--seed N] [PARSER...]

An input that ends the process, takes more than 10 seconds of a processor or needs more than 1 GiB is a
finding. An input that waits for five minutes is one, too. It is kept in DIRECTORY/findings, and the run
goes on with the next input.
"""
import argparse
import gzip
import os
import random
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mutations import mutate  # noqa: E402
from seeds import COMPRESSED, SEEDS  # noqa: E402

HANG_SECONDS = 10
STILL_SECONDS = 300
MOST_MEGABYTES = 1024
BATCH = 100


def inputs(parser, seed):
    """Yields the inputs of a parser. The seeds come first, so that a parser that refuses them is noticed."""
    dice = random.Random(f"{parser} {seed}")
    seeds = SEEDS[parser]
    plain = [gzip.decompress(each) for each in seeds if each.startswith(b"\x1f\x8b")] if parser in COMPRESSED else []
    yield from seeds
    while True:
        if plain and dice.random() < 0.8:
            yield gzip.compress(mutate(dice, plain), 1, mtime=0)
        else:
            yield mutate(dice, seeds)


def processor_seconds(pid):
    """Returns the time that a process has used, see stat in proc(5)."""
    with open(f"/proc/{pid}/stat") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Driver:
    """Runs the program for a batch of inputs."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(f"{directory}/tmp")

    def run(self, parser, batch):
        """Returns the lines of the inputs that were read, the peak of the memory, and a problem or None."""
        file = f"{self.directory}/inputs"
        with open(file, "wb") as stream:
            for data in batch:
                stream.write(len(data).to_bytes(4, "little") + data)
        environment = {**os.environ, "TMPDIR": f"{self.directory}/tmp", "SWIFT_BACKTRACE": "enable=no", "LC_ALL": "C.UTF-8"}
        with open(f"{self.directory}/complaints", "wb") as complaints:
            process = subprocess.Popen([self.program, parser, file], stdout=subprocess.PIPE, stderr=complaints, env=environment)
            lines, peak, problem = self._read(process)
        if problem is None and process.returncode != 0:
            problem = f"ended with status {process.returncode}"
        return lines, peak, problem

    def _read(self, process):
        lines, rest, peak = [], b"", 0
        begun, used = time.monotonic(), processor_seconds(process.pid)
        while True:
            ready, _, _ = select.select([process.stdout], [], [], HANG_SECONDS)
            if not ready:
                # A host with other work to do gives a process little time.
                if processor_seconds(process.pid) - used < HANG_SECONDS and time.monotonic() - begun < STILL_SECONDS:
                    continue
                process.kill()
                process.wait()
                return lines, peak, f"took more than {HANG_SECONDS} s"
            begun, used = time.monotonic(), processor_seconds(process.pid)
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                process.wait()
                return lines, peak, None
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                if line.startswith(b"peak "):
                    peak = int(line.split()[1])
                else:
                    lines.append(line.split())

    @property
    def complaint(self):
        with open(f"{self.directory}/complaints", "rb") as stream:
            return stream.read().decode(errors="replace").strip()[:300]


def fuzz(parser, options, driver):
    """Returns a row of the table, and the findings."""
    source = inputs(parser, options.seed)
    deadline = time.monotonic() + options.seconds
    count = read = peak = longest = 0
    findings = []
    while count < options.count and time.monotonic() < deadline:
        batch = [next(source) for _ in range(min(BATCH, options.count - count))]
        while batch:
            lines, used, problem = driver.run(parser, batch)
            count += len(lines)
            read += sum(line[1] == b"read" for line in lines)
            longest = max([longest, *(int(line[2]) for line in lines)])
            peak = max(peak, used)
            if problem is None and used > MOST_MEGABYTES:
                problem, guilty = f"needed {used} MiB", largest(driver, parser, batch)
                findings.append(keep(options, parser, guilty, problem, ""))
                break
            if problem is None:
                break
            findings.append(keep(options, parser, batch[len(lines)], problem, driver.complaint))
            count += 1
            batch = batch[len(lines) + 1 :]
            if len(findings) >= 20:
                return (parser, count, read, longest / 1e6, peak), findings
    return (parser, count, read, longest / 1e6, peak), findings


def largest(driver, parser, batch):
    """Returns the input of a batch that needs the most memory."""
    return max(batch, key=lambda data: driver.run(parser, [data])[1])


def keep(options, parser, data, problem, complaint):
    """Keeps an input, and returns a sentence about it."""
    directory = f"{options.directory}/findings"
    os.makedirs(directory, exist_ok=True)
    path = f"{directory}/{parser}-{len(os.listdir(directory))}"
    with open(path, "wb") as stream:
        stream.write(data)
    finding = f"{parser}: an input of {len(data)} bytes {problem}. It is in {path}. {complaint}"
    print(finding, flush=True)
    return finding


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--count", type=int, default=10000, help="the inputs for each parser")
    parser.add_argument("--seconds", type=float, default=600, help="the most time for each parser")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="repeats the inputs of an earlier run")
    parser.add_argument("names", nargs="*", metavar="PARSER", help=", ".join(SEEDS))
    options = parser.parse_args()
    known = subprocess.run([options.program], capture_output=True, text=True, check=True).stdout.split()
    if set(known) != set(SEEDS):
        parser.error(f"the program has parsers without seeds, or the reverse: {sorted(set(known) ^ set(SEEDS))}")
    unknown = [name for name in options.names if name not in SEEDS]
    if unknown:
        parser.error(f"no parser is called {unknown[0]!r}")
    print(f"The seed is {options.seed}.", flush=True)
    driver = Driver(options.program, f"{options.directory}/work")
    rows, findings = [], []
    print("| parser | inputs | of them read | longest | memory |\n|---|---|---|---|---|", flush=True)
    for name in options.names or sorted(SEEDS):
        row, found = fuzz(name, options, driver)
        rows.append(row)
        findings += found
        print("| {} | {} | {} | {:.3f} s | {} MiB |".format(*row), flush=True)
        if not row[2]:
            findings.append(f"{name} has read none of its seeds")
    shutil.rmtree(driver.directory, ignore_errors=True)
    print(f"{sum(row[1] for row in rows)} inputs, {len(findings)} findings")
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
