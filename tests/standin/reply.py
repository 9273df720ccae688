"""An HTTP reply before it becomes bytes, so that faults can change it at either stage."""

import email.utils
import http
import json
import uuid
from dataclasses import dataclass
from typing import Any

from .errors import status_of

AMZ_JSON = "application/x-amz-json-1.1"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reply:
    """Status, headers and body. Content-Length is added unless a header frames the body already."""

    status: int
    body: bytes = b""
    headers: Headers = ()

    def __bytes__(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {_reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self._all_headers()]
        return "\r\n".join(lines + ["", ""]).encode("latin-1") + self.body

    def _all_headers(self) -> Headers:
        given = {name.lower() for name, _ in self.headers}
        framed = given & {"content-length", "transfer-encoding"}
        length = () if framed else (("Content-Length", str(len(self.body))),)
        date = (("Date", email.utils.formatdate(usegmt=True)),)
        return date + self.headers + length


def json_reply(payload: Any, status: int = 200, headers: Headers = ()) -> Reply:
    """A reply of the JSON 1.1 protocol.

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    """
    common = (("Content-Type", AMZ_JSON), ("x-amzn-RequestId", str(uuid.uuid4())))
    return Reply(status, json.dumps(payload).encode(), common + headers)


def error_reply(name: str, message: str | None, status: int | None = None) -> Reply:
    """An error as Cognito words it: the type stands in the body, and in a header too."""
    headers = (("x-amzn-errortype", name),)
    return json_reply(error_body(name, message), status or status_of(name), headers)


def error_body(name: str, message: str | None) -> Any:
    """The service's own framework has other bodies for what it refuses before the operation sees it."""
    if name == "UnknownOperationException":
        inner = {"__type": f"com.amazon.coral.service#{name}", "message": message}
        return {"Output": inner, "Version": "1.0"}
    key = "Message" if name == "SerializationException" else "message"
    return {"__type": name, key: message}


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
