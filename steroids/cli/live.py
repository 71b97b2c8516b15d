"""A project's events as they happen."""

import time
from collections.abc import Iterator

from steroids.cli.command import Context
from steroids.errors import ControllerUnavailable
from steroids.wire.event import Event

RETRY_FOR_S = 30.0
PUSH_REFUSED_EXIT = 7
"""Of a command that follows a landing which the remote has refused."""


def live(context: Context, since: int) -> Iterator[Event]:
    """All that come after number `since`, without an end, across restarts of the controller.

    Raises `ControllerUnavailable` when it stays away for `RETRY_FOR_S`.
    """
    give_up_at = time.monotonic() + RETRY_FOR_S
    while True:
        try:
            url = context.url("events", since=since, follow=True)
            for event in context.client.stream(url, Event):
                since = event.seq
                give_up_at = time.monotonic() + RETRY_FOR_S
                yield event
        except ControllerUnavailable:
            if time.monotonic() > give_up_at:
                raise
        time.sleep(0.1)
