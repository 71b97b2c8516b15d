"""What answers at an address that is not the server that it should be."""

import socket
from contextlib import suppress

POSTGRES = "PostgreSQL"
_PATIENCE_S = 1.0
_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""How a client of PostgreSQL may begin; answered with one letter. PostgreSQL's manual, 53.2."""
_GREETING = 10
"""MySQL speaks first: a packet whose first byte is its protocol's version, or says no (255)."""


def other_kind(host: str, port: int, wanted: str) -> str | None:
    """`PostgreSQL`, `MySQL` or `no database server`; None: the wanted kind, or no answer at all."""
    with suppress(OSError), socket.create_connection((host, port), _PATIENCE_S) as there:
        found = _kind(there)
        names = {"postgres": POSTGRES, "mysql": "MySQL or MariaDB"}
        return None if found == wanted else names.get(found, "no database server")
    return None


def _kind(there: socket.socket) -> str:
    there.settimeout(_PATIENCE_S)
    with suppress(TimeoutError):
        greeting = there.recv(64)
        return "mysql" if len(greeting) > 4 and greeting[4] in (_GREETING, 255) else ""
    there.sendall(_SSL_REQUEST)
    return "postgres" if there.recv(1) in (b"S", b"N", b"E") else ""
