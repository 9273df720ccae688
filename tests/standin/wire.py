"""An accepted connection with byte-level control: what honest replies and faults are sent through."""

import contextlib
import socket
import ssl
import struct
import threading

# SO_LINGER on with no time: close() then sends RST instead of FIN (socket(7)).
RESET = struct.pack("ii", 1, 0)


class Wire:
    """One connection, in the clear until `secure` is called. Its thread ends it; any thread may `stop` it."""

    def __init__(self, raw: socket.socket, stopping: threading.Event) -> None:
        self.socket = raw
        self.over = False
        self._notify = True
        self._stopping = stopping
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def secure(self, context: ssl.SSLContext) -> str | None:
        """Shake hands, and tell the TLS version; None if the peer did not like it."""
        try:
            secured = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        except OSError:  # the peer is gone already
            self.reset()
            return None
        self.socket = secured
        try:
            secured.do_handshake()
        except (OSError, ValueError):
            self.reset()
            return None
        return secured.version()

    def send(self, data: bytes) -> None:
        """All bytes at once. A peer that went away ends the connection."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.over = True

    def pause(self, seconds: float) -> None:
        """Wait, but not past the server's end."""
        if self._stopping.wait(seconds):
            self.over = True

    def wait_for_peer(self) -> None:
        """Swallow what comes until the peer leaves."""
        with contextlib.suppress(OSError):
            while self.socket.recv(65536):
                pass
        self.over = True

    def close(self, notify: bool = True) -> None:
        """No more requests on this connection; it is closed in good order, or without TLS's goodbye."""
        self._notify = notify
        self.over = True

    def reset(self) -> None:
        """No more requests; the peer gets RST."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.over = True

    def finish(self) -> None:
        """Close for good: with TLS's close_notify (RFC 8446, section 6.1), but not waiting for the peer's."""
        with contextlib.suppress(OSError, ValueError):
            self.socket.settimeout(0)
            if isinstance(self.socket, ssl.SSLSocket) and self._notify and not self._is_reset():
                self.socket.unwrap()
        self.socket.close()

    def stop(self) -> None:
        """Wake the thread that waits on it. By the plain method: SSLSocket's own would drop the TLS state."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def _is_reset(self) -> bool:
        return self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(RESET)) == RESET
