"""Two hosts of ours, each a network namespace with nginx, gunicorn, uvicorn × 2 and a worker.

This machine is the third, with PostgreSQL and Redis, and where the people are.

Each host has two links to here, which can be cut: `front`, by which people come, and `data`, by which it reaches
PostgreSQL and Redis. Needs root and iproute2.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

from benchmarks.servers import free_port
from tests.stack.certificate import self_signed
from tests.stack.host import Host
from tests.stack.servers import Postgresql, redis

# Of the addresses that are kept for tests of networks (RFC 2544).
DATA, FRONT = "198.18.77", "198.19.77"
HERE = 1
# Seconds until a balancer takes a host that does not answer for gone.
PATIENCE = 1.0


def ip(command: str) -> None:
    done = subprocess.run(["ip", *command.split()], text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"ip {command}: {done.stderr}")


def missing() -> str:
    """What this machine lacks for namespaces, in words; empty when nothing."""
    if os.geteuid() or not shutil.which("ip"):
        return "right to make network namespaces"
    name = f"avicenna-probe-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "network namespaces"
    ip(f"netns del {name}")
    return ""


class Link:
    """A pair of devices from a bridge here into a namespace."""

    def __init__(self, namespace: str, bridge: str, device: str, address: str) -> None:
        self._here = f"{device}h"
        ip(f"link add {self._here} type veth peer name {device} netns {namespace}")
        ip(f"link set {self._here} master {bridge} up")
        ip(f"-n {namespace} address add {address}/24 dev {device}")
        ip(f"-n {namespace} link set {device} up")

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing arrives in either direction, and nobody is told."""
        ip(f"link set {self._here} down")
        try:
            yield
        finally:
            ip(f"link set {self._here} up")


class Network:
    def __init__(self, cleanup: ExitStack) -> None:
        self._cleanup = cleanup
        self._tag = f"av{os.getpid() % 100000}"
        self._bridges = {net: self._bridge(f"{self._tag}{kind}", net) for kind, net in (("d", DATA), ("f", FRONT))}

    def host(self, number: int) -> tuple[str, dict[str, Link]]:
        """Its namespace, and its links by name."""
        name = f"{self._tag}-{number}"
        ip(f"netns add {name}")
        self._cleanup.callback(ip, f"netns del {name}")
        ip(f"-n {name} link set lo up")
        links = {
            kind: Link(name, self._bridges[net], f"{self._tag}{kind[0]}{number}", f"{net}.{HERE + number}")
            for kind, net in (("data", DATA), ("front", FRONT))
        }
        return name, links

    def _bridge(self, name: str, net: str) -> str:
        ip(f"link add {name} type bridge")
        self._cleanup.callback(ip, f"link del {name}")
        ip(f"address add {net}.{HERE}/24 dev {name}")
        ip(f"link set {name} up")
        return name


class Distant(Host):
    """One of the two. `url` names it as people do: a `door` leads there."""

    def __init__(
        self,
        number: int,
        network: Network,
        folder: Path,
        settings: dict[str, str],
        certificate: tuple[Path, Path],
        **urls: str,
    ) -> None:
        namespace, self.links = network.host(number)
        inside = ("ip", "netns", "exec", namespace)
        address = f"{FRONT}.{HERE + number}"
        super().__init__(folder, settings, certificate=certificate, address=address, inside=inside, **urls)


class Hosts:
    """`one` and `two`, with the same settings, secrets and certificate, which `tls` trusts."""

    def __init__(self, folder: Path, settings: dict[str, str], cleanup: ExitStack) -> None:
        network = Network(cleanup)
        self.postgresql = Postgresql(folder / "postgresql", free_port(), folder / "postgresql.log", f"{DATA}.{HERE}/24")
        cleanup.callback(self.postgresql.stop, 60)
        port = free_port()
        self._redis = redis(folder, port, folder / "redis.log", f"{DATA}.{HERE}")
        self._redis.start(port)
        cleanup.callback(self._redis.stop, 60)
        certificate = self_signed(folder)
        urls = {"database_url": self.postgresql.url, "redis_url": f"redis://{DATA}.{HERE}:{port}/0"}
        self.one, self.two = (
            Distant(number, network, folder / f"host-{number}", settings, certificate, **urls) for number in (1, 2)
        )
        self.tls = self.one.tls
        self.one.manage("migrate", "--verbosity=0")
        for host in (self.one, self.two):
            cleanup.callback(host.stop)
            host.serve()
        for host in (self.one, self.two):
            host.wait_until_ready()


@contextmanager
def hosts(**settings: str) -> Iterator[Hosts]:
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="avicenna-hosts-")))
        folder.chmod(0o755)  # PostgreSQL, which refuses root, has its data below
        yield Hosts(folder, settings, cleanup)


@asynccontextmanager
async def door(*ways: Host) -> AsyncIterator[int]:
    """A port here whose connections go to the hosts in turn, or to the next when one does not answer.

    TLS ends there.
    """
    turn = 0

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        turn += 1
        for way in range(len(ways)):
            host = ways[(turn + way) % len(ways)]
            with suppress(OSError, TimeoutError, asyncio.CancelledError):  # cancelled: the door is closed
                opened = await asyncio.wait_for(asyncio.open_connection(host.address, host.https_port), PATIENCE)
                await asyncio.gather(_carry(reader, opened[1]), _carry(opened[0], writer))
                return
        writer.close()

    server = await asyncio.start_server(lead, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side has said all."""
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()
