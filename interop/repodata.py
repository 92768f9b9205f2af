"""Reads from the metadata of a compose's repositories which packages they have."""

import gzip
import xml.etree.ElementTree

import requests


def package_names(repository):
    repomd = xml.etree.ElementTree.fromstring(fetch(f"{repository}/repodata/repomd.xml"))
    href = repomd.find("{*}data[@type='primary']/{*}location").attrib["href"]
    primary = xml.etree.ElementTree.fromstring(gzip.decompress(fetch(f"{repository}/{href}")))
    return {package.findtext("{*}name") for package in primary.iterfind("{*}package")}


def fetch(url):
    answer = requests.get(url, allow_redirects=False, timeout=60)
    assert answer.status_code == 200, url
    return answer.content
