"""nginx, with the examples of docs/security.md."""

import json
import subprocess
import sys
from pathlib import Path

import examples
import people
from nginx_frame import framed
from program import Program

HERE = Path(__file__).parent
SECRET = people.secret("between-nginx-and-the-service-5e77")
PASSWORD = people.secret("of-everybody-at-the-login-program-08f2")


class Nginx:
    password = PASSWORD

    def __init__(self, settings, authority):
        directory = settings / "nginx"
        directory.mkdir()
        certificate, key = authority.issue("nginx", "/CN=nginx", ["proxy.example.test", "login.example.test"])
        (directory / "tls.pem").symlink_to(certificate)
        (directory / "tls-key.pem").symlink_to(key)
        (directory / "clients-ca.pem").symlink_to(settings / "clients-ca.pem")
        (directory / "odcs-secret.conf").write_text(f'proxy_set_header X-Proxy-Secret "{SECRET}";\n')
        (directory / "nginx.conf").write_text(framed(examples.nginx(settings), directory))
        (directory / "password").write_text(PASSWORD)
        (directory / "groups.json").write_text(json.dumps(people.GROUPS_OF))
        self.login_program = Program(
            [sys.executable, *map(str, [HERE / "login_program.py", directory / "password", directory / "groups.json"])],
            settings.parent / "login-program.log",
            "the login program is ready",
        )
        command = ["nginx", "-c", str(directory / "nginx.conf"), "-e", "stderr"]
        subprocess.run([*command, "-t"], check=True)
        self.program = Program(command, settings.parent / "nginx.log", ("127.0.0.2", 443))

    def end(self):
        self.program.end()
        self.login_program.end()
