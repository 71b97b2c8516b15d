"""A command line's state. Without click, since `steroids ps` does without."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steroids.cli.output import Output
from steroids.errors import NotAProject
from steroids.home import find_project

if TYPE_CHECKING:
    # `--version` and `--help` do without HTTP.
    from steroids.cli.skew import Skew
    from steroids.client import Client

SILENCE_S = 1800.0


class Context:
    """One command line's state: where to write, which project, the controller when needed."""

    def __init__(self) -> None:
        self.out = Output()
        self.project_option: str | None = os.environ.get("STEROIDS_PROJECT") or None

    @cached_property
    def client(self) -> "Client":
        """The controller, started by the first call when it is not running."""
        from steroids.cli.connect import connect

        return connect(listener=self.skew)

    @cached_property
    def builder(self) -> "Client":
        """The same, for an answer that may be silent for long."""
        from steroids.cli.connect import connect

        return connect(timeout_s=SILENCE_S, listener=self.skew)

    @cached_property
    def skew(self) -> "Skew":
        """Says once when the controller is of another version."""
        from steroids.cli.skew import Skew

        return Skew(self.out.note)

    def project(self) -> Path:
        """Raises `NotAProject`."""
        return find_project(named=self.project_option)

    def project_if_any(self) -> str | None:
        """For what also works outside of a project. One that was named has to be there."""
        try:
            return str(self.project())
        except NotAProject:
            if self.project_option:
                raise
            return None

    def url(self, path: str, **query: Any) -> str:
        """A controller's address about this project; None values are left out."""
        return address(path, project=str(self.project()), **query)


def address(path: str, **query: Any) -> str:
    from urllib.parse import urlencode

    given = {name: value for name, value in query.items() if value is not None}
    return f"/v1/{path}?{urlencode(given, doseq=True)}"
