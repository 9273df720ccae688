"""From an HTTP request to an operation and back to a reply; what the service's front door refuses."""

import threading
from dataclasses import dataclass
from email.message import Message
from typing import Any

from .access import Pools
from .errors import CognitoError
from .model import Model
from .operations import OPERATIONS
from .reply import AMZ_JSON, Reply, error_reply, json_reply

JWKS_PATH = "/.well-known/jwks.json"
JWKS = "jwks"
LARGEST_BODY = 1 << 20


@dataclass(frozen=True)
class Request:
    """A request as it came; the body is unread JSON."""

    method: str
    path: str
    headers: Message
    body: bytes


class Service:
    """The regional endpoint of one region: all its pools, one request at a time."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._model = Model()
        self._lock = threading.Lock()

    def name(self, request: Request) -> str:
        """What is asked: an operation's name, "jwks", or "" for what is not known here."""
        if request.method == "GET":
            return JWKS if request.path.endswith(JWKS_PATH) else ""
        prefix, _, operation = request.headers.get("X-Amz-Target", "").partition(".")
        at_root = request.method == "POST" and request.path == "/"
        amz_json = request.headers.get_content_type() == AMZ_JSON
        known = prefix == self._model.target_prefix and operation in OPERATIONS
        return operation if at_root and amz_json and known else ""

    def answer(self, request: Request) -> Reply:
        """The honest reply."""
        try:
            with self._lock:
                return self._answer(request, self.name(request))
        except CognitoError as error:
            return error_reply(error.name, error.message)

    def _answer(self, request: Request, name: str) -> Reply:
        if not request.headers.get("User-Agent"):
            # The first rule of AWS WAF's core rule set (NoUserAgent_HEADER).
            raise CognitoError("ForbiddenException", "Request not allowed due to WAF block.")
        if name == JWKS:
            return self._jwks(request.path)
        if not name:
            raise CognitoError("UnknownOperationException", None)
        if len(request.body) > LARGEST_BODY:
            raise CognitoError("RequestEntityTooLargeException", None)
        return json_reply(self._operate(name, request.body))

    def _operate(self, name: str, body: bytes) -> dict[str, Any]:
        """Carry out an operation; the model watches over both what comes in and what goes out."""
        try:
            payload = OPERATIONS[name](self._pools, self._model.request(name, body))
        except CognitoError as error:
            self._model.check_error(name, error.name)
            raise
        self._model.check_reply(name, payload)
        return payload

    def _jwks(self, path: str) -> Reply:
        pool = self._pools.get(path[1 : -len(JWKS_PATH)])
        if pool is None:
            raise CognitoError("ResourceNotFoundException", "User pool does not exist.")
        headers = (("Cache-Control", "public, max-age=86400"),)
        return json_reply(pool.jwks(), headers=headers)
