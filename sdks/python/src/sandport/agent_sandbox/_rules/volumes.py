"""``volumeClaimTemplates`` as volumes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, Final, Mapping, Optional

from ..._wire.sandboxes import VolumeSpec
from .names import label_for

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Ki|Mi|Gi|Ti|k|M|G|T|)")
_FACTORS: Final[Dict[str, int]] = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_MIB: Final = 2**20
#: The smallest that the daemon makes.
_SMALLEST_MB: Final = 16


@dataclass(frozen=True)
class ClaimVolume:
    """A volume that is made for a claim and goes with it."""

    #: Of the volume, as ``data-sandbox-claim-1a2b3c4d``.
    name: str
    #: Where it is mounted.
    path: str
    #: None: no limit.
    size_mb: Optional[int]

    def spec(self) -> VolumeSpec:
        spec: Dict[str, Any] = {"name": self.name, "path": self.path}
        return spec if self.size_mb is None else {**spec, "size_mb": self.size_mb}


def claim_volume(template: Mapping[str, Any], sandbox_name: str) -> ClaimVolume:
    """:raises ValueError: for what is no volume claim template."""
    metadata = template.get("metadata") if isinstance(template, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError("a volume claim template needs a metadata.name")
    spec = template.get("spec") or {}
    resources = spec.get("resources") or {} if isinstance(spec, Mapping) else {}
    requests = resources.get("requests") or {} if isinstance(resources, Mapping) else {}
    storage = requests.get("storage") if isinstance(requests, Mapping) else None
    return ClaimVolume(
        name=label_for(f"{name}-{sandbox_name}"),
        path=f"/mnt/{name}",
        size_mb=None if storage is None else _mebibytes(storage),
    )


def _mebibytes(quantity: object) -> int:
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"storage {quantity!r} is no quantity such as '1Gi'")
    amount = float(match.group(1)) * _FACTORS[match.group(2)]
    return max(_SMALLEST_MB, -int(-amount // _MIB))
