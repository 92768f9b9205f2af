"""The reference implementation as its frontend is deployed, without authentication, on the PostgreSQL that both are measured on.

There is no broker: a POST writes the compose down and is answered, which leaves out the message that would wake a backend.
"""
import os


class ProdConfiguration:
    SECRET_KEY = "benchmarks"
    SQLALCHEMY_DATABASE_URI = os.environ["ODCS_DB_URL"]
    SQLALCHEMY_TRACK_MODIFICATIONS = False
    AUTH_BACKEND = "noauth"
    LOG_BACKEND = "file"
    LOG_FILE = os.environ["ODCS_LOG_FILE"]
    LOG_LEVEL = "error"
    TARGET_DIR = os.environ["ODCS_TARGET_DIR"]
    ALLOWED_SOURCE_TYPES = ["tag", "module", "build", "repo"]
    ALLOWED_CLIENTS = {"groups": {}, "users": {}}

    # Looked at when it starts, and used by its backend only.
    PUNGI_CONF_PATH = __file__
    CELERY_ROUTER_CONFIG = {"routing_rules": {"odcs": {}}, "cleanup_task": "cleanup", "default_queue": "odcs"}
