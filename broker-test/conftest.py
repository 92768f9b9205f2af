"""Fixtures for the tests of odcs-publisher. `scripts/broker-test` starts them and sets these variables:

BROKER_TEST_SERVER     odcs-server
BROKER_TEST_PUBLISHER  odcs-publisher
BROKER_TEST_REPO       the directory of tests-repo
"""

import os

import pytest

from rabbitmq import RabbitMQ
from service import Service

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory):
    rabbitmq = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    yield rabbitmq
    rabbitmq.close()


@pytest.fixture
def service(tmp_path):
    """Starts services with subscribers, and ends them after the test."""
    # PostgreSQL runs as another user if root runs the tests, and must be able to enter.
    for directory in (tmp_path, tmp_path.parent):
        os.chmod(directory, 0o711)
    started = []

    def start(subscribers):
        started.append(Service(tmp_path / f"service-{len(started)}", subscribers))
        return started[-1]

    yield start
    for each in started:
        each.close()
