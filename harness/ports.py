"""Ports of the loopback address."""
import os
import socket

_given = set()


def free_port():
    """Returns a port that was free a moment ago, and that this function has not returned before.

    The port is below those that the kernel gives to outgoing connections. So it is still free when a
    server that was killed starts again. Two campaigns at the same time begin at different ports.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range") as limits:
        lowest = int(limits.read().split()[0])
    first = 10000 + os.getpid() * 97 % 15000
    for port in range(first, lowest):
        if port in _given:
            continue
        try:
            with socket.create_server(("127.0.0.1", port)):
                _given.add(port)
                return port
        except OSError:
            continue
    raise RuntimeError("no port is free")
