"""A TCP proxy whose connections break."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from typing import List, Optional
from urllib.parse import urlsplit


class CuttingProxy:
    """Passes bytes on until one connection has had as many, in both directions, as the first
    number of :attr:`cut_after` says; then that connection is reset."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._goal = (parts.hostname or "", parts.port or 80)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.cut_after: List[int] = []
        self._lock = threading.Lock()
        self._threads: List[threading.Thread] = []
        self._stopping = False

    def __enter__(self) -> CuttingProxy:
        self._start(self._accept)
        return self

    def __exit__(self, *_details: object) -> None:
        self._stopping = True
        self._server.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping:
            readable, _, _ = select.select([self._server], [], [], 0.05)
            if readable and not self._stopping:
                client, _ = self._server.accept()
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        passed = 0
        with client, socket.create_connection(self._goal) as server:
            while not self._stopping:
                readable, _, _ = select.select([client, server], [], [], 0.05)
                for one in readable:
                    other = server if one is client else client
                    try:
                        data = one.recv(65_536)
                        passed += len(data)
                        if not data or self._cuts(passed):
                            return self._reset(client, server)
                        other.sendall(data)
                    except OSError:
                        return self._reset(client, server)

    def _cuts(self, passed: int) -> bool:
        with self._lock:
            first: Optional[int] = self.cut_after[0] if self.cut_after else None
            if first is None or passed < first:
                return False
            self.cut_after.pop(0)
            return True

    def _reset(self, *sockets: socket.socket) -> None:
        for each in sockets:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
