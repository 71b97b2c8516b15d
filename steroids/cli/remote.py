"""A controller at an address (`daemon.listen`), instead of this home's: nothing is started then."""

import os
from urllib.parse import urlsplit

from steroids.client import Client, Listener
from steroids.errors import UsageError
from steroids.home import home_dir

URL, TOKEN = "STEROIDS_URL", "STEROIDS_TOKEN"


def url() -> str | None:
    """What the user's environment names."""
    return os.environ.get(URL) or None


def here_only(command: str) -> None:
    """Raises `UsageError` when another host's controller is meant: that is not for this command."""
    if url() is not None:
        raise UsageError(
            f"{command} is about the controller of this home, and {URL} names another one",
            hint=f"unset {URL}",
        )


def client(address: str, timeout_s: float, listener: Listener | None = None) -> Client:
    """Raises `UsageError` for an address that is none, or without a token."""
    try:
        parts = urlsplit(address)
        where = parts.hostname, parts.port
    except ValueError:
        parts, where = urlsplit(""), (None, None)
    host, port = where
    if parts.scheme != "http" or not host or not port or parts.path not in ("", "/"):
        raise UsageError(f"{URL} is no address like http://HOST:PORT", hint=f"unset {URL}")
    return Client((host, port), token=_token(), timeout_s=timeout_s, listener=listener)


def _token() -> str:
    token = os.environ.get(TOKEN, "").strip()
    path = home_dir() / "token"
    if not token:
        try:
            token = path.read_text().strip()
        except (OSError, ValueError):
            token = ""
    if not token or not token.isascii() or len(token.split()) != 1:
        raise UsageError(
            f"With {URL} the controller's token is needed, in {TOKEN} or {path}",
            hint=f"export {TOKEN}=...   (the file `token` in the home of that controller)",
        )
    return token
