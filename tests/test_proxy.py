"""The option proxy: the only way to a proxy, and what is asked of it."""

import socket
import threading
from typing import Callable, Iterator

import pytest
from harness import words
from harness.login import Login
from harness.people import PASSWORD
from standin import Standin

Code = Callable[[], str]

SIGN_IN = (words.PASSWORD, PASSWORD)


class Proxy:
    """An HTTP proxy that makes tunnels (RFC 9110, section 9.3.6), one thread each way."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.requests.append(head.decode("ascii"))
        host, port = head.split()[1].decode("ascii").rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pump, args=(server, client), daemon=True).start()
        pump(client, server)


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


def test_login_through_a_proxy(login: Login, standin: Standin, code: Code, proxy: Proxy) -> None:
    """One tunnel for the whole login, of which the proxy sees the address and nothing else."""
    assert login([SIGN_IN, (words.ASKED, code)], proxy=proxy.url).let_in
    assert len(proxy.requests) == 1
    assert proxy.requests[0].startswith(f"CONNECT 127.0.0.1:{standin.port} HTTP/1.1\r\n")
    assert len(standin.journal.connections) == 1


def test_proxy_that_is_not_there(login: Login, standin: Standin, proxy: Proxy) -> None:
    """Nothing goes round it."""
    proxy.close()
    assert login([SIGN_IN], proxy=proxy.url, connect_timeout=2).code == "PAM_AUTHINFO_UNAVAIL"
    assert not standin.journal.connections
