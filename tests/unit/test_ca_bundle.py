from pathlib import Path

import pytest

from steroids.errors import BadConfig
from steroids.provisioning.ca_bundle import VARIABLES, find_ca_bundle

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text(PEM)
    return path


def test_a_host_without_any_has_none() -> None:
    assert find_ca_bundle({}, None) is None


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_usual_variable_is_found(variable: str, pem: Path) -> None:
    assert find_ca_bundle({variable: str(pem)}, None) == pem


def test_the_configured_file_goes_before_the_variables(pem: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(PEM)
    assert find_ca_bundle({"SSL_CERT_FILE": str(other)}, pem) == pem


def test_what_comes_on_top_goes_before_a_program_s_own_copy(pem: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.pem"
    whole.write_text(PEM)
    environ = {"SSL_CERT_FILE": str(whole), "NODE_EXTRA_CA_CERTS": str(pem)}
    assert find_ca_bundle(environ, None) == pem


def test_a_variable_that_names_nothing_usable_is_passed_over(pem: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    environ = {
        "NODE_EXTRA_CA_CERTS": str(tmp_path / "missing.pem"),
        "SSL_CERT_FILE": str(empty),
        "REQUESTS_CA_BUNDLE": "",
        "PIP_CERT": str(tmp_path),
        "GIT_SSL_CAINFO": str(pem),
    }
    assert find_ca_bundle(environ, None) == pem


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "does not exist"), ("-----BEGIN PRIVATE KEY-----", "holds no PEM certificate")],
)
def test_a_configured_file_that_is_none_is_bad_configuration(
    content: str | None, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadConfig, match=why) as caught:
        find_ca_bundle({}, path)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 3


def test_a_configured_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read"):
        find_ca_bundle({}, tmp_path)
