"""Which proxies containers get."""

from collections.abc import Mapping

import pytest

from steroids.errors import BadConfig
from steroids.provisioning.proxies import find_proxies
from steroids.setting_groups import Proxy

NEAR = "localhost,127.0.0.1,::1"
URL = "http://10.1.2.3:3128"


def both(**variables: str) -> dict[str, str]:
    return {**variables, **{name.upper(): value for name, value in variables.items()}}


@pytest.mark.parametrize(
    ("environ", "settings", "variables"),
    [
        ({}, Proxy(), {}),
        ({"no_proxy": "a"}, Proxy(), {}),
        ({"http_proxy": URL}, Proxy(), both(http_proxy=URL, no_proxy=NEAR)),
        ({"HTTPS_PROXY": "10.1.2.3:1"}, Proxy(), both(https_proxy="10.1.2.3:1", no_proxy=NEAR)),
        (
            {"http_proxy": URL, "NO_PROXY": "a, .b,localhost"},
            Proxy(),
            both(http_proxy=URL, no_proxy="a,.b,localhost,127.0.0.1,::1"),
        ),
        ({"http_proxy": URL}, Proxy(http=""), {}),
        (
            {"http_proxy": "http://127.0.0.1:1", "no_proxy": "a"},
            Proxy(http=URL, no_proxy="b"),
            both(http_proxy=URL, no_proxy=f"b,{NEAR}"),
        ),
        (
            {"http_proxy": "http://u:p@h:1"},
            Proxy(passwords=True),
            both(http_proxy="http://u:p@h:1", no_proxy=NEAR),
        ),
    ],
)
def test_settings_go_before_the_environment(
    environ: Mapping[str, str], settings: Proxy, variables: dict[str, str]
) -> None:
    found = find_proxies(environ, settings)
    assert (dict(found.variables), found.left_out) == (variables, None)


def test_a_container_s_neighbours_are_reached_without() -> None:
    found = find_proxies({"http_proxy": URL}, Proxy(), ["database"])
    assert found.variables["no_proxy"] == f"{NEAR},database"


USELESS = [
    ("http://localhost:3128", "is localhost:3128, which inside a container"),
    ("127.9.0.1:3128", "is 127.9.0.1:3128, which inside a container"),
    ("http://[::1]:1", "inside a container"),
    ("http://0.0.0.0:1", "inside a container"),
    ("http://somebody:geheim@proxy:1", "has a user name or password in it"),
    ("http://token@proxy:1", "has a user name or password in it"),
    ("http://:99999999", "is no URL"),
]


@pytest.mark.parametrize(("url", "why"), USELESS)
def test_one_of_the_host_that_containers_cannot_use_is_left_out_and_said(
    url: str, why: str
) -> None:
    found = find_proxies({"https_proxy": url}, Proxy())
    assert found.variables == {}
    assert found.left_out and why in found.left_out
    assert "geheim" not in found.left_out


@pytest.mark.parametrize(("url", "why"), [each for each in USELESS if "://" in each[0]])
def test_one_of_the_settings_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadConfig, match=r"'proxy\.http' ") as caught:
        find_proxies({}, Proxy(http=url))
    assert why in caught.value.message and "geheim" not in caught.value.message
    wanted = "proxy.passwords" if "password" in why else "proxy.http"
    assert wanted in (caught.value.hint or "")
