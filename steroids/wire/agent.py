from enum import StrEnum

from steroids.wire.body import Body


class Program(StrEnum):
    SCRIPT = "script"
    """A shell script: `run`, or else the shell block of the task's spec."""
    COMMAND = "command"
    """Any program: `argv`; it reads its prompt from standard input."""


class Agent(Body):
    """Which program does a run's work."""

    name: str = "script"
    use: Program = Program.SCRIPT
    run: str | None = None
    argv: list[str] = []
