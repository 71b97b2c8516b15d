"""Making one runner's test database: copied from a template, or empty where nothing migrates."""

import threading
from collections import defaultdict
from collections.abc import Callable

from steroids.engines.spec import NO_NETWORK
from steroids.errors import Busy
from steroids.provisioning import networks
from steroids.provisioning.databases.base import (
    Address,
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    Login,
    Server,
)
from steroids.provisioning.databases.servers import open_server
from steroids.provisioning.site import Site
from steroids.services import database_book, database_names, migrations, places, templates
from steroids.services.database_book import Book
from steroids.services.events import say
from steroids.services.host import Host, OpenProject
from steroids.services.migrations import Plan
from steroids.setting_groups import MANAGED
from steroids.store import home_models as home
from steroids.wire.event import EventKind

TRIES = 2
"""A server that ends while a database is made is started again, once."""
_sharing: dict[str, threading.Lock] = defaultdict(threading.Lock)
"""By name, of databases that all runners use: one makes it, and the others wait."""
_versions: dict[tuple[str, ...], str] = {}
"""By server, as long as this process lives: it is part of templates' keys."""


class NotNeeded(Busy):
    """The runner that it is for is at its end."""


class Making:
    """`progress` is told of what takes long."""

    def __init__(
        self,
        host: Host,
        project: OpenProject,
        place: Site,
        runner: home.Runner,
        progress: Callable[[str], None],
    ) -> None:
        self.place = place
        self._host, self._project, self._runner = host, project, runner
        self._progress = progress
        self._settings = place.settings.database

    def make(self, purpose: str, commit: str) -> tuple[Server, Book]:
        """A fresh one, as that commit wants it; blocks, for minutes if it has to be migrated."""
        for left in reversed(range(TRIES)):
            try:
                return self._make(purpose, commit)
            except DatabaseUnavailable:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def _make(self, purpose: str, commit: str) -> tuple[Server, Book]:
        server, address = self.open()
        plan = self.plan(server, commit)
        if self._settings.strategy == "shared":
            return server, self._share(server, address, purpose, plan, commit)
        source = plan.name if plan is not None else self._settings.template
        book = self.begin(purpose, source).but(commit=commit)
        born = server.born()
        self._fill(server, plan, book.login)
        return server, self._finish(server, address, book, born)

    def blank(self, purpose: str) -> Book:
        """A fresh one with nothing in it: to be migrated, or since that cannot be."""
        server, address = self.open()
        book = self.begin(purpose, None)
        born = server.born()
        server.create(book.login)
        return self._finish(server, address, book, born)

    def open(self) -> tuple[Server, Address]:
        """The server, within reach of the runner's container."""
        if self.place.settings.network == NO_NETWORK:
            raise DatabaseRefused(
                "A runner without a network cannot reach a database: `network: none`",
                hint="steroids config show   (network: internal reaches its database, no more)",
            )
        network = networks.ensure(self.place, self._runner)
        return open_server(self.place, network, self._progress, self._say)

    def plan(self, server: Server, commit: str) -> Plan | None:
        """The template for that commit; none: a database begins empty, or as a given one."""
        if self._settings.template is not None:
            return None
        image = places.runner_image(self._host, self.place, lambda line: None)
        facts = (self._version(server), image.id)
        return migrations.plan(self._host, self._project, self._settings, commit, *facts)

    def _version(self, server: Server) -> str:
        wanted = self._settings
        key = (self.place.engine.address, wanted.server, wanted.kind, wanted.image or "")
        if key not in _versions:
            _versions[key] = server.check()
        return _versions[key]

    def begin(self, purpose: str, template: str | None) -> Book:
        """Put it on the books, which goes before everything else."""
        name = database_names.of_runner(self._host, self._settings, self._runner.id)
        password = database_names.new_password()
        book = self._book(purpose, name, password, template)
        with self._host.store.read() as session:
            before = database_book.of(session.get_one(home.Runner, self._runner.id))
        if before is not None and before.purpose == purpose:
            book = book.but(since=before.since)
        self._write(book)
        return book

    def _book(self, purpose: str, name: str, password: str, template: str | None) -> Book:
        managed = self._settings.server == MANAGED
        return Book(purpose, name, name, password, self._settings.kind, template, managed=managed)

    def _write(self, book: Book) -> None:
        if not database_book.write(self._host, self._runner.id, book):
            raise NotNeeded(f"runner {self._runner.id[:8]} is at its end")

    def again(self, book: Book) -> tuple[Server, Book]:
        """The same database once more, as it was at the beginning; whoever is connected is sent
        away. What knows its password still does."""
        server, address = self.open()
        plan = self.plan(server, book.commit) if book.commit is not None else None
        born = server.born()
        if book.commit is None:
            server.create(book.login)
        else:
            self._fill(server, plan, book.login)
        return server, self._finish(server, address, book, born)

    def _fill(self, server: Server, plan: Plan | None, login: Login) -> None:
        if plan is None:
            if self._settings.template is not None:
                server.clone(self._settings.template, login)
            else:
                server.create(login)
            return
        try:
            server.clone(plan.name, login)
        except DatabaseUnavailable:
            raise
        except DatabaseError:
            # It is not there, most likely; if it is, the second failure is the one to tell.
            templates.ensure(self._host, self._project, self.place, server, plan, self._progress)
            server.clone(plan.name, login)
        templates.used(self._host, plan.name)

    def _finish(self, server: Server, address: Address, book: Book, born: str) -> Book:
        ready = book.but(env=dict(server.env(book.login, address)), born=born)
        try:
            self._write(ready)
        except NotNeeded:
            # Whoever looked for what it has left may have looked before this was there.
            server.drop(book.database, book.role)
            raise
        return ready

    def _share(
        self, server: Server, address: Address, purpose: str, plan: Plan | None, commit: str
    ) -> Book:
        """The one of the project, made by whoever needs it first, and then kept as it is."""
        name = database_names.shared_by(self._host, self._settings, self._project)
        password = database_names.lasting_password(self._host.path, name)
        source = plan.name if plan is not None else self._settings.template
        book = self._book(purpose, name, password, source).but(shared=True, commit=commit)
        with _sharing[name]:
            born = server.born()
            if not any(found.database == name for found in server.list(name)):
                self._fill(server, plan, book.login)
        ready = book.but(env=dict(server.env(book.login, address)), born=born)
        self._write(ready)
        return ready

    def _say(self, text: str) -> None:
        say(self._host, self._project, EventKind.NOTICE, text)
