"""Time for leases and turns: it does not jump when somebody sets the machine's clock."""

import time
from datetime import datetime, timedelta

from steroids.store.columns import utc_now

_BEGAN_AT = utc_now()
_BEGAN_S = time.monotonic()


def steady_now() -> datetime:
    """The time at which this process began and what has passed since; UTC, aware.

    Comparable within one process only: what an earlier one has stored may be off by as much as
    the clock was set in between, so leases are renewed when a controller starts.
    """
    return _BEGAN_AT + timedelta(seconds=time.monotonic() - _BEGAN_S)
