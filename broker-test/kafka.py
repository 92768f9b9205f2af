"""The brokers of librdkafka's own test cluster, and kcat as a consumer.

A real Kafka needs Java, which these tests do without.
"""

import ctypes
import json
import subprocess


class Kafka:
    def __init__(self, brokers=3):
        self.library = ctypes.CDLL("librdkafka.so.1")
        for name, arguments, result in [
            ("rd_kafka_conf_new", [], ctypes.c_void_p),
            ("rd_kafka_new", [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t], ctypes.c_void_p),
            ("rd_kafka_mock_cluster_new", [ctypes.c_void_p, ctypes.c_int], ctypes.c_void_p),
            ("rd_kafka_mock_cluster_bootstraps", [ctypes.c_void_p], ctypes.c_char_p),
            ("rd_kafka_mock_broker_set_down", [ctypes.c_void_p, ctypes.c_int32], ctypes.c_int),
            ("rd_kafka_mock_broker_set_up", [ctypes.c_void_p, ctypes.c_int32], ctypes.c_int),
        ]:
            function = getattr(self.library, name)
            function.argtypes, function.restype = arguments, result
        producer = 0
        handle = self.library.rd_kafka_new(producer, self.library.rd_kafka_conf_new(), None, 0)
        self.count = brokers
        self.cluster = self.library.rd_kafka_mock_cluster_new(handle, brokers)
        self.brokers = self.library.rd_kafka_mock_cluster_bootstraps(self.cluster).decode().split(",")

    def set_down(self, is_down):
        """Lets all brokers be away, or be there again."""
        change = self.library.rd_kafka_mock_broker_set_down if is_down else self.library.rd_kafka_mock_broker_set_up
        for number in range(1, self.count + 1):
            change(self.cluster, number)

    def messages(self, topic):
        """All messages of a topic, as kcat reads them."""
        command = ["kcat", "-C", "-q", "-b", self.brokers[0], "-t", topic, "-o", "beginning", "-e", "-J"]
        return [json.loads(line) for line in subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()]
