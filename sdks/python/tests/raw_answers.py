"""Answers as they go over the wire, for ``FakeDaemon.instead``."""

from __future__ import annotations

import json
from typing import Any, Dict, Tuple

SANDBOX_ID = "00000000-0000-4000-8000-000000000001"


def answer(value: Any, status: int = 200, **headers: str) -> bytes:
    body = json.dumps(value).encode()
    fields = {"Content-Length": str(len(body)), **headers}
    return _head(status, fields) + body


def refusal(status: int, code: str, message: str = "No.") -> bytes:
    return answer({"error": message, "code": code}, status)


def stream(*events: Tuple[str, Dict[str, Any]], breaks: bool = False, **headers: str) -> bytes:
    """Server-sent events. With ``breaks`` the connection breaks behind the last one."""
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events).encode()
    fields = {"Content-Type": "text/event-stream", **headers}
    if breaks:
        fields["Content-Length"] = str(len(body) + 100)
    return _head(200, fields) + body


def sandbox(**more: Any) -> Dict[str, Any]:
    return {
        "id": SANDBOX_ID,
        "template": "base",
        "isolation": "gvisor",
        "namespace": "default",
        "status": "running",
        "metadata": {},
        "env": {},
        "resources": {"cpu": 1, "memory_mb": 512, "pids": 256},
        "volumes": [],
        "ttl_seconds": 0,
        **more,
    }


def _head(status: int, fields: Dict[str, str]) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"HTTP/1.1 {status} So", *lines, "", ""]).encode()
