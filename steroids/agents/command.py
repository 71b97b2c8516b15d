"""The agent `command`: any program, which gets its prompt on standard input."""

from collections.abc import Sequence

from steroids.agents.base import Emit, Session, Unusable, Work
from steroids.agents.environment import environment, prompt_file
from steroids.agents.process import ProcessSession


class CommandAgent:
    """`argv` is run in the workspace; each line that it prints is an event. The prompt is also in
    the file `STEROIDS_PROMPT`, for what does not read standard input."""

    def __init__(self, name: str, argv: Sequence[str]) -> None:
        self.name = name
        self._argv = tuple(argv)

    def start(self, work: Work, emit: Emit) -> Session:
        env, prompt = environment(work), prompt_file(work)
        what = f"the command '{self._argv[0]}'"
        try:
            return ProcessSession(self._argv, work, emit, env=env, stdin=prompt, what=what)
        except FileNotFoundError as error:
            raise Unusable(f"there is no program '{self._argv[0]}' in its container") from error
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Unusable(f"{what} cannot be started: {why}") from error
