"""Templates and their builds."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Union

from .._flow import Patience, may_resume
from .._local_file import LocalPath
from .._progress import Progress
from .._transfers.template_archive import upload_archive
from .._wire import templates
from .._wire.network import NetworkSpec
from .._wire.templates import LogFeed
from ..errors import SandportError
from ..file_models import ProgressCallback
from ..resource_models import Template, TemplateBuild
from .flows import run_flow
from .sandbox_state import SandboxState
from .transport import Transport


class BuildLog:
    """The log of a build, line by line from its beginning, until it ends. A broken connection is
    made again. Iterate it once.

    :raises SandportError: what the build failed with.
    """

    def __init__(self, transport: Transport, build: str) -> None:
        self._transport = transport
        self._feed = LogFeed(build)

    @property
    def template(self) -> Optional[Template]:
        """What was built; None until the last line was taken."""
        return self._feed.template

    def __iter__(self) -> Iterator[str]:
        feed, patience = self._feed, Patience(Progress())
        while True:
            try:
                with self._transport.stream(feed.request()) as answer:
                    for chunk in answer:
                        for line in feed.feed(chunk):
                            patience.progressed()
                            yield line
                        if feed.ended:
                            break
                if not feed.ended:
                    raise feed.broke_off()
            except SandportError as error:
                if not may_resume(error):
                    raise
                time.sleep(patience.pause(error).seconds)
                continue
            if feed.failure is not None:
                raise feed.failure
            return


class Templates:
    """What sandboxes start from. Only an administrator makes or deletes one."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, name: str) -> Template:
        """By name or alias.

        :raises NotFoundError: when there is none.
        """
        return self._transport.call(templates.get(name))

    def delete(self, name: str) -> None:
        """Deletes a template; sandboxes that stand on it keep it.

        :raises NotFoundError: when there is none.
        """
        self._transport.call(templates.delete(name))

    def build(
        self,
        name: str,
        *,
        image: Optional[str] = None,
        credentials: Optional[str] = None,
        insecure: Optional[bool] = None,
        archive_file: Optional[LocalPath] = None,
        archive: Optional[str] = None,
        dockerfile: Optional[str] = None,
        packages: Optional[Sequence[str]] = None,
        from_sandbox: Union[str, SandboxState, None] = None,
        description: Optional[str] = None,
        user: Optional[str] = None,
        workdir: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        resources: Optional[Mapping[str, Any]] = None,
        network: Optional[NetworkSpec] = None,
        replace: Optional[bool] = None,
        on_log: Optional[Callable[[str], None]] = None,
        on_progress: Optional[ProgressCallback] = None,
    ) -> Template:
        """Builds a template and waits for it, for as long as it takes. When the caller is
        interrupted, the build is cancelled. One source at most; without one, a template that comes
        with Sandport is built from its recipe.

        :param image: in a registry, as ``docker.io/library/alpine:3.20``.
        :param credentials: ``user:password`` for the registry.
        :param insecure: speak to the registry without TLS.
        :param archive_file: file or directory here, which is sent to the daemon: the output of
            ``docker save``, an OCI archive, or an OCI layout.
        :param archive: the same, a path on the machine of the daemon.
        :param dockerfile: directory on the machine of the daemon with a Dockerfile.
        :param packages: Debian packages beside those of ``base``.
        :param from_sandbox: sandbox whose disk it gets: itself, its id or its name.
        :param user: of commands; left out, as ``workdir``: what the source says.
        :param env: added to what the source says.
        :param resources: limits of sandboxes that ask for none: ``cpu`` (cores), ``memory_mb``,
            ``disk_mb``, ``pids``.
        :param network: of sandboxes that ask for none, a :class:`~sandport.Network` or
            ``{"egress": ..., "allow": [...]}``; left out: what their namespace says.
        :param replace: make a new version of a template that is there.
        :param on_log: called with each line of the build's log.
        :param on_progress: sees the bytes of ``archive_file`` as they go up.
        :raises BadRequestError: ``invalid_image``.
        :raises ConflictError: ``template_exists`` without ``replace``.
        :raises ServerError: ``template_build_failed``.
        """
        build = self.start_build(
            name,
            image=image,
            credentials=credentials,
            insecure=insecure,
            archive_file=archive_file,
            archive=archive,
            dockerfile=dockerfile,
            packages=packages,
            from_sandbox=from_sandbox,
            description=description,
            user=user,
            workdir=workdir,
            env=env,
            resources=resources,
            network=network,
            replace=replace,
            on_progress=on_progress,
        )
        log = self.build_logs(build.id)
        try:
            for line in log:
                if on_log is not None:
                    on_log(line)
        except SandportError:
            raise
        except BaseException:
            with contextlib.suppress(SandportError):
                self.cancel_build(build.id)
            raise
        return log.template or self.get(name)

    def start_build(
        self,
        name: str,
        *,
        image: Optional[str] = None,
        credentials: Optional[str] = None,
        insecure: Optional[bool] = None,
        archive_file: Optional[LocalPath] = None,
        archive: Optional[str] = None,
        dockerfile: Optional[str] = None,
        packages: Optional[Sequence[str]] = None,
        from_sandbox: Union[str, SandboxState, None] = None,
        description: Optional[str] = None,
        user: Optional[str] = None,
        workdir: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        resources: Optional[Mapping[str, Any]] = None,
        network: Optional[NetworkSpec] = None,
        replace: Optional[bool] = None,
        on_progress: Optional[ProgressCallback] = None,
    ) -> TemplateBuild:
        """Begins a build, after sending ``archive_file``; :meth:`build_logs` follows it. See
        :meth:`build`."""
        upload: Optional[str] = None
        if archive_file is not None:
            flow = upload_archive(archive_file, Progress(on_progress))
            upload = run_flow(self._transport, flow)
        sandbox = from_sandbox.id if isinstance(from_sandbox, SandboxState) else from_sandbox
        call = templates.start_build(
            name,
            image=image,
            credentials=credentials,
            insecure=insecure,
            archive=archive,
            upload=upload,
            dockerfile=dockerfile,
            packages=packages,
            from_sandbox=sandbox,
            description=description,
            user=user,
            workdir=workdir,
            env=env,
            resources=resources,
            network=network,
            replace=replace,
        )
        return self._transport.call(call)

    def build_logs(self, build_id: str) -> BuildLog:
        """The log of a build, to be iterated over."""
        return BuildLog(self._transport, build_id)

    def get_build(self, build_id: str) -> TemplateBuild:
        """:raises NotFoundError: for one of another run of the daemon."""
        return self._transport.call(templates.get_build(build_id))

    def cancel_build(self, build_id: str) -> None:
        """Ends a build that is under way; nothing of it stays."""
        self._transport.call(templates.cancel_build(build_id))

    def builds(self, name: Optional[str] = None) -> List[TemplateBuild]:
        """Builds since the daemon started, newest first.

        :param name: of this template only.
        """
        return self._transport.call(templates.builds(name))

    def list(self) -> List[Template]:
        return self._transport.call(templates.list_all())
