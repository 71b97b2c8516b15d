"""Calls that outlive a controller's restart."""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from steroids.errors import ControllerUnavailable

T = TypeVar("T")
FIRST_S = 0.1
LONGEST_S = 5.0


def patiently(call: Callable[[], T], given_up: threading.Event) -> T:
    """Call until the controller answers, with growing pauses.

    Raises whatever else the call raises, and `ControllerUnavailable` once `given_up` is set.
    """
    pause_s = FIRST_S
    while True:
        try:
            return call()
        except ControllerUnavailable:
            if given_up.wait(pause_s * random.uniform(0.7, 1.3)):
                raise
            pause_s = min(LONGEST_S, pause_s * 1.7)
