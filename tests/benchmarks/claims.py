"""Claims per second: 32 ask at once, 5,000 tasks in 40 sections; beside procrastinate's fetch.

Ours is the transaction behind a runner's question: it picks the first eligible task, grants its
locks (its section, a section it reads, the project), and writes the task, its attempt, the leases,
an audit row and an event; those who wait are answered together, as they are by the controller. A
section gives its next task only when the last one has landed. That is not part of a claim: each
round 32 sections ask, and what they got is landed between the rounds, in bulk, unmeasured.

Procrastinate's is its job manager's fetch, as its worker calls it, by 32 that wait for nothing
else: no job has a lock, and none is ever finished, which is the best that can happen to it.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from steroids.store.session import Store
from tests.benchmarks.monorepo import NotMeasured
from tests.benchmarks.report import Line, median
from tests.support.claimers import Fleet, fill
from tests.support.postgres import NoPostgres, Server, server

CLAIMERS = 32
QUEUES = 40
TASKS = 5000
ROUNDS = 3
AT_LEAST = 1.0
SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "server_version")
THEIRS = "procrastinate"


def claims(folder: Path, rounds: int = ROUNDS, tasks: int = TASKS) -> tuple[list[Line], str]:
    """The lines, and what to say of the server: it runs as delivered, durable."""
    sqlite: list[float] = []
    postgres: list[float] = []
    theirs: list[float] = []
    try:
        with server(folder) as running:
            for number in range(rounds):
                sqlite.append(_ours(Store(folder / f"claims{number}.db", "project"), tasks))
                with running.database() as name:
                    postgres.append(_ours(Store(running.url(name), "project"), tasks))
                with running.database() as name:
                    theirs.append(asyncio.run(_theirs(running.url(name), tasks)))
            about = _about(running)
    except NoPostgres as error:
        raise NotMeasured(str(error)) from None
    lines = [
        Line(
            f"claims, {CLAIMERS} at once, {where}",
            median(ours),
            "/s",
            median(theirs),
            f"{THEIRS}, PostgreSQL",
            rate_at_least=AT_LEAST,
        )
        for where, ours in (("PostgreSQL", postgres), ("SQLite", sqlite))
    ]
    return lines, about


def _about(running: Server) -> str:
    values = [f"{name} {running.run(f'SHOW {name}')[0][0]}" for name in SETTINGS]
    return f"PostgreSQL: {', '.join(values)}; SQLite: WAL, synchronous NORMAL"


def _ours(store: Store, tasks: int) -> float:
    try:
        fill(store, QUEUES, tasks)
        with store.write() as session:
            session.connection().exec_driver_sql("ANALYZE")
        fleet = Fleet(store, CLAIMERS)
        took_s = fleet.rounds()
    finally:
        store.close()
    _check([each.task_id for each in fleet.claimed], tasks)
    return tasks / took_s


async def _theirs(url: str, tasks: int) -> float:
    try:
        from procrastinate import App, PsycopgConnector, jobs
    except ImportError:
        raise NotMeasured("procrastinate is not here (make bench installs it)") from None
    logging.getLogger(THEIRS).setLevel(logging.ERROR)
    connector = PsycopgConnector(conninfo=url, min_size=CLAIMERS, max_size=CLAIMERS)
    app = App(connector=connector)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.open_async())
        await app.schema_manager.apply_schema_async()
        manager: Any = app.job_manager
        deferred = [
            jobs.Job(
                id=None,
                queue=f"s{number % QUEUES}",
                lock=None,
                queueing_lock=None,
                task_name="task",
                task_kwargs={"number": number},
            )
            for number in range(tasks)
        ]
        await manager.batch_defer_jobs_async(deferred)
        await connector.execute_query_async("ANALYZE")
        workers = [await manager.register_worker() for _ in range(CLAIMERS)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        fetched = await asyncio.gather(*(_fetch(manager, worker) for worker in workers))
        took_s = loop.time() - began
    _check([each for found in fetched for each in found], tasks)
    return tasks / took_s


async def _fetch(manager: Any, worker: int) -> list[int]:
    """Until there is none; from any queue, which is quicker than from some."""
    found = []
    while (job := await manager.fetch_job(queues=None, worker_id=worker)) is not None:
        found.append(job.id)
    return found


def _check(ids: Sequence[object], tasks: int) -> None:
    if len(set(ids)) != len(ids) or len(ids) != tasks:
        raise NotMeasured(f"{len(ids)} claims of {len(set(ids))} tasks, {tasks} there are")
