"""Requests about templates and their builds, and the log of a build as it comes."""

from __future__ import annotations

from typing import Any, Iterator, List, Mapping, Optional, Sequence

from .._values import format_digest
from ..errors import NetworkError, SandportError
from ..resource_models import Template, TemplateBuild
from .call import Answer, Call, Request, given, ignore, json_request, target
from .events import data_of, failure
from .network import NetworkSpec, network_body
from .sse import EventParser


def list_all() -> Call[List[Template]]:
    request = Request("GET", target("templates"))
    return Call(request, lambda answer: [Template.from_wire(item) for item in answer.json()])


def get(name: str) -> Call[Template]:
    request = Request("GET", target("templates", name))
    return Call(request, lambda answer: Template.from_wire(answer.json_object()))


def delete(name: str) -> Call[None]:
    request = Request("DELETE", target("templates", name), read_timeout="forever")
    return Call(request, ignore)


def builds(name: Optional[str]) -> Call[List[TemplateBuild]]:
    request = Request("GET", target("templates", "builds", query={"name": name}))
    return Call(request, lambda answer: [TemplateBuild.from_wire(item) for item in answer.json()])


def get_build(build: str) -> Call[TemplateBuild]:
    return Call(Request("GET", target("templates", "builds", build)), _build)


def cancel_build(build: str) -> Call[None]:
    request = Request("DELETE", target("templates", "builds", build), read_timeout="forever")
    return Call(request, ignore)


def start_build(
    name: str,
    *,
    upload: Optional[str],
    packages: Optional[Sequence[str]],
    env: Optional[Mapping[str, str]],
    resources: Optional[Mapping[str, Any]],
    network: Optional[NetworkSpec],
    **others: Any,
) -> Call[TemplateBuild]:
    """:param others: fields of the same names in the API."""
    if isinstance(packages, str):
        raise TypeError("packages must be a list of names, not one string")
    body = given(
        name=name,
        upload=upload,
        packages=None if packages is None else list(packages),
        env=None if env is None else dict(env),
        resources=None if resources is None else dict(resources),
        network=network_body(network),
        detach=True,
        **others,
    )
    return Call(json_request("POST", target("templates", "build"), body), _build)


def upload_archive(size: Optional[int], sha256: Optional[bytes]) -> Request:
    """A POST without its body."""
    headers = {"Content-Type": "application/octet-stream"}
    if size is not None:
        headers["Content-Length"] = str(size)
    if sha256 is not None:
        headers["Repr-Digest"] = format_digest(sha256)
    return Request("POST", target("templates", "archives"), headers, read_timeout="forever")


def archive_name(answer: Answer, sent_bytes: int) -> str:
    """What a build takes for an archive that was sent."""
    data = answer.json_object()
    if data.get("bytes") != sent_bytes:
        raise NetworkError(
            f"The daemon took {data.get('bytes')} bytes of an archive of {sent_bytes} bytes.",
            code="unexpected_answer",
        )
    return str(data["upload"])


def _build(answer: Answer) -> TemplateBuild:
    return TemplateBuild.from_wire(answer.json_object())


class LogFeed:
    """How far one is in the log of a build, over as many connections as it takes."""

    def __init__(self, build: str) -> None:
        self._build = build
        self._told = 0
        self._at = 0
        self._parser = EventParser()
        #: What was built; None until the end.
        self.template: Optional[Template] = None
        #: What the build failed with.
        self.failure: Optional[SandportError] = None

    @property
    def ended(self) -> bool:
        return self.template is not None or self.failure is not None

    def request(self) -> Request:
        """Begins a new connection; lines that were told are left out."""
        self._at = 0
        self._parser = EventParser()
        where = target("templates", "builds", self._build, "logs")
        return Request("GET", where, {"Accept": "text/event-stream"})

    def feed(self, chunk: bytes) -> Iterator[str]:
        for event in self._parser.feed(chunk):
            if event.name == "done":
                self.template = Template.from_wire(data_of(event.data))
            elif event.name == "error":
                self.failure = failure(event.data)
            elif event.name == "log":
                self._at += 1
                if self._at > self._told:
                    self._told = self._at
                    yield str(data_of(event.data).get("line", ""))

    def broke_off(self) -> NetworkError:
        return NetworkError(
            "The connection ended before the build did.", code="network_error", retryable=True
        )
