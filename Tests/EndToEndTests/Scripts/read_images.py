"""read_images.py COMPOSE: what productmd reads in a compose's images.json, by architecture, as JSON."""
import json
import os
import sys

import productmd.images

images = productmd.images.Images()
images.load(os.path.join(sys.argv[1], "compose/metadata/images.json"))
answer = {}
for arches in images.images.values():
    for arch, all_of_arch in arches.items():
        answer[arch] = [{"path": image.path, "type": image.type, "format": image.format} for image in all_of_arch]
json.dump(answer, sys.stdout)
