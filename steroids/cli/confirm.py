"""Asking before something is gone."""

import sys

import click

from steroids.cli.command import Context
from steroids.cli.options import Decorator
from steroids.cli.output import plain
from steroids.errors import SteroidsError, UsageError


class Declined(SteroidsError):
    code = "DECLINED"


def yes_option() -> Decorator:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def confirm(context: Context, question: str, command: str) -> None:
    """Returns when the answer is yes. To be called unless `--yes` was given, with the command that
    does not ask.

    Raises `UsageError` where nobody can be asked, `Declined` when the answer is no.
    """
    if context.out.json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{question} Nobody is there to answer", hint=command)
    if not click.confirm(plain(question), err=True):
        raise Declined("Nothing was changed", hint=command)
