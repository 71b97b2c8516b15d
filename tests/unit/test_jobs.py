"""Jobs: what one waits for is not kept from running by it."""

import threading
from concurrent.futures import ThreadPoolExecutor

from steroids.services.jobs import Jobs

LIMIT_S = 20.0


def test_what_other_jobs_wait_for_has_threads_of_its_own() -> None:
    made, seen = threading.Event(), []
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as own:
        jobs = Jobs(pool, lambda: None, apart={"database": own})
        over = jobs.once(("review", 1), lambda: seen.append(made.wait(LIMIT_S)))
        jobs.once(("database", 1), made.set)
        assert over.wait(LIMIT_S)
    assert seen == [True]
