"""A registry for the images of a server."""

import re
import subprocess
import time

from children import ending_with_caller

SETTINGS = """
version: 0.1
log: {{level: info, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{directory}/content"}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:0", secret: example}}
"""


class Registry:
    def __init__(self, directory):
        directory.mkdir(mode=0o755)
        file = directory / "registry.yml"
        file.write_text(SETTINGS.format(directory=directory))
        log = directory / "log"
        command = ending_with_caller(["docker-registry", "serve", file])
        self.process = subprocess.Popen(command, stdout=log.open("wb"), stderr=subprocess.STDOUT)
        for _ in range(300):
            if found := re.search(r"listening on (127\.0\.0\.1:[0-9]+)", log.read_text()):
                self.host = found[1]
                return
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"the registry did not start:\n{log.read_text()}")

    def end(self):
        self.process.terminate()
        self.process.wait(20)
