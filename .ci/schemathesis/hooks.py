"""What a valid request has to keep that a schema cannot say.

Only requests that schemathesis means to be valid are mended; the invalid ones
go out as they were drawn.
"""

import base64
import hashlib

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

given = set()  # cursors that the server gave, with the listing they belong to


def listing(case):
    query = case.query or {}
    return query.get("prefix") or "", query.get("delimiter") or ""


def invalid(case, where):
    """Whether a part of the request is meant to be refused."""
    part = case.meta.components.get(where)
    return part is not None and part.mode == GenerationMode.NEGATIVE


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None:
        return
    # With `process` conditions are ignored, bad ones too: to be refused they
    # have to come without.
    if invalid(case, ParameterLocation.HEADER):
        (case.query or {}).pop("process", None)
    if case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    # A cursor goes on with the listing that gave it, and with no other.
    if case.query and "cursor" in case.query and (*listing(case), case.query["cursor"]) not in given:
        del case.query["cursor"]
    headers = case.headers
    if not headers:
        return
    # Its coverage phase makes header values of letters and digits alone, and
    # where it finds no valid one sends "0" in a request that it calls valid.
    for name in ("If-Match", "If-None-Match"):
        if str(headers.get(name, "*")) == "0":
            del headers[name]
    # The contract refuses the two together.
    if case.method.upper() == "PUT" and "If-Match" in headers and "If-None-Match" in headers:
        del headers["If-None-Match"]
    # The digest is of the body.
    if "Content-Digest" in headers:
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://127.0.0.1")).prepare().body or b""
        sent = sent.encode() if isinstance(sent, str) else sent
        headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(sent).digest()).decode()}:"


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.path == "/v1/objects" and response.status_code == 200 and case.method.upper() == "GET":
        cursor = response.json().get("next_cursor")
        if cursor:
            given.add((*listing(case), cursor))
