"""A PostgreSQL cluster of the benchmarks' own, on a unix socket and a loopback port.

It has PostgreSQL's own defaults.
"""
import glob
import os
import pwd
import shutil
import socket
import subprocess


def free_port():
    """Returns a loopback port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Cluster:
    """A PostgreSQL cluster in a directory of its own.

    PostgreSQL does not run as root. If the benchmarks run as root, it runs as the user postgres, which
    Debian's package makes.
    """

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
        self.bin = bins[-1] if bins else os.path.dirname(shutil.which("initdb") or "initdb")
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name

    def _run(self, program, *arguments):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        subprocess.run(
            [*as_user, f"{self.bin}/{program}", *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", stdin=subprocess.DEVNULL
        )

    def start(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self._run("initdb", "-D", f"{self.directory}/data", "-A", "trust", "-U", self.user, "-E", "UTF8", "--locale=C.UTF-8")
        options = (
            f"-k {self.directory} -p {self.port} -c listen_addresses=127.0.0.1 -c max_connections=200 "
            "-c shared_preload_libraries=pg_stat_statements"
        )
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-l", f"{self.directory}/log", "-o", options, "-w", "start")

    def stop(self):
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-m", "fast", "-w", "stop")

    def url(self, database):
        """Returns the connection string of a database for odcs-server, over the unix socket."""
        return f"host={self.directory} port={self.port} user={self.user} dbname={database}"

    def address(self, database, scheme="postgresql"):
        """Returns the connection string of a database as a URL, over the loopback port."""
        return f"{scheme}://{self.user}@127.0.0.1:{self.port}/{database}"

    def create(self, database):
        self.query("postgres", f'CREATE DATABASE "{database}"')

    def drop(self, database):
        self.query("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def query(self, database, sql):
        """Runs SQL and returns the rows as lists of strings. Raises RuntimeError if psql fails."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def numbers(self, database, sql):
        """Runs SQL and returns the first column as numbers."""
        return [float(row[0]) for row in self.query(database, sql)]
