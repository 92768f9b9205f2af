"""A certificate authority of the tests' own."""

import subprocess


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Authority:
    def __init__(self, directory, name="tests"):
        self.directory = directory
        directory.mkdir(mode=0o755, exist_ok=True)
        self.certificate, self.key = directory / f"{name}-ca.crt", directory / f"{name}-ca.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", "2", "-subj", f"/CN={name}")

    def issue(self, name, hosts="DNS:localhost,IP:127.0.0.1"):
        """Makes a certificate, and returns its file and that of its key. RabbitMQ runs as the user of the tests, who can read both."""
        request, certificate, key = (self.directory / f"{name}.{ending}" for ending in ("csr", "crt", "key"))
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}", "-addext", f"subjectAltName={hosts}")
        openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial"),
            *("-out", certificate, "-days", "2", "-copy_extensions", "copy"),
        )
        return certificate, key
