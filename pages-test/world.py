"""The objects that the pages are about: composes of each state, a watch, images, builds and a rebuild."""

import json
from pathlib import Path

PAGES = json.loads((Path(__file__).parent / "pages.json").read_text())

# The API refuses characters that show nothing. Unit tests put those into the database.
MARKUP = "<script>document.title='taken'</script><img/src=x/onerror=alert(1)>"
RIGHT_TO_LEFT = "\u05e9\u05dc\u05d5\u05dd"
LONG = "a" * 200


class World:
    """Makes the objects at a server that asks for no credentials. `numbers` has the number of each."""

    def __init__(self, server, held):
        self.server = server
        self.numbers = {
            "done": server.submit("ed"),
            "hostile": server.submit(MARKUP, RIGHT_TO_LEFT, *(f"{LONG}{number}" for number in range(2000))),
            "failed": server.submit("ed", "no-such-package"),
            "gui": server.submit("ed", "ed-gui"),
            "watch": self.watch(),
        }
        image, build = self.build("demo/words", "FROM scratch\nENV WORD=ed\n")
        _, broken = self.build("demo/broken", 'FROM scratch\nRUN ["/no-such-program"]\n')
        rebuild = server.ask("/api/1/rebuilds/", {"compose": self.numbers["gui"], "advisory": "EXAMPLE-2026:1"})["id"]
        self.numbers |= {"image": image, "build": build, "brokenBuild": broken, "rebuild": rebuild}
        self.numbers["running"] = server.submit("ed", source=held.repository("looks"), wait=False)
        self.numbers["waiting"] = server.submit("ed", source=held.repository("looks-2"), wait=False)
        held.release("looks-2")

    def watch(self):
        """A watch whose looks fail, because no hub answers."""
        number = self.server.ask("/api/1/watches/", {"source": {"type": "tag", "source": "f26", "packages": ["ed"]}})["id"]
        self.server.until(f"/api/1/watches/{number}", lambda watch: watch["problem"])
        return number

    def build(self, repository, containerfile):
        """An image with a build that has ended."""
        definition = {"source": {"containerfile": containerfile}, "platforms": ["linux/amd64"]}
        image = self.server.ask("/api/1/images/", {"repository": repository, "definition": definition})["id"]
        build = self.server.ask(f"/api/1/images/{image}/builds", {})["id"]
        self.server.until(f"/api/1/builds/{build}", lambda build: build["state_name"] in ("done", "failed", "canceled"))
        return image, build

    def addresses(self, sender=None):
        """The addresses of the table for a person, or those for which nobody has to log in."""
        pages = [page for page in PAGES if page.get("as") == sender]
        return [address.format(**self.numbers) for page in pages for address in page["addresses"]]
