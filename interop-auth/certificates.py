"""Certificate authorities, by the program openssl."""

import subprocess


def openssl(*arguments):
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Authority:
    """An authority that signs certificates. Its own certificate is in `file`."""

    def __init__(self, directory, name):
        self.directory = directory / name
        self.directory.mkdir(parents=True)
        self.file = self.directory / "ca.pem"
        self._key = self.directory / "ca-key.pem"
        openssl(
            *["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30],
            *["-subj", f"/CN={name}", "-keyout", self._key, "-out", self.file],
            *["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
        )

    def issue(self, name, subject, hosts=(), days=30):
        """Returns the files of a certificate and its key. With `hosts`, it is that of a server.

        The subject is written as openssl does, the most general part first: `/DC=test/UID=osbs`.
        """
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}-key.pem"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        purpose = "serverAuth" if hosts else "clientAuth"
        lines = ["basicConstraints=critical,CA:false", f"extendedKeyUsage={purpose}"]
        if hosts:
            lines.append("subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts))
        extensions.write_text("\n".join(lines) + "\n")
        openssl(
            *["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            *["-subj", subject, "-keyout", key, "-out", request],
        )
        openssl(
            *["x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key, "-CAcreateserial"],
            *["-days", days, "-extfile", extensions, "-out", certificate],
        )
        return certificate, key


def serial(certificate):
    return openssl("x509", "-in", certificate, "-noout", "-serial").strip().removeprefix("serial=")
