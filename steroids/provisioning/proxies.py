"""The proxies through which builds, set-ups and agents reach the world."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from steroids.errors import BadConfig
from steroids.setting_groups import Proxy

NAMES = ("http_proxy", "https_proxy")
WITHOUT = ("localhost", "127.0.0.1", "::1")
"""Hosts that are never reached through one: a container itself."""
_HINT = "steroids config show   # proxy.{key}: the URL of a proxy that containers reach"
_SECRET = "has a user name or password in it, which every agent could read"
_PASS_ON = "steroids config show   # proxy.passwords: true hands it out all the same"


@dataclass(frozen=True)
class Proxies:
    variables: Mapping[str, str]
    """In both spellings, since programs read one or the other. Empty: there is no proxy."""
    left_out: str | None = None
    """Why one that this host uses is not handed to containers, as a sentence."""


def find_proxies(
    environ: Mapping[str, str], settings: Proxy, direct: Sequence[str] = ()
) -> Proxies:
    """What the settings say, else the environment. `direct` are hosts reached without a proxy.

    A proxy that containers cannot use, or that has a password which agents would read, is left
    out when it is the environment's; the settings' raises `BadConfig`.
    """
    found, left_out = {}, None
    for name in NAMES:
        key = name.removesuffix("_proxy")
        own: str | None = getattr(settings, key)
        url = own if own is not None else environ.get(name) or environ.get(name.upper()) or ""
        problem = _problem(url, passwords=settings.passwords) if url else None
        if problem and own is not None:
            hint = _PASS_ON if problem == _SECRET else _HINT.format(key=key)
            raise BadConfig(f"'proxy.{key}' {problem}", hint=hint)
        if problem:
            left_out = f"The host's {name} {problem}; containers go without"
        elif url:
            found[name] = url
    if found:
        given = settings.no_proxy
        if given is None:
            given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        found["no_proxy"] = ",".join(_once([*given.split(","), *WITHOUT, *direct]))
    both = {spelled: url for name, url in found.items() for spelled in (name, name.upper())}
    return Proxies(both, left_out)


def _problem(url: str, *, passwords: bool) -> str | None:
    """What keeps containers from using it, as the end of a sentence; never with the URL's
    password in it."""
    try:
        # curl and others take an address without a scheme as well.
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if not host:
        return "is no URL"
    if _is_loopback(host):
        shown = f"{host}:{port}" if port else host
        return f"is {shown}, which inside a container is that container itself"
    if (parts.password is not None or parts.username) and not passwords:
        return _SECRET
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _once(hosts: Sequence[str]) -> Iterator[str]:
    yield from dict.fromkeys(host.strip() for host in hosts if host.strip())
