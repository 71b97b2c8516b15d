"""The loop inside the container: claim, check out, run the agent, upload, next.

Runs as root with almost no capability; whatever touches the workspace, git included, is a child
process of the user `agent`. Imports nothing but the standard library and msgspec.
"""
