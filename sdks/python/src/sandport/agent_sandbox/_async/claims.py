"""Claims on the daemon: made, found, listed and deleted."""

from __future__ import annotations

import asyncio
import contextlib
from typing import AsyncIterator, Dict, List, Mapping, Optional, Tuple

from ..._async.transport import AsyncTransport
from ..._wire import sandboxes, volumes
from ..._wire.call import ReadTimeout
from ...errors import NotFoundError, SandportError
from ...models import SandboxInfo
from .._rules import claims as rules
from .._rules.claims import CLAIM_KEY, Claim, Place
from .._rules.errors import as_api_errors
from .._rules.label_selector import parse_selector
from ..exceptions import SandboxApiError, SandboxNotFoundError
from .timed_transport import AsyncTimedTransport


class AsyncClaims:
    """The sandboxes of one daemon as claims. For one event loop."""

    def __init__(self) -> None:
        """:raises SandboxError: when no daemon is known."""
        with as_api_errors():
            self.transport = AsyncTransport()
        #: Sandboxes by namespace and name.
        self._places: Dict[Tuple[str, str], Place] = {}

    async def create(self, claim: Claim, *, adopt_existing: bool) -> SandboxInfo:
        """Returns when the sandbox takes commands. What a failed create may have left is deleted.

        :param adopt_existing: take the one that has the name already.
        """
        try:
            return self._known(await self._first_template(claim))
        except SandportError as error:
            if error.code == "name_taken":
                if adopt_existing:
                    return rules.check_adopted(await self.find(claim.name, claim.namespace), claim)
            elif claim.generated and error.status_code is None:
                await self._roll_back(claim)
            raise claim.failure(error) from None
        except BaseException:
            if claim.generated:
                await self._roll_back(claim)
            raise

    async def _first_template(self, claim: Claim) -> SandboxInfo:
        first: Optional[SandportError] = None
        for template in claim.source.templates():
            try:
                return await self.transport.call(claim.create(template))
            except SandportError as error:
                if error.code != "unknown_template":
                    raise
                first = first or error
        assert first is not None
        raise first

    async def _roll_back(self, claim: Claim) -> None:
        # The caller gets the error that led here.
        with contextlib.suppress(Exception):
            await asyncio.shield(self.delete(claim.name, claim.namespace))

    async def find(
        self, claim_name: str, namespace: str, wait: ReadTimeout = "idle"
    ) -> Optional[SandboxInfo]:
        """The sandbox of a claim, or a sandbox of this name; None when there is neither."""
        async for found in self._pages(namespace, {CLAIM_KEY: claim_name}, wait):
            return found
        return await self.sandbox(claim_name, namespace, wait)

    async def sandbox(
        self, sandbox_name: str, namespace: str, wait: ReadTimeout = "idle"
    ) -> Optional[SandboxInfo]:
        """A sandbox by its name or id; None when there is none."""
        place = self._places.get((namespace, sandbox_name))
        call = sandboxes.get(sandbox_name if place is None else place.id, wait)
        try:
            with as_api_errors():
                info = await self.transport.call(call)
        except SandboxApiError as error:
            if error.code != "sandbox_not_found":
                raise
            self.forget(sandbox_name, namespace)
            return None
        if info.namespace == namespace:
            return self._known(info)
        # The name is also one in a namespace that the daemon looks at first.
        async for other in self._pages(namespace, {}, wait):
            if other.name == sandbox_name:
                return other
        return None

    async def place_of(self, sandbox_name: str, namespace: str) -> Place:
        """How the daemon knows a sandbox.

        :raises SandboxNotFoundError: when there is none.
        """
        known = self._places.get((namespace, sandbox_name))
        if known is not None:
            return known
        info = await self.sandbox(sandbox_name, namespace)
        if info is None:
            raise SandboxNotFoundError(
                f"No sandbox {sandbox_name!r} exists in the namespace {namespace!r}."
            )
        return rules.place_of(info)

    def forget(self, sandbox_name: str, namespace: str) -> None:
        """The name may belong to another sandbox by now."""
        self._places.pop((namespace, sandbox_name), None)

    async def names(self, namespace: str, label_selector: Optional[str]) -> List[str]:
        """Names of all claims whose labels match.

        :raises SandboxApiError: with status 400, for what is no selector.
        """
        selector = parse_selector(label_selector)
        found: List[str] = []
        async for info in self._pages(namespace, selector.equalities, "idle"):
            name = rules.claim_name_of(info)
            if name is not None and selector.matches(rules.labels_of(info)):
                found.append(name)
        return found

    async def delete(self, claim_name: str, namespace: str) -> None:
        """No error when there is none."""
        info = await self.find(claim_name, namespace)
        if info is None:
            return
        with as_api_errors(f"The sandbox {claim_name!r} could not be deleted"):
            await self._delete_sandbox(info)
            for name in rules.volumes_of(info):
                with contextlib.suppress(NotFoundError):
                    await self.transport.call(volumes.delete(name, namespace))
        self.forget(rules.sandbox_name_of(info), namespace)

    async def _delete_sandbox(self, info: SandboxInfo) -> None:
        try:
            await self.transport.call(sandboxes.delete(info.id))
        except NotFoundError as error:
            if error.code != "sandbox_not_found":
                raise

    async def _pages(
        self, namespace: str, metadata: Mapping[str, str], wait: ReadTimeout
    ) -> AsyncIterator[SandboxInfo]:
        cursor: Optional[str] = None
        transport = self.transport if wait == "idle" else AsyncTimedTransport(self.transport, wait)
        while True:
            call = sandboxes.list_page(namespace=namespace, metadata=metadata, cursor=cursor)
            with as_api_errors():
                page, cursor = await transport.call(call)
            for info in page:
                if info.namespace == namespace:
                    yield self._known(info)
            if cursor is None:
                return

    async def aclose(self) -> None:
        """Closes the connections; a later call opens them again."""
        await self.transport.aclose()

    def _known(self, info: SandboxInfo) -> SandboxInfo:
        self._places[info.namespace, rules.sandbox_name_of(info)] = rules.place_of(info)
        return info
