"""Answers about packages: why one is in a compose, and what a compose would have."""
from rows import within
from service import of_repository
from timing import by_turns, seconds

# The GETs of one sample. One alone takes a fraction of a millisecond.
GETS = 20


def answer(world):
    """`why` in a compose of all packages against GET one, and a dry run against the same compose."""
    repository = world.repository()
    world.tools.warm(repository)
    with world.service("answers") as service:
        whole = service.compose(of_repository(repository))[1]
        count = len(world.names(repository))
        names = world.requests(repository, 10)
        paths = [f"/api/1/composes/{whole['id']}/why?package={name}" for name in names]

        def each(paths):
            for number in range(GETS):
                service.call("GET", paths[number % len(paths)])

        # The first question reads the list of the compose.
        first = seconds(service.call, "GET", paths[0])
        found = by_turns(world.runs, ours=lambda: seconds(each, paths), rival=lambda: seconds(each, [f"/api/1/composes/{whole['id']}"]))
        yield within(
            "answer-why", f"`why`, {GETS} times, in a compose of {count:,} packages", "GET of the compose",
            found["ours"], found["rival"], 10, first_s=first,
        )  # fmt: skip

        body = of_repository(repository, world.requests(repository, 1))
        service.compose(body)
        found = by_turns(
            world.runs,
            ours=lambda: seconds(service.call, "POST", "/api/1/composes/?dry_run=1", body),
            rival=lambda: service.compose(body)[0],
        )
        yield within(
            "answer-dry-run", f"a dry run of 1 of {count:,} packages", "the same compose: POST to done",
            found["ours"], found["rival"], 1.2,
        )  # fmt: skip
    world.remove(service)
