"""A node of RabbitMQ of the tests' own: its ports, its name and its files are no others' concern."""

import contextlib
import os
import subprocess

import pika

from authority import Authority
from children import ending_with_caller
from ports import free_port
from program import Program

TOPIC = "org.example.odcs.state.change"


class RabbitMQ:
    def __init__(self, directory):
        self.port, self.tls_port, distribution, mapper = (free_port() for _ in range(4))
        self.url = f"amqp://127.0.0.1:{self.port}/%2F"
        self.authority = Authority(directory / "certificates")
        certificate, key = self.authority.issue("broker", "DNS:localhost")
        (directory / "enabled_plugins").write_text("[rabbitmq_amqp1_0, rabbitmq_auth_mechanism_ssl].\n")
        # The second account has no rights, not even that to log in at the virtual host.
        (directory / "rabbitmq.conf").write_text(
            "loopback_users = none\nlog.console = true\nlog.console.level = info\nlog.file = false\n"
            "vm_memory_high_watermark.relative = 0.9\ndisk_free_limit.absolute = 1MB\n"
            # A client with a certificate needs no password: its name is that of its account.
            f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\nssl_options.cacertfile = {self.authority.certificate}\n"
            f"ssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\nssl_options.verify = verify_peer\n"
            "ssl_options.fail_if_no_peer_cert = false\nauth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\n"
            "ssl_cert_login_from = common_name\n"
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "RABBITMQ_NODENAME": f"odcs-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
            "LANG": "C.UTF-8",
        }
        command = ending_with_caller(["epmd", "-address", "127.0.0.1", "-port", mapper])
        self.mapper = subprocess.Popen(command, env=self.environment)
        self.node = Program(
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"], directory / "node.log", "Server startup complete", self.environment, patience=180
        )

    def stop(self):
        self.node.stop()

    def start(self):
        self.node.start()

    def close(self):
        self.node.stop()
        self.mapper.kill()
        self.mapper.wait()

    def channel(self):
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        return connection.channel()

    @contextlib.contextmanager
    def queue(self, name):
        """A durable queue that gets all messages to the exchange `amq.topic`, also after a restart of the node."""
        channel = self.channel()
        channel.queue_declare(name, durable=True)
        channel.queue_bind(name, "amq.topic", "#")
        channel.connection.close()
        try:
            yield name
        finally:
            channel = self.channel()
            channel.queue_delete(name)
            channel.connection.close()

    def take(self, queue, count):
        """Takes messages from a queue until it has `count` different ids, and returns all of them in order."""
        channel = self.channel()
        taken, ids = [], set()
        for method, properties, body in channel.consume(queue, inactivity_timeout=120):
            assert method is not None, f"{len(ids)} of {count} messages came"
            taken.append((method, properties, body))
            ids.add(properties.message_id)
            channel.basic_ack(method.delivery_tag)
            if len(ids) >= count:
                break
        channel.cancel()
        channel.connection.close()
        return taken
