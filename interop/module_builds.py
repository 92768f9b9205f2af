"""The module builds in a Koji's tree of files, in the forms that Koji's hub and the Module Build
Service report them.
"""

import re
from pathlib import Path
from urllib.parse import parse_qs

PACKAGE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<release>[^-]+)\.(?P<arch>[^.]+)\.rpm")


class ModuleBuild:
    def __init__(self, number, directory):
        self.id = 5000 + number
        self.document = (directory / "files/module/modulemd.txt").read_text()
        self.name, self.version, self.release = directory.parts[-3:]
        # Koji writes the dash of a stream as an underscore.
        self.stream = re.search(r"^  stream: (.+)$", self.document, re.MULTILINE)[1].strip("'\"")
        self.number, self.context = self.release.split(".")
        self.nvr = "-".join(directory.parts[-3:])
        self.tag = f"module-{self.name}-{self.stream}-{self.number}-{self.context}"

    @property
    def names(self):
        return [self.name, self.stream, self.number, self.context]

    @property
    def build(self):
        return {
            "build_id": self.id, "id": self.id, "name": self.name, "version": self.version, "release": self.release,
            "epoch": None, "nvr": self.nvr, "state": 1, "volume_name": "DEFAULT", "package_id": self.id, "task_id": None,
            "owner_name": "mbs", "creation_event_id": 86, "draft": False,
        }

    @property
    def module(self):
        return {
            "name": self.name, "stream": self.stream, "version": self.number, "context": self.context,
            "content_koji_tag": self.tag, "modulemd_str": self.document, "module_build_service_id": self.id,
        }

    @property
    def item(self):
        return {
            "id": self.id, "name": self.name, "stream": self.stream, "version": self.number, "context": self.context,
            "state": 5, "state_name": "ready", "koji_tag": self.tag, "modulemd": self.document, "scratch": False,
            "base_module_buildrequires": [{"name": "platform", "stream": "f26.0.0", "stream_version": 260000.0}],
        }


class ModuleBuilds:
    def __init__(self, topdir):
        self.topdir = Path(topdir)
        found = sorted(path.parent.parent for path in self.topdir.glob("packages/*/*/*/files/module"))
        self.builds = [ModuleBuild(number, directory) for number, directory in enumerate(found)]

    def named(self, build):
        return next((known for known in self.builds if build in (known.id, known.nvr)), None)

    def tagged(self, tag, arches):
        """Returns the packages and builds in the tag of a module, which are those that its document names."""
        module = next((known for known in self.builds if known.tag == tag), None)
        rpms, builds = [], {}
        for file in sorted(self.topdir.glob("packages/*/*/*/*/*.rpm")) if module else []:
            parts = PACKAGE.fullmatch(file.name).groupdict()
            if f"{parts['name']}-0:{parts['version']}-{parts['release']}.{parts['arch']}" not in module.document:
                continue
            name, version, release = file.parts[-5:-2]
            build = builds.setdefault(file.parts[-5:-2], {
                **module.build, "build_id": 6000 + len(builds), "id": 6000 + len(builds), "name": name, "version": version,
                "release": release, "nvr": f"{name}-{version}-{release}", "tag_name": tag,
            })
            if arches is None or parts["arch"] in arches:
                rpms.append({
                    **parts, "id": 7000 + len(rpms), "build_id": build["id"], "epoch": None, "external_repo_id": 0,
                    "metadata_only": False, "size": file.stat().st_size, "payloadhash": None,
                })
        return [rpms, list(builds.values())] if module else None

    def answer(self, query):
        """Returns the answer to GET /1/module-builds/ as a value for JSON."""
        query = parse_qs(query)
        wanted = query.get("nsvc", query.get("name", [""]))[0].split(":")
        states = query.get("state", ["5"])
        found = [build for build in self.builds if build.names[: len(wanted)] == wanted and ("5" in states or "ready" in states)]
        found.sort(key=lambda build: int(build.number), reverse=True)
        size, page = int(query.get("per_page", ["10"])[0]), int(query.get("page", ["1"])[0])
        items = found[(page - 1) * size : page * size]
        meta = {"page": page, "pages": -(-len(found) // size), "per_page": size, "total": len(found)}
        return {"items": [build.item for build in items], "meta": meta}
