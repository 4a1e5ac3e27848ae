"""``python -m sandport.agent_sandbox SCRIPT.py``."""
