"""The reference implementation's frontend, odcs 0.9.2 from PyPI, under gunicorn with four workers."""
import os
import subprocess
import time
import urllib.request

from ports import free_port

HERE = os.path.dirname(os.path.abspath(__file__))


class Reference:
    def __init__(self, venv, directory, database):
        """Starts the reference implementation and waits until it answers. `database` is a URL."""
        os.makedirs(f"{directory}/target", exist_ok=True)
        environment = {
            **os.environ,
            "ODCS_CONFIG_DIR": f"{HERE}/upstream",
            "ODCS_DB_URL": database,
            "ODCS_LOG_FILE": f"{directory}/odcs.log",
            "ODCS_TARGET_DIR": f"{directory}/target",
            "PYTHONPATH": f"{HERE}/upstream",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        tables = "from odcs.server import app, db, models\nwith app.app_context(): db.create_all()"
        with open(f"{directory}/reference.log", "a") as log:
            subprocess.run([f"{venv}/bin/python", "-c", tables], check=True, env=environment, stdout=log, stderr=log)
            port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            self._process = subprocess.Popen(
                [f"{venv}/bin/gunicorn", "--workers", "4", "--bind", f"127.0.0.1:{port}", "odcs.server:app"],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/api/1/about/").close()
                return
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
        self._process.terminate()
        raise RuntimeError(f"the reference implementation did not start; see {directory}/reference.log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(60)
