"""nginx, which shows a server below a path."""

import socket
import subprocess
import time

from children import ending_with_caller
from nginx_frame import framed

SERVER = """
server {{
listen 127.0.0.1:{port};
location /odcs/ {{
proxy_pass {url}/;
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $http_host;
}}
}}
"""


class Nginx:
    def __init__(self, directory, port, url):
        directory.mkdir(mode=0o755)
        file = directory / "nginx.conf"
        file.write_text(framed(SERVER.format(port=port, url=url), directory))
        command = ending_with_caller(["/usr/sbin/nginx", "-c", file, "-e", "stderr"])
        self.process = subprocess.Popen(command, stderr=(directory / "log").open("wb"))
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, (directory / "log").read_text()
                time.sleep(0.05)
        raise AssertionError("nginx did not start")

    def end(self):
        self.process.terminate()
        self.process.wait(20)
