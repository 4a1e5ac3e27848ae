"""What requests about SSH answer with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping


@dataclass(frozen=True)
class Ssh:
    """What a client of SSH has to know beside its key."""

    host: str
    port: int
    #: As in ``known_hosts``: type and key.
    host_key: str
    #: Of the host key, as ``ssh-keygen -l`` shows it: ``SHA256:...``.
    fingerprint: str

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Ssh:
        return cls(
            host=str(data["host"]),
            port=int(data["port"]),
            host_key=str(data["host_key"]),
            fingerprint=str(data["fingerprint"]),
        )


@dataclass(frozen=True)
class SshKey:
    """A public key that logs in as the API key that registered it."""

    id: str
    label: str
    #: As ``ssh-ed25519``.
    type: str
    #: Type and key, without a comment.
    public_key: str
    fingerprint: str
    #: Id of the API key that it stands for.
    key: str
    created_at: str

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> SshKey:
        return cls(
            id=str(data["id"]),
            label=str(data["label"]),
            type=str(data["type"]),
            public_key=str(data["public_key"]),
            fingerprint=str(data["fingerprint"]),
            key=str(data["key"]),
            created_at=str(data["created_at"]),
        )
