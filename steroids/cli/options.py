"""Options that several commands have."""

from collections.abc import Callable
from typing import Any

import click

from steroids.cli.completion import section_names

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def sections_option(help_: str) -> Decorator:
    """`-s`, any number of times: a name or an id each."""
    return click.option(
        "--section",
        "-s",
        "sections",
        multiple=True,
        metavar="S",
        shell_complete=section_names,
        help=f"{help_} May be given several times.",
    )


detach_option = click.option(
    "-d", "--detach", is_flag=True, help="Return when the runners are started."
)
keep_option = click.option(
    "--keep", is_flag=True, help="Leave runners idle when nothing is left to do."
)
engine_option = click.option(
    "--engine",
    envvar="STEROIDS_ENGINE",
    help="auto, docker, podman, local (no isolation), or an address.",
)
now_option = click.option("--now", is_flag=True, help="Kill the agents at once; commits are kept.")


def section_option(help_: str, *, required: bool = False) -> Decorator:
    return click.option(
        "--section",
        "-s",
        required=required,
        metavar="S",
        shell_complete=section_names,
        help=help_,
    )


def priority_option(default: str | None = "medium") -> Decorator:
    return click.option(
        "--priority", default=default, metavar="N", help="0 to 100, or high, medium, low."
    )


def parse_priority(text: str) -> int:
    """0 is worked on first. Raises a usage error."""
    words = {"high": 10, "medium": 50, "low": 90}
    if text in words:
        return words[text]
    # Only these: other scripts have digits too, and some of them are no numbers.
    if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100:
        return int(text)
    raise click.BadParameter(f"'{text}' is no priority: 0 to 100, or high, medium, low")
