"""``python -m sandport.agent_sandbox SCRIPT.py [ARGS]``."""

from ._runner.main import main

main()
