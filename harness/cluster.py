"""PostgreSQL clusters of a suite's own, on a unix socket and a loopback port.

They have PostgreSQL's own defaults, so what PostgreSQL has confirmed survives `-m immediate`.
"""
import glob
import os
import pwd
import shutil
import subprocess

from ports import free_port


class Cluster:
    """A PostgreSQL cluster in a directory of its own.

    PostgreSQL does not run as root. If the caller is root, it runs as the user postgres, which Debian's
    package makes.
    """

    def __init__(self, directory, **settings):
        """Makes nothing yet.

        Args:
            settings: Parameters of PostgreSQL that differ from their defaults, such as
                `shared_preload_libraries="pg_stat_statements"`.
        """
        self.directory = directory
        self.settings = {"listen_addresses": "127.0.0.1", "max_connections": 200, **settings}
        self.port = free_port()
        bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[-2]))
        self.bin = bins[-1] if bins else os.path.dirname(shutil.which("initdb") or "initdb")
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.runs = False

    def _run(self, program, *arguments):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
        subprocess.run(
            [*as_user, f"{self.bin}/{program}", *arguments], check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def _control(self, *arguments):
        self._run("pg_ctl", "-D", f"{self.directory}/data", "-w", "-t", "120", *arguments)

    @property
    def _options(self):
        return f"-k {self.directory} -p {self.port} " + " ".join(f"-c {name}={value}" for name, value in self.settings.items())

    def _make_directory(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")

    def create(self):
        """Makes the cluster anew and starts it."""
        self._make_directory()
        self._run("initdb", "-D", f"{self.directory}/data", "-A", "trust", "-U", self.user, "-E", "UTF8", "--locale=C.UTF-8")
        self.start()
        return self

    def start(self):
        self._control("-l", f"{self.directory}/log", "-o", self._options, "start")
        self.runs = True

    def stop(self, mode="fast"):
        if self.runs:
            self._control("-m", mode, "stop")
            self.runs = False

    def restart(self, mode):
        self._control("-l", f"{self.directory}/log", "-o", self._options, "-m", mode, "restart")

    def standby(self, directory):
        """Makes a standby that has each transaction before this cluster confirms it, and starts it."""
        standby = Cluster(directory, **self.settings)
        standby._make_directory()
        source = f"host=127.0.0.1 port={self.port} user={self.user} application_name=standby"
        self._run("pg_basebackup", "-d", source, "-D", f"{directory}/data", "-R", "-X", "stream", "-c", "fast")
        standby.start()
        self.query("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.query("postgres", "SELECT pg_reload_conf()")
        return standby

    def promote(self):
        self._control("promote")

    def database(self, name="odcs"):
        """Makes a database, and returns its name."""
        self.query("postgres", f'CREATE DATABASE "{name}"')
        return name

    def drop(self, name):
        """Removes a database, and ends its connections."""
        self.query("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def address(self, database="odcs", *others):
        """Returns the connection string of a database over loopback. It may be on one of other clusters, too."""
        all = [self, *others]
        hosts, ports = ",".join("127.0.0.1" for _ in all), ",".join(str(cluster.port) for cluster in all)
        which = " target_session_attrs=read-write" if others else ""
        return f"host={hosts} port={ports} user={self.user} dbname={database}{which}"

    def socket_address(self, database):
        """Returns the connection string of a database over the unix socket."""
        return f"host={self.directory} port={self.port} user={self.user} dbname={database}"

    def url(self, database):
        """Returns the connection string of a database over loopback, as a URL."""
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{database}"

    def query(self, database, sql):
        """Runs SQL and returns the rows as lists of strings. Raises RuntimeError if psql fails."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.address(database)]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def number(self, database, sql):
        """Runs SQL and returns the first value as a whole number."""
        return int(self.query(database, sql)[0][0])

    def numbers(self, database, sql):
        """Runs SQL and returns the first column as numbers."""
        return [float(row[0]) for row in self.query(database, sql)]
