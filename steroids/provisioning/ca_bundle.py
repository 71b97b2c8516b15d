"""Which certificate authorities of the host containers trust as well."""

from collections.abc import Mapping
from pathlib import Path

from steroids.errors import BadConfig

# The first is meant for what comes on top of the usual; the others may be a program's own copy.
VARIABLES = (
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
)
_BEGIN = b"-----BEGIN CERTIFICATE-----"


def find_ca_bundle(environ: Mapping[str, str], configured: Path | None) -> Path | None:
    """The configured file, else the first that a usual variable names and that has certificates.

    None when the host has nothing of the kind. Raises `BadConfig` when the configured file is
    missing, unreadable, or holds no PEM certificate; a variable's is passed over instead.
    """
    if configured is not None:
        path = configured.expanduser()
        problem = _problem(path)
        if problem:
            raise BadConfig(
                f"The CA bundle {path} {problem}",
                hint="steroids config show   # ca_bundle: a PEM file, or leave it out",
            )
        return path
    for variable in VARIABLES:
        value = environ.get(variable)
        if value and not _problem(Path(value)):
            return Path(value)
    return None


def _problem(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if _BEGIN in content else "holds no PEM certificate"
