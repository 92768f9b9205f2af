"""Workers that build images are killed."""
import json
import os
import random
import shutil
import subprocess
import time

from ports import free_port
from scenario import Skipped

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(scenario):
    """Builds of images while a random worker gets SIGKILL every few seconds."""
    missing = [program for program in ("docker-registry", "buildah", "runc", "newuidmap") if not shutil.which(program)]
    if missing or not scenario.options.client:
        raise Skipped(f"{', '.join(missing) or '--client'} is missing")
    registry = _registry(scenario)
    cluster = scenario.cluster()
    webhook, options = scenario.subscribers({"frontends": 1, "workers": 2, "settings": {
        "images": {"registry": registry, "insecure_registries": [registry], "min_free_megabytes": 0}, "worker": {"retry_seconds": 1},
    }})
    service = scenario.service(cluster.address(), **options)
    # The images of the workers belong to subordinate numbers of another user, but root can delete them.
    with service:
        base = scenario.path("base")
        subprocess.run([f"{ROOT}/scripts/image-root", f"{base}/root"], check=True, stdout=subprocess.DEVNULL)
        _odcs(scenario, service, base, "base", "FROM scratch\nCOPY root /\nENV PATH=/usr/bin:/usr/sbin\n", wait=True)
        builds = [
            _odcs(scenario, service, scenario.path(f"app{i}"), f"app{i}", f"FROM {registry}/base\nRUN echo {i} > /number\n")
            for i in range(scenario.amount(10, 2))
        ]
        dice = random.Random(scenario.seed)
        kills = 0
        while True:
            states = [service.call("GET", f"/api/1/builds/{build}").json["state_name"] for build in builds]
            if all(state in ("done", "failed") for state in states):
                break
            if kills > 200:
                raise RuntimeError(f"the builds do not end: {states}")
            time.sleep(dice.uniform(2, 8))
            victim = dice.choice(service.workers)
            victim.kill()
            victim.start()
            kills += 1
        # The workers that were killed last have left files, which the next builds remove.
        time.sleep(5)
        checker = scenario.checker(service, cluster)
        checker.must(all(state == "done" for state in states), f"the builds are {states}")
        checker.none(
            "SELECT build_id, count(*) FROM events WHERE state IN (2, 4) AND build_id IS NOT NULL GROUP BY 1 HAVING count(*) <> 1",
            "builds that ended more than once")
        scenario.note(f"{len(builds)} builds, {kills} workers killed")
        scenario.note(checker.all([], webhook))


def _registry(scenario):
    port = free_port()
    configuration = f"{scenario.directory}/registry.yml"
    with open(configuration, "w") as stream:
        json.dump({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": f"{scenario.directory}/registry"}, "delete": {"enabled": True}},
            "http": {"addr": f"127.0.0.1:{port}", "secret": "example"},
        }, stream)
    with open(f"{scenario.directory}/registry.log", "w") as log:
        process = subprocess.Popen(["docker-registry", "serve", configuration], stdout=log, stderr=log)

    def end():
        process.terminate()
        process.wait()

    scenario.on_close(end)
    return f"127.0.0.1:{port}"


def _odcs(scenario, service, folder, name, containerfile, wait=False):
    """Adds an image and begins a build of it. Returns the id of the build."""
    with open(f"{folder}/Containerfile", "w") as stream:
        stream.write(containerfile)
    server = ["--server", f"http://127.0.0.1:{service.frontends[0].port}"]
    environment = {**os.environ, "HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}

    def command(*words):
        done = subprocess.run([scenario.options.client, *words, *server], capture_output=True, text=True, env=environment)
        if done.returncode:
            raise RuntimeError(f"odcs {' '.join(words)}: {done.stdout[-300:]}{done.stderr[-300:]}")
        return done.stdout

    command("image", "add", name, folder)
    output = command("image", "build", name, "--json", *([] if wait else ["--no-wait"]))
    return json.loads(output)["id"]
