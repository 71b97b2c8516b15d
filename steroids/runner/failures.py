"""How work in a workspace goes wrong."""


class Broken(Exception):
    """The workspace's repository does not work any more; a fresh container is needed."""


class CommandFailed(Exception):
    def __init__(self, command: str, exit_code: int | None, tail: str) -> None:
        super().__init__(command)
        self.command, self.exit_code, self.tail = command, exit_code, tail
