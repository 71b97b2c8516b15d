"""Calls that outlive a controller's restart."""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from steroids.errors import ControllerUnavailable, DiskFull, SteroidsError

T = TypeVar("T")
FIRST_S = 0.1
LONGEST_S = 5.0
LATER = frozenset({ControllerUnavailable.code, DiskFull.code})
"""Nobody's fault here: where there is no room for its work now, there is later."""


def patiently(call: Callable[[], T], given_up: threading.Event) -> T:
    """Call until the controller answers, with growing pauses.

    Nor is it an answer that there was no room for it. Raises whatever else the call raises, and
    what it met last once `given_up` is set.
    """
    pause_s = FIRST_S
    while True:
        try:
            return call()
        except SteroidsError as error:
            if error.code not in LATER:
                raise
            if given_up.wait(pause_s * random.uniform(0.7, 1.3)):
                raise
            pause_s = min(LONGEST_S, pause_s * 1.7)
