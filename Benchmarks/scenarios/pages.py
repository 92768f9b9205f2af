"""The page of a compose of all packages."""
import http.client
import time
from urllib.parse import urlsplit

from rows import within
from service import of_repository
from timing import by_turns

# The pages of one sample. One alone takes a few milliseconds.
PAGES = 10


def page(world):
    """The first byte of the page of a compose of all packages against that of a compose of 10."""
    repository = world.repository()
    world.tools.warm(repository)
    # The frontend has a process of its own, so that its memory is not that of the worker.
    with world.service("pages", workers=1) as service:
        large = service.compose(of_repository(repository))[1]
        small = service.compose(of_repository(repository, world.requests(repository, 10)))[1]
        count = len(world.names(repository))
        connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=120)

        def first_bytes(path):
            """Returns the seconds until the first byte, for several pages."""
            total = 0
            for _ in range(PAGES):
                begin = time.perf_counter()
                connection.request("GET", path, headers={"Accept": "text/html"})
                answer = connection.getresponse()
                answer.read(1)
                total += time.perf_counter() - begin
                assert answer.status == 200, answer.status
                answer.read()
            return total

        first_bytes(f"/compose/{small['id']}")
        before = service.frontend.memory()["VmRSS"]
        found = by_turns(
            world.runs,
            ours=lambda: first_bytes(f"/compose/{large['id']}"),
            rival=lambda: first_bytes(f"/compose/{small['id']}"),
        )
        search = first_bytes(f"/compose/{large['id']}/packages?q=no-such-package") / PAGES
        after = service.frontend.memory()["VmHWM"]
        yield within(
            "answer-page", f"the first byte of the page of a compose of {count:,} packages, {PAGES} times",
            "that of a compose of 10 packages", found["ours"], found["rival"], 5, search_s=search, grown_mib=after - before,
        )  # fmt: skip
    world.remove(service)
