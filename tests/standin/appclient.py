"""Who asks to sign in: the app client, its secret, and what the request brings along."""

import hmac
from dataclasses import dataclass
from typing import Any

from .access import Pools
from .errors import CognitoError
from .pool import Client, Pool


@dataclass(frozen=True)
class Ask:
    """One request of a sign-in. `parameters` are its AuthParameters or ChallengeResponses."""

    pool: Pool
    client: Client
    parameters: dict[str, str]
    metadata: dict[str, str]
    session: str | None = None

    def need(self, name: str) -> str:
        """A parameter that the request cannot do without."""
        if name not in self.parameters:
            raise missing(name)
        return self.parameters[name]

    def check_secret_hash(self) -> None:
        """SECRET_HASH is over the USERNAME of the same request, alias or not."""
        username, given = self.need("USERNAME"), self.parameters.get("SECRET_HASH")
        client = self.client
        if client.secret is None and given is None:
            return
        if client.secret is None:
            text = f"Client {client.id} is not configured for secret but secret hash was received"
        elif given is None:
            text = f"Client {client.id} is configured with secret but SECRET_HASH was not received"
        elif hmac.compare_digest(client.secret_hash(username).encode(), given.encode()):
            return
        else:
            text = f"Unable to verify secret hash for client {client.id}"
        raise CognitoError("NotAuthorizedException", text)


def asked(pools: Pools, request: dict[str, Any], member: str) -> Ask:
    """The request as an app client of one of these pools makes it; `member` holds its parameters."""
    client_id = request["ClientId"]
    for pool in pools.values():
        if client_id in pool.clients:
            parameters, metadata = request.get(member, {}), request.get("ClientMetadata", {})
            return Ask(pool, pool.clients[client_id], parameters, metadata, request.get("Session"))
    text = f"User pool client {client_id} does not exist."
    raise CognitoError("ResourceNotFoundException", text)


def missing(name: str) -> CognitoError:
    return CognitoError("InvalidParameterException", f"Missing required parameter {name}")
