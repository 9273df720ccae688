"""A certificate authority of its own: one good server certificate, and the bad ones that faults need."""

import datetime
import ipaddress
import os
import ssl
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
NAME = "standin.test"  # for name servers of tests: RFC 6761, section 6.2
LOOPBACK = ("localhost", "127.0.0.1", "::1", NAME)
ELSEWHERE = ("cognito-idp.example.com",)

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

# name: (host names, days from now when it starts, and ends, signed by our authority, what it is for)
SERVER_CERTIFICATES = {
    "good": (LOOPBACK, -1, 30, True, SERVER),
    "self-signed": (LOOPBACK, -1, 30, False, SERVER),
    "expired": (LOOPBACK, -30, -1, True, SERVER),
    "not-yet-valid": (LOOPBACK, 1, 30, True, SERVER),
    "wrong-host": (ELSEWHERE, -1, 30, True, SERVER),
    "client's": (LOOPBACK, -1, 30, True, CLIENT),
}

KEY_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


class Pki:
    """The authority, its hashed directory, and a TLS context for each server certificate."""

    def __init__(self, directory: Path, names: Sequence[str] = ()) -> None:
        self._names = tuple(names)
        self.ca_path = directory / "ca"
        self.ca_file = directory / "ca.pem"
        self._keys = directory / "tls"
        self._authority = _issue("Stand-in CA", (), -1, 30, None)
        for folder in (self.ca_path, self._keys):
            folder.mkdir(parents=True, exist_ok=True)
        self.ca_file.write_bytes(self._authority.certificate_pem())
        _fill_hashed_directory(self.ca_path, self.ca_file)

    def context(self, certificate: str = "good", old: bool = False, ciphers: str | None = None) -> ssl.SSLContext:
        """A server context with that certificate; `old` speaks TLS 1.0 and 1.1 alone, one with `ciphers` TLS 1.2."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pem_file(certificate))
        context.set_alpn_protocols(["http/1.1"])
        if old:
            _only_old_tls(context)
        if ciphers:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(f"{ciphers}@SECLEVEL=0")
        return context

    def _pem_file(self, name: str) -> Path:
        path = self._keys / f"{name}.pem"
        if not path.exists():
            hosts, start, end, trusted, usage = SERVER_CERTIFICATES[name]
            identity = _issue(hosts[0], hosts + (self._names if name == "good" else ()), start, end, self._authority if trusted else None, usage)
            _write_private(path, identity.key_pem() + identity.certificate_pem())
        return path


def _issue(
    name: str,
    hosts: tuple[str, ...],
    start: int,
    end: int,
    issuer: Identity | None,
    usage: x509.ObjectIdentifier = SERVER,
) -> Identity:
    """A certificate for these hosts, or an authority's where there are none; without issuer self-signed.

    The extensions are those that RFC 5280, section 4.2, requires: strict verifiers insist on them.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else key
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start * DAY)
        .not_valid_after(now + end * DAY)
        .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
        .add_extension(_key_usage(ca=not hosts), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        extended = x509.ExtendedKeyUsage([usage])
        builder = builder.add_extension(names, critical=False).add_extension(extended, critical=False)
    return Identity(builder.sign(signer, hashes.SHA256()), key)


def _key_usage(ca: bool) -> x509.KeyUsage:
    granted = {"key_cert_sign", "crl_sign"} if ca else {"digital_signature"}
    return x509.KeyUsage(**{usage: usage in granted for usage in KEY_USAGES})


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _fill_hashed_directory(directory: Path, certificate: Path) -> None:
    """Store an authority as `HASH.0`, where OpenSSL looks for it (openssl-rehash(1))."""
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(certificate)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    (directory / f"{found.stdout.strip()}.0").write_bytes(certificate.read_bytes())


def _only_old_tls(context: ssl.SSLContext) -> None:
    """RFC 8996 forbids these versions: Python warns, and OpenSSL wants its lowest security level."""
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
