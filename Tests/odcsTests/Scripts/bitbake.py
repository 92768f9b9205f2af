"""Runs the fetcher of docs/bitbake with a stand-in for BitBake's modules and data store.

    bitbake.py FOLDER_OF_THE_FETCHER URL DL_DIR WORK_DIR [NAME=VALUE...]

Prints the path of the archive and each warning, or the name of the error and its text.
"""
import sys
import types


class FetchError(Exception):
    def __init__(self, message, url=None):
        super().__init__(message)


class NoChecksumError(FetchError):
    pass


class FetchMethod:
    pass


class Logger:
    def warning(self, text, *arguments):
        print("warning:", text % arguments)


fetch2 = types.ModuleType("bb.fetch2")
fetch2.FetchMethod, fetch2.FetchError, fetch2.NoChecksumError, fetch2.logger = FetchMethod, FetchError, NoChecksumError, Logger()
sys.modules["bb"] = types.ModuleType("bb")
sys.modules["bb.fetch2"] = fetch2
sys.path.insert(0, sys.argv[1])
from container_image import ContainerImage  # noqa: E402

url, downloads, work = sys.argv[2:5]
values = dict(pair.split("=", 1) for pair in sys.argv[5:])


class Data:
    def getVar(self, name):
        return {"DL_DIR": downloads, **values}.get(name)


class URLData:
    def __init__(self, url):
        self.url, self.type = url, url.split("://")[0]
        self.parm = dict(pair.split("=", 1) for pair in url.split(";")[1:])


data, image, fetcher = Data(), URLData(url), ContainerImage()
assert fetcher.supports(image, data)
try:
    fetcher.urldata_init(image, data)
    fetcher.download(image, data)
    fetcher.unpack(image, work, data)
    print(image.localpath)
except FetchError as error:
    print(type(error).__name__ + ":", error)
