"""Statements for a MySQL or MariaDB by the client in its own container, as the server's root."""

import re
from collections.abc import Iterator, Sequence

from steroids.provisioning.databases.base import DatabaseError, DatabaseUnavailable, Login
from steroids.provisioning.databases.mysql_sql import SESSION, Row, failure
from steroids.provisioning.databases.recipe import Exec

CLIENT = "$(command -v mariadb || command -v mysql) --no-defaults --protocol=socket --user=root"
"""The usual images differ in the client's name."""
_DELIMITER = "$steroids$"
_SCRIPT = (
    'database=$1; shift; printf %s "$@" | '
    # Comments stay in the code that has them, and no statement is the client's own.
    f"{CLIENT} --batch --skip-column-names --binary-mode --comments "
    f"--default-character-set=utf8mb4 '--delimiter={_DELIMITER}' \"$database\""
)
_ARGUMENT = 30_000
"""Characters; the kernel takes 128 KiB."""
_AT_ONCE = 300_000
"""Characters; the kernel takes 2 MiB of all arguments."""
_ESCAPED = {"\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\"}


class ClientSql:
    """`mysql_sql.Sql` for an administrator who may do everything."""

    acts_for_all = True

    def __init__(self, execute: Exec) -> None:
        self._execute = execute

    def ask(self, *statements: str, database: str = "", login: Login | None = None) -> list[Row]:
        assert login is None, "it need not log in as others"
        rows = "".join(self._send(part, database) for part in _parts(statements)).splitlines()
        return [tuple(_unescaped(value) for value in row.split("\t")) for row in rows]

    def run(
        self, statements: Sequence[str], *, database: str = "", login: Login | None = None
    ) -> None:
        self.ask(*statements, database=database, login=login)

    def _send(self, statements: Sequence[str], database: str) -> str:
        # On a line of its own: a statement may end with a comment.
        script = "".join(f"{each}\n{_DELIMITER}\n" for each in (*SESSION, *statements))
        arguments = [script[at : at + _ARGUMENT] for at in range(0, len(script), _ARGUMENT)]
        done = self._execute(["sh", "-c", _SCRIPT, "sh", database, *arguments])
        said = done.output.decode("utf-8", "replace")
        if done.exit_code == 0:
            return said
        found = re.search(r"^ERROR (\d+) \(\w+\)(?: at line \d+)?: (.*)", said, re.M | re.S)
        if found is not None:
            raise failure(int(found[1]), found[2].strip())
        words = said.strip()[-300:] or f"its client ended with {done.exit_code}"
        raise DatabaseUnavailable(f"The MySQL server does not answer: {words}")


def _parts(statements: Sequence[str]) -> Iterator[list[str]]:
    """As few as the kernel lets through."""
    part: list[str] = []
    for each in statements:
        if _DELIMITER in each:
            raise DatabaseError(f"A statement has the text {_DELIMITER} in it: {each[:100]}")
        if part and sum(map(len, part)) + len(each) > _AT_ONCE:
            yield part
            part = []
        part.append(each)
    if part:
        yield part


def _unescaped(value: str) -> str:
    return re.sub(r"\\[nt0\\]", lambda found: _ESCAPED[found[0]], value)
