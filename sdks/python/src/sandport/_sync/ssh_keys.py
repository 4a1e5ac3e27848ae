"""Public keys that log in to sandboxes over SSH."""

from __future__ import annotations

from typing import List, Optional

from .._wire import ssh
from ..ssh_models import SshKey
from .transport import Transport


class SshKeys:
    """Public keys that log in to sandboxes over SSH, as the API key that registered them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, public_key: str, *, label: Optional[str] = None) -> SshKey:
        """Registers a public key; one that is there already stays as it is.

        :param public_key: a line as in ``~/.ssh/id_ed25519.pub``.
        :param label: says whose it is; left out: the comment of the line.
        :raises BadRequestError: when it is none, or of a weak kind.
        """
        return self._transport.call(ssh.create_key(public_key, label))

    def delete(self, key_id: str) -> None:
        """Connections that are open end within seconds.

        :raises NotFoundError: also for one of another API key.
        """
        self._transport.call(ssh.delete_key(key_id))

    def list(self) -> List[SshKey]:
        """Those of this API key; for an administrator those of all."""
        return self._transport.call(ssh.list_keys())
