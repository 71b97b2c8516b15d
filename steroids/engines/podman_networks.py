"""Podman's networks, by its own calls, so that they are kept apart.

They reach each other unless they are made with `isolate`. Docker's call for making one loses that
(4.3), and Docker's call for listing them makes the service forget it for those that it lists. And
netavark (1.4, with iptables) keeps them apart by one rule for all, removes it when the last
container leaves *any* of them, and puts it in again when the next one joins any: until then they
are open, so a runner sees to itself (`runner/seclusion.py`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import create_api_error_from_http_exception
from requests.exceptions import HTTPError


def create(client: Any, body: Mapping[str, Any], subnet: str | None) -> Any:
    """Make a network of what is the body of Docker's call, and return what Podman says of it.

    Raises what the SDK raises.
    """
    own: dict[str, Any] = {
        "name": body["Name"],
        "driver": body["Driver"],
        "internal": body["Internal"],
        "labels": body["Labels"],
        "dns_enabled": True,
        "options": {"isolate": "true"},
    }
    if subnet is not None:
        own["subnets"] = [{"subnet": subnet}]
    return _ask(client, "POST", "/networks/create", json=own)


def listing(client: Any, labels: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Those with all these labels, as Docker would tell of them. Raises what the SDK raises."""
    filters = {"label": list(labels)} if labels else {}
    rows = _ask(client, "GET", "/networks/json", params={"filters": json.dumps(filters)})
    return [
        {
            "Id": row["id"],
            "Name": row["name"],
            "Labels": row.get("labels"),
            "Internal": row.get("internal"),
            "IPAM": {"Config": [{"Subnet": each["subnet"]} for each in row.get("subnets") or []]},
        }
        for row in rows
    ]


def _ask(client: Any, method: str, path: str, **about: Any) -> Any:
    url = f"{client.base_url}/v4.0.0/libpod{path}"
    response = client.request(method, url, timeout=client.timeout, **about)
    try:
        response.raise_for_status()
    except HTTPError as error:
        create_api_error_from_http_exception(error)
    return response.json()
