"""Cloud server: answers a bundle's packets over TCP, as the other end of benchmarks/latency.py.

    python benchmarks/cloud_server.py BUNDLE --threads 1

Prints the port that it listens on. A message is its length in four bytes, then a packet; an empty one is answered
by an empty one, which tells the round trip.
"""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

from deploy.bundle import Bundle
from deploy.cloud import CloudRuntime

LENGTH = 4


def sent(message: bytes) -> bytes:
    """Return a message as it is sent."""
    return len(message).to_bytes(LENGTH, "big") + message


def received(connection: socket.socket) -> bytes | None:
    """Return the next message; None where the other end has closed."""
    head = _exactly(connection, LENGTH)
    return None if len(head) < LENGTH else _exactly(connection, int.from_bytes(head, "big"))


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count and (more := connection.recv(count - len(parts))):
        parts += more
    return parts


def serve(cloud: CloudRuntime, listener: socket.socket) -> None:
    """Answer one connection until it is closed; an answer is its arrays' bytes."""
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while (packet := received(connection)) is not None:
        answer = cloud.answer(packet) if packet else {}
        connection.sendall(sent(b"".join(values.tobytes() for values in answer.values())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    cloud = CloudRuntime(Bundle.open(options.bundle), options.threads)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        serve(cloud, listener)


if __name__ == "__main__":
    main()
