"""The stand-in as a whole: what tests and the command line start."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Sequence
from urllib.parse import urlsplit

from .clock import Clock
from .faults import Faults
from .journal import Journal
from .pki import Pki
from .pool import Pool
from .server import Server, require_loopback
from .service import Service
from .tokens import SigningKey


class Standin:
    """One regional endpoint with one user pool (`add_pool` makes more). Use it as a context manager."""

    def __init__(
        self,
        directory: Path | str,
        host: str = "127.0.0.1",
        port: int = 0,
        region: str = "eu-central-1",
        client_secret: str | None = None,
        keys: list[SigningKey] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        """`keys` saves the time to make some: `two_keys()` may be shared by all stand-ins of a test run. The certificate is for
        `names` too."""
        require_loopback(host)
        self.region = region
        self.clock = Clock()
        self.journal = Journal()
        self.faults = Faults()
        self.pools: dict[str, Pool] = {}
        self.pool = self.add_pool(client_secret, keys)
        pki = Pki(Path(directory), names)
        self.ca_path, self.ca_file = pki.ca_path, pki.ca_file
        self._server = Server(host, port, pki, Service(self.pools), self.faults, self.journal)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def add_pool(
        self, client_secret: str | None = None, keys: list[SigningKey] | None = None
    ) -> Pool:
        """Another pool behind the same endpoint."""
        pool = Pool(self.region, self.clock, client_secret, keys)
        self.pools[pool.id] = pool
        return pool

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        host = str(self._server.server_address[0])
        return f"https://[{host}]:{self.port}" if ":" in host else f"https://{host}:{self.port}"

    @property
    def jwks_url(self) -> str:
        """The issuer's path on the endpoint's host."""
        return f"{self.endpoint}{urlsplit(self.pool.issuer).path}/.well-known/jwks.json"

    def config(self) -> dict[str, str]:
        """The keys of pam_cognito.conf with which the modules find this stand-in."""
        return {
            "region": self.region,
            "user_pool_id": self.pool.id,
            "client_id": self.pool.client_id,
            "endpoint": self.endpoint,
            "issuer": self.pool.issuer,
            "ca_path": str(self.ca_path),
        }

    def wait_for_silence(self) -> None:
        """Until no connection is open any more; TimeoutError."""
        self._server.wait_for_silence()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it; AssertionError if the stand-in itself made a mistake meanwhile."""
        if self._thread.is_alive():
            self._server.stop()
            self._thread.join()
        if self._server.failures:
            raise AssertionError("the stand-in failed:\n" + "\n".join(self._server.failures))

    def __enter__(self) -> "Standin":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
