"""The images that have an older package, out of many."""
import time

from images.imageworld import ImageWorld
from rows import Row, duration, no_longer
from service import of_repository
from timing import by_turns, percentile, seconds
from world import TESTS_REPO

IMAGES = 10_000
# The packages of each image besides libed.
PACKAGES = 199
# The images with an old libed.
AFFECTED = 1_000

# Every tenth image is the base of the nine that follow. The names of packages and their builds are
# those of a distribution with several releases.
FILL = """
SET session_replication_role = replica;
INSERT INTO images (owner, repository, definition)
    SELECT i.owner, '{host}/many/image-' || n, jsonb_set(i.definition, '{{source,containerfile,_0}}', to_jsonb(CASE
        WHEN n % 10 = 0 THEN E'FROM scratch\\nRUN true\\n' ELSE format(E'FROM {host}/many/image-%s\\nRUN true\\n', n - n % 10) END))
    FROM images i, generate_series(0, {images} - 1) n WHERE i.repository = '{host}/many/pattern';
UPDATE images SET removed_at = now() WHERE repository = '{host}/many/pattern';
CREATE TEMPORARY TABLE numbered AS
    SELECT id, n, 'sha256:' || encode(sha256(n::text::bytea), 'hex') AS digest FROM (
        SELECT id, split_part(repository, 'image-', 2)::int AS n FROM images WHERE removed_at IS NULL) i;
INSERT INTO contents (digest, platform, layers, state)
    SELECT digest, 'linux/amd64', CASE WHEN n % 10 = 0 THEN ARRAY[digest]
        ELSE ARRAY['sha256:' || encode(sha256((n - n % 10)::text::bytea), 'hex'), digest] END, 'read' FROM numbered ORDER BY n;
INSERT INTO image_manifests (image_id, platform, digest, is_known) SELECT id, 'linux/amd64', digest, true FROM numbered;
INSERT INTO packages (name, arch, epoch, version, release, source)
    SELECT 'package-' || name, 'x86_64', 0, '1.' || build, '1.el9', format('package-%s-1.%s-1.el9.src.rpm', name, build)
    FROM generate_series(0, 999) name, generate_series(0, 4) build;
INSERT INTO packages (name, arch, epoch, version, release, source)
    VALUES ('libed', 'x86_64', 0, '1.0', '1', 'libed-1.0-1.src.rpm'), ('libed', 'x86_64', 0, '1.1', '2', 'libed-1.1-2.src.rpm');
INSERT INTO content_packages (package_id, content_id)
    SELECT p.id, c.id FROM numbered i JOIN contents c ON c.digest = i.digest CROSS JOIN generate_series(0, {packages} - 1) k
    JOIN packages p ON p.name = 'package-' || (i.n * 7 + k * 5) % 1000 AND p.version = '1.' || (i.n + k) % 5;
INSERT INTO content_packages (package_id, content_id)
    SELECT p.id, c.id FROM numbered i JOIN contents c ON c.digest = i.digest
    JOIN packages p ON p.name = 'libed' AND p.version = CASE WHEN (i.n / 10) % {share} = 0 THEN '1.0' ELSE '1.1' END;
ANALYZE;
"""


def affected(world):
    """Who has an older package, and the plan of a rebuild, with 10,000 images of 200 packages."""
    count = 1_000 if world.quick else IMAGES
    old = count // (IMAGES // AFFECTED)
    with ImageWorld(world, "affected") as images:
        name, database = world.database()
        # A worker makes the compose with the fix. Then only a frontend runs, so that nobody looks at the images.
        with images.service("many", images={"slots": 0, "node_slots": 0}, database=database) as service:
            fix = service.compose(of_repository(TESTS_REPO, ["libed"]))[1]["id"]
            service.add("many/pattern", "FROM scratch\nRUN true\n")
        world.cluster.query(
            name, "SET search_path = odcs;" + FILL.format(host=images.registry.host, images=count, packages=PACKAGES, share=IMAGES // AFFECTED)
        )
        rows = world.cluster.numbers(name, "SELECT count(*) FROM odcs.content_packages")[0]
        with images.service("many", workers=0, images={"slots": 0, "node_slots": 0}, database=database) as service:
            path = "/api/1/images/?contains=libed&older_than=1.1-2"
            found = service.call("GET", path)["meta"]["total"]
            if found != old:
                raise RuntimeError(f"{found} images are affected and {old} should be")
            empty = "/api/1/images/?repository=nothing"
            samples = by_turns(
                100 if world.quick else 300,
                ours=lambda: seconds(service.call, "GET", path),
                empty=lambda: seconds(service.call, "GET", empty),
            )
            plans = []
            for _ in range(world.runs):
                begin = time.perf_counter()
                plan = service.call("POST", "/api/1/rebuilds/", {"compose": fix, "dry_run": True})
                plans.append(time.perf_counter() - begin)
                planned = sum(row["decision"] == "build" for row in plan["plan"])
                if planned != old:
                    raise RuntimeError(f"{planned} images would be built and {old} should be: {str(plan)[:300]}")
    ours, empty = (percentile(samples[side], 0.95) for side in ("ours", "empty"))
    yield Row(
        "affected", f"the images with an older package: {old:,} of {count:,} with {PACKAGES + 1} packages", "an empty list of the same server",
        "p95 within 5 times", ours / empty, f"{ours / empty:.2f} times ({duration(ours)} : {duration(empty)})", ours <= 5 * empty,
        {"ours_s": samples["ours"], "rival_s": samples["empty"]}, {"rows": rows},
    )  # fmt: skip
    yield no_longer("plan", f"… the plan of a rebuild of these {old:,} images", plans, 1)
