"""The agent `script`: no model, it runs the shell block of the task's spec.

Real use: codemods, dependency bumps, formatters. A script may run again on top of its own work,
since an attempt starts from the tip of the one before it. As a reviewer it runs what the settings
say, and never what the task does.
"""

import re

from steroids.agents.base import Emit, Part, Session, Unusable, Work
from steroids.agents.environment import environment
from steroids.agents.process import ProcessSession

_OPENING = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+-]*)[ \t]*")
_LANGUAGES = ("sh", "shell", "bash")


def script_of(spec: str) -> str | None:
    """The shell blocks of a Markdown text, one after the other; none: there is no such block.

    A block ends with a fence of at least its own length, as CommonMark has it; one that never
    ends is no block, since half a script is worse than none.
    """
    blocks: list[str] = []
    fence, language, lines = "", "", list[str]()
    for line in spec.splitlines():
        if not fence:
            opening = _OPENING.fullmatch(line)
            if opening is not None:
                fence, language, lines = opening["fence"], opening["language"], []
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            if language in _LANGUAGES:
                blocks.append("".join(f"{each}\n" for each in lines))
            fence = ""
        else:
            lines.append(line)
    return "\n".join(blocks) if blocks else None


class ScriptAgent:
    name = "script"

    def __init__(self, script: str | None = None) -> None:
        """`script` in place of what the task's spec has."""
        self._script = script

    def start(self, work: Work, emit: Emit) -> Session:
        script = self._script
        if script is None and work.part is Part.REVIEWER:
            raise Unusable("as a reviewer the agent 'script' needs `run`, which is what it runs")
        script = script or script_of(work.task.spec)
        if script is None:
            raise Unusable("its spec has no ```sh block, which is what the agent 'script' runs")
        path = work.scratch / "task.sh"
        path.write_text(script)
        path.chmod(0o644)
        argv = ("sh", "-e", "-x", str(path))
        # What `sh -x` puts before each command that it runs.
        return ProcessSession(argv, work, emit, env={**environment(work), "PS4": "$ "})
