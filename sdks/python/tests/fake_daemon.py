"""A daemon in memory: speaks enough of the API for the clients' own tests, and misbehaves on
demand."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qs, unquote, urlsplit

import fake_commands
import fake_transfers

API_KEY = "key-of-the-fake"


@dataclass
class Upload:
    """A resumable upload that is under way."""

    path: str
    size: int
    data: bytes = b""


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    segments: List[str]
    query: Dict[str, str]
    headers: Dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Fault(Exception):
    def __init__(self, status: int, code: str, message: str = "No.", **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": message, "code": code, **details}


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests."""


@dataclass(repr=False)
class FakeDaemon:
    files: Dict[str, bytes] = field(default_factory=dict)
    links: Dict[str, str] = field(default_factory=dict)
    sandboxes: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    seen: List[Seen] = field(default_factory=list)
    #: Raw answers that are sent, in order, instead of what the daemon would say.
    instead: List[bytes] = field(default_factory=list)
    #: Events of the next streamed command.
    events: List[Tuple[str, Dict[str, Any]]] = field(default_factory=list)
    #: Result of commands.
    result: Dict[str, Any] = field(default_factory=dict)
    #: Called before a HEAD is answered.
    before_head: Optional[Callable[[], None]] = None
    #: After so many bytes each of the next bodies, of requests or answers, breaks off.
    breaks: List[int] = field(default_factory=list)
    #: Called before a part of an upload or a range is handled.
    before_part: Optional[Callable[[], None]] = None
    uploads: Dict[str, Upload] = field(default_factory=dict)
    #: What directories are downloaded as.
    archive: bytes = b""
    #: Raw archives that came, by path.
    archives: Dict[str, bytes] = field(default_factory=dict)
    #: Commands that go on by themselves, by id.
    commands: Dict[str, fake_commands.FakeCommand] = field(default_factory=dict)
    #: True once the daemon is being stopped.
    stopping: bool = False
    url: str = ""

    def start(self) -> None:
        daemon = self

        class BoundHandler(Handler):
            fake = daemon

        self._server = QuietServer(("127.0.0.1", 0), BoundHandler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.stopping = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def last(self, method: str) -> Seen:
        return next(seen for seen in reversed(self.seen) if seen.method == method)


def entry(path: str, size: int, kind: str = "file", **more: Any) -> Dict[str, Any]:
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "type": kind,
        "is_dir": kind == "directory",
        "size": size,
        "mode": {"file": "f", "directory": "d", "symlink": "l"}.get(kind, "p"),
        "permissions": "0644",
        "uid": 1000,
        "gid": 1000,
        "mtime": 1767225600,
        "modified_at": "2026-01-01T00:00:00.250Z",
        **more,
    }


def etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeDaemon

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_any(self) -> None:
        parts = urlsplit(self.path)
        seen = Seen(
            self.command,
            [unquote(segment) for segment in parts.path.split("/")[2:]],
            {key: values[0] for key, values in parse_qs(parts.query, True).items()},
            {key.lower(): value for key, value in self.headers.items()},
            self.read_body(),
        )
        self.fake.seen.append(seen)
        if self.fake.instead:
            answer = self.fake.instead.pop(0)
            self.wfile.write(answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            self.close_connection = True
            return
        try:
            if seen.headers.get("authorization") != f"Bearer {API_KEY}":
                raise Fault(401, "unauthorized", "The API key is not valid.")
            self.route(seen)
        except Fault as fault:
            self.answer(fault.status, json.dumps(fault.body).encode())

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        announced = int(self.headers.get("Content-Length") or 0)
        end = self.breaks(announced) if self.command in ("PATCH", "PUT") else None
        if end is not None:
            fake_transfers.keep_start(self, self.rfile.read(end))
            raise ConnectionError("the body breaks off")
        body = self.rfile.read(announced)
        if len(body) < announced:
            raise ConnectionError("the client went away")
        return body

    def breaks(self, size: int) -> Optional[int]:
        """After how many bytes this body breaks off."""
        if self.fake.breaks and self.fake.breaks[0] < size:
            return self.fake.breaks.pop(0)
        return None

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        self.send_header("X-Request-Id", "request-1")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        end = self.breaks(len(content)) if self.command == "GET" else None
        self.wfile.write(content[:end])
        if end is not None:
            self.close_connection = True

    def answer_json(self, value: Any, status: int = 200, **headers: str) -> None:
        self.answer(status, json.dumps(value).encode(), **headers)

    def route(self, seen: Seen) -> None:
        if seen.segments == ["sandboxes"]:
            if seen.method == "POST":
                return self.create(seen)
            return self.list_sandboxes(seen)
        sandbox = seen.segments[1]
        if sandbox not in self.fake.sandboxes:
            raise Fault(404, "sandbox_not_found", f"No sandbox {sandbox}.", sandbox=sandbox)
        rest = seen.segments[2:]
        if not rest and seen.method == "GET":
            return self.answer_json(self.fake.sandboxes[sandbox])
        if not rest:
            del self.fake.sandboxes[sandbox]
            return self.answer(204)
        if rest == ["exec"]:
            return self.answer_json({"exit_code": 0, "duration_ms": 1.5, **self.fake.result})
        if rest == ["exec", "stream"]:
            events = "".join(
                f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in self.fake.events
            )
            return self.answer(200, events.encode(), Content_Type="text/event-stream")
        if rest[0] == "commands":
            return fake_commands.commands(self, seen, rest[1:])
        if rest[0] == "uploads":
            return fake_transfers.upload(self, seen, rest[1:])
        if rest == ["fs", "archive"]:
            return fake_transfers.archive(self, seen)
        return self.files(seen, rest[1:])

    def create(self, seen: Seen) -> None:
        body = seen.json()
        info = {
            "id": str(uuid.uuid4()),
            "template": body.get("template", "base"),
            "isolation": "container",
            "namespace": body.get("namespace", "default"),
            "status": "running",
            "metadata": body.get("metadata", {}),
            "env": {},
            "resources": {"cpu": 1, "memory_mb": 512, "pids": 256},
            "volumes": body.get("volumes", []),
            "user": "user",
            "workdir": "/workspace",
            "ttl_seconds": body.get("ttl_seconds", 0),
            "created_at": "2026-01-01T00:00:00.000Z",
            "boot_ms": 12.5,
        }
        if "name" in body:
            info["name"] = body["name"]
        self.fake.sandboxes[info["id"]] = info
        self.answer_json(info, 201)

    def list_sandboxes(self, seen: Seen) -> None:
        """Two a page, whatever the limit."""
        wanted = {
            key[len("metadata.") :]: value
            for key, value in seen.query.items()
            if key.startswith("metadata.")
        }
        found = [
            info
            for info in self.fake.sandboxes.values()
            if all(info["metadata"].get(key) == value for key, value in wanted.items())
        ]
        start = int(seen.query.get("cursor", "0"))
        page = found[start : start + 2]
        if len(found) > start + 2:
            return self.answer_json(page, X_Next_Cursor=str(start + 2))
        return self.answer_json(page)

    def files(self, seen: Seen, rest: List[str]) -> None:
        files, path = self.fake.files, seen.query["path"]
        if rest == ["dir"]:
            return self.list_directory(path)
        if rest == ["stat"]:
            path = self.fake.links.get(path, path)
            if path in files:
                return self.answer_json(entry(path, len(files[path])))
            if any(name.startswith(path.rstrip("/") + "/") for name in files):
                return self.answer_json(entry(path, 4096, "directory"))
            raise Fault(404, "file_not_found", f"Nothing at {path}.", path=path)
        if rest == ["mkdir"]:
            return self.answer_json({"path": path})
        if seen.method == "PUT":
            files[path] = seen.body
            return self.answer_json(
                {"path": path, "bytes": len(seen.body)},
                ETag=etag(seen.body),
                Repr_Digest=digest(seen.body),
            )
        if path not in files and seen.method == "DELETE" and seen.query["must_exist"] == "false":
            return self.answer(204)
        if path not in files:
            raise Fault(404, "file_not_found", f"Nothing at {path}.", path=path)
        if seen.method == "DELETE":
            del files[path]
            return self.answer(204)
        if seen.method == "HEAD":
            if self.fake.before_head is not None:
                self.fake.before_head()
            if seen.headers.get("if-match") not in (None, etag(files[path])):
                raise Fault(412, "precondition_failed", path=path)
            return self.answer(200, files[path], Repr_Digest=digest(files[path]))
        if seen.headers.get("if-none-match") == etag(files[path]):
            return self.answer(304, ETag=etag(files[path]))
        return fake_transfers.read(self, seen, files[path])

    def list_directory(self, path: str) -> None:
        prefix = path.rstrip("/") + "/"
        found: Dict[str, Dict[str, Any]] = {}
        for name, data in self.fake.files.items():
            first, *deeper = name[len(prefix) :].split("/") if name.startswith(prefix) else [""]
            if first:
                kind = "directory" if deeper else "file"
                found[first] = entry(prefix + first, len(data), kind)
        for name, target in self.fake.links.items():
            if name.rsplit("/", 1)[0] + "/" == prefix:
                link = entry(name, len(target), "symlink", symlink_target=target)
                found[name[len(prefix) :]] = link
        if not found:
            raise Fault(404, "file_not_found", f"Nothing at {path}.", path=path)
        self.answer_json({"path": path, "entries": [found[name] for name in sorted(found)]})
