"""Options that several commands have."""

from collections.abc import Callable
from typing import Any

import click

from steroids.cli.completion import section_names

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def sections_option(help_: str) -> Decorator:
    """`-s`, any number of times: a name or an id each."""
    return click.option(
        "--section", "-s", "sections", multiple=True, shell_complete=section_names, help=help_
    )


def section_option(help_: str, *, required: bool = False) -> Decorator:
    return click.option(
        "--section", "-s", required=required, shell_complete=section_names, help=help_
    )
