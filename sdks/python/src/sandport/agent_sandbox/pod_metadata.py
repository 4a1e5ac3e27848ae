"""The grammar of Kubernetes labels."""

from __future__ import annotations

import re
from typing import Mapping, Optional

from .models import AdditionalPodMetadata

_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
LABEL_NAME_MAX_LENGTH = 63
LABEL_PREFIX_MAX_LENGTH = 253


def validate_labels(labels: Mapping[str, str]) -> None:
    """:raises ValueError: for a key or a value that is not one of a Kubernetes label."""
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ValueError(f"label {key!r}={value!r}: key and value must be strings")
        if not key:
            raise ValueError("a label key cannot be empty")
        prefix, slash, name = key.partition("/")
        if not slash:
            validate_label_name(key, f"key {key!r}")
        elif len(prefix) > LABEL_PREFIX_MAX_LENGTH or not _PREFIX.fullmatch(prefix):
            raise ValueError(
                f"label key {key!r}: the prefix must be a DNS subdomain of at most "
                f"{LABEL_PREFIX_MAX_LENGTH} characters"
            )
        else:
            validate_label_name(name, f"key {key!r}")
        if value:
            validate_label_name(value, f"value {value!r} of {key!r}")


def validate_label_name(name: str, context: str) -> None:
    """:raises ValueError: for what is no key without its prefix, and no value."""
    if len(name) > LABEL_NAME_MAX_LENGTH:
        raise ValueError(f"label {context}: longer than {LABEL_NAME_MAX_LENGTH} characters")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"label {context}: must be letters, digits, '-', '_' and '.', with a letter or digit "
            "at both ends"
        )


def build_pod_metadata(
    pod_labels: Optional[Mapping[str, str]], pod_annotations: Optional[Mapping[str, str]]
) -> Optional[AdditionalPodMetadata]:
    """None when there are neither labels nor annotations.

    :raises ValueError: for labels that are none.
    """
    validate_labels(pod_labels or {})
    if not pod_labels and not pod_annotations:
        return None
    return AdditionalPodMetadata(
        labels=dict(pod_labels) if pod_labels else None,
        annotations=dict(pod_annotations) if pod_annotations else None,
    )
