"""read_compose.py DIRECTORY: what productmd reads in a compose's four documents, printed as JSON."""
import json
import sys

from productmd.compose import Compose

compose = Compose(sys.argv[1])
info = compose.info
variants = {
    variant.uid: {
        "arches": sorted(variant.arches),
        "repository": variant.paths.repository,
        "debug_repository": variant.paths.debug_repository,
        "source_repository": variant.paths.source_repository,
    }
    for variant in info.get_variants()
}
rpms = [
    {"variant": variant, "arch": arch, "source": source, "nevra": nevra, **rpm}
    for variant, arches in compose.rpms.rpms.items()
    for arch, sources in arches.items()
    for source, packages in sources.items()
    for nevra, rpm in packages.items()
]
print(
    json.dumps(
        {
            "id": info.compose.id,
            "type": info.compose.type,
            "date": info.compose.date,
            "label": info.compose.label,
            "release": info.release.short,
            "variants": variants,
            "rpms": rpms,
            "images": compose.images.images,
            "modules": compose.modules.modules,
        }
    )
)
