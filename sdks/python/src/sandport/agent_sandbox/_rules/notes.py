"""What is taken and not used is said once, in the log."""

from __future__ import annotations

import logging
from typing import Any, Optional

from ..models import SandboxTracerConfig

logger = logging.getLogger("sandport.agent_sandbox")


def note_unused(tracer_config: Optional[SandboxTracerConfig], api_client: Any) -> None:
    if tracer_config is not None and tracer_config.enable_tracing:
        logger.warning("Nothing is traced here: tracer_config is not used.")
    if api_client is not None:
        logger.warning("There is no Kubernetes API in between: api_client is not used.")
