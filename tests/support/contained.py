"""What is run inside of a container: daemons of ours as real processes, with enforcement."""

import sys
from pathlib import Path

from steroids.containment import facts, pid_file
from tests.integration.test_only_one import check_record, one_of
from tests.support.daemons import Daemons
from tests.support.engines import eventually

AT_ONCE = 8
REAL = (sys.executable, "-m", "steroids", "daemon", "run")


def _holder(place: Daemons) -> int | None:
    record = pid_file.read(place.home / "controller.pid")
    return record.pid if record is not None else None


def main() -> None:
    assert facts.has_evidence()
    place = Daemons(Path("/tmp"))
    place.enforce()
    bystanders = place.bystanders()
    before = place.run(*REAL)
    eventually((place.home / "controller.sock").exists, timeout_s=120)
    place.age()
    left = one_of([place.start() for _ in range(AT_ONCE)])
    assert before.ended() == 0, before.said
    check_record(place, left)
    place.age()
    last = place.run(*REAL)
    assert left.ended() == 0
    # The socket of the first is still there, till the last one has taken the place.
    eventually(lambda: _holder(place) == last.pid, timeout_s=120)
    check_record(place, last)
    assert all(each.lives for each in bystanders)
    place.end()
    print("all as it should be")


if __name__ == "__main__":
    main()
