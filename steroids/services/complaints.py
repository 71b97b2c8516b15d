"""Logging what goes on being wrong once, and not once a second."""

import logging
from collections.abc import Hashable


class Complaints:
    """A complaint is logged when it is new or says something else than before."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said: dict[Hashable, str] = {}

    def about(self, key: Hashable, message: str) -> None:
        if self._said.get(key) != message:
            self._said[key] = message
            self._log.warning("%s: %s", key, message)

    def settled(self, key: Hashable) -> None:
        if self._said.pop(key, None) is not None:
            self._log.info("%s: fine again", key)
