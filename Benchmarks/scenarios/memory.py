"""The worker's memory."""
from rows import no_more
from service import of_repository


def memory(world):
    """With the pool of the whole repository loaded, and at the most while composing all of it."""
    repository = world.repository()
    packages = world.requests(repository, 10)
    with world.service("memory", workers=1) as service:
        (worker,) = service.workers
        service.compose(of_repository(repository, packages))
        # The compose that fetched and indexed the metadata is behind it: a server that is started again shows the pool alone.
        indexing = worker.memory()
    with world.service("memory", workers=1, keep=True) as service:
        (worker,) = service.workers
        idle = worker.memory()
        service.compose(of_repository(repository, packages))
        loaded = worker.memory()
        worker.forget_peak()
        in_all = len(world.names(repository))
        service.compose(of_repository(repository))
        peak = worker.memory()
    world.remove(service)
    details = {"idle_mib": idle, "loaded_mib": loaded, "all_mib": peak, "first_compose_mib": indexing}
    yield no_more("memory-loaded", f"worker's memory: pool of {in_all:,} loaded", loaded["VmRSS"], 250, "MiB", **details)
    yield no_more("memory-peak", f"… at its peak while composing all {in_all:,}", peak["VmHWM"], 600, "MiB", **details)
