"""The one command that is the controller, and so the only way from the CLI into it."""

from pathlib import Path

from steroids.controller.serve import serve


def run(home: Path) -> None:
    serve(home)
