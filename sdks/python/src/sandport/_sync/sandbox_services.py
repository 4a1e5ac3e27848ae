"""What a sandbox offers beside files and commands."""

from __future__ import annotations

from typing import List, Mapping, Optional, Sequence

from .._wire import code, ports
from .._wire.code import ErrorCallback, ResultCallback, StreamedCode
from .._wire.output_text import OutputCallback
from ..code_models import CodeExecution
from ..models import SandboxInfo
from .code import CodeContext, run_streamed
from .ports import Ports
from .sandbox_state import SandboxState
from .transport import Transport


class SandboxServices(SandboxState):
    """The part of :class:`Sandbox` that is about web servers and code that runs in it."""

    def __init__(self, transport: Transport, info: SandboxInfo) -> None:
        super().__init__(transport, info)
        self._ports = Ports(transport, info.id)

    @property
    def ports(self) -> Ports:
        """What listens in it, and the ways to it."""
        return self._ports

    def preview_url(
        self,
        port: int,
        *,
        ttl_seconds: Optional[int] = None,
        paths: Optional[Sequence[str]] = None,
        public: bool = False,
    ) -> str:
        """An address for browsers of a web server in the sandbox: a signed link.

        :param ttl_seconds: at most 604,800, seven days; 3600 when left out.
        :param paths: the link leads to these and what is below them; to all when left out.
        :param public: exposes the port to everybody; the address holds no secret then.
        """
        if public:
            return self._ports.expose(port, visibility="public").preview_url
        return self._ports.sign(port, ttl_seconds=ttl_seconds, paths=paths).preview_url

    def port_url(self, port: int) -> str:
        """The address of a web server in the sandbox, for those who send the key with each
        request."""
        return ports.proxy_url(self._transport.config.url, self.id, port)

    def run_code(
        self,
        source: str,
        language: str = "python",
        *,
        timeout: Optional[float] = None,
        on_stdout: Optional[OutputCallback] = None,
        on_stderr: Optional[OutputCallback] = None,
        on_result: Optional[ResultCallback] = None,
        on_error: Optional[ErrorCallback] = None,
    ) -> CodeExecution:
        """Runs code whose variables live on to the next run of the same language.

        >>> sandbox.run_code("x = 20")
        >>> sandbox.run_code("x + 1").text
        '21'

        Code that ends with an error is no error of the call: see ``error`` of what it gives.

        :param language: ``python``, ``javascript`` or ``shell``.
        :param timeout: seconds after which the code is interrupted; 30 when left out.
        :param on_stdout: called with each piece of output as it arrives; ``on_stderr`` likewise.
        :param on_result: called with each result as it comes; ``on_error`` with the error that ends
            the code.
        :raises SandportError: ``language_unavailable`` when the template has nothing to run it.
        """
        request = code.run(self.id, None, source, language, timeout)
        streamed = StreamedCode(on_stdout, on_stderr, on_result, on_error)
        return run_streamed(self._transport, request, streamed)

    def create_code_context(
        self,
        language: str = "python",
        *,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        user: Optional[str] = None,
    ) -> CodeContext:
        """A place of its own for variables; see :meth:`run_code`. Returns when code can run in it.

        :param cwd: where it begins; the workdir of the sandbox when left out.
        :param env: added to the environment of the sandbox.
        :param user: name or number; the user of the sandbox when left out.
        """
        info = self._transport.call(code.create(self.id, language, cwd, env, user))
        return CodeContext(self._transport, info)

    def code_contexts(self) -> List[CodeContext]:
        """All code contexts, those of :meth:`run_code` too."""
        infos = self._transport.call(code.list_all(self.id))
        return [CodeContext(self._transport, info) for info in infos]
