"""cognito-local, a Cognito server of other authors: its process, a pool with a user, and the codes it sends.

https://github.com/jagregory/cognito-local
"""

import json
import re
import selectors
import ssl
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from standin.pki import Pki

STARTED = re.compile(r"Cognito Local running on https://\S*:(\d+)")
PATIENCE = 30.0

# cognito-local has to know its issuer before it has a port. Nobody ever looks this name up.
ISSUER_DOMAIN = "https://cognito-local.test"


class CognitoLocal:
    """Runs on a free port of the loopback until `stop`, in a folder of its own."""

    def __init__(self, program: Path, directory: Path) -> None:
        self._directory = directory
        self._pki = Pki(directory)
        self._pki.context()  # makes the certificate's file
        self._write_config(directory / "tls" / "good.pem")
        self._process = subprocess.Popen(
            ["node", str(program)], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.endpoint = f"https://127.0.0.1:{self._started()}"
        self.pool_id = self.call("CreateUserPool", PoolName="tests", AutoVerifiedAttributes=["email"])[
            "UserPool"
        ]["Id"]
        self.client_id = self.call("CreateUserPoolClient", UserPoolId=self.pool_id, ClientName="tests")[
            "UserPoolClient"
        ]["ClientId"]

    def _write_config(self, certificate: Path) -> None:
        config = {
            "UserPoolDefaults": {"UsernameAttributes": []},
            "TokenConfig": {"IssuerDomain": ISSUER_DOMAIN},
            "ServerConfig": {
                "hostname": "127.0.0.1",
                "port": 0,
                "https": True,
                "cert": str(certificate),
                "key": str(certificate),
            },
        }
        folder = self._directory / ".cognito"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config))

    def _started(self) -> int:
        """The port, as soon as it says which."""
        assert self._process.stdout
        said = ""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(PATIENCE):
                line = self._process.stdout.readline()
                said += line
                if found := STARTED.search(line):
                    return int(found[1])
                if not line:
                    break
        self.stop()
        raise RuntimeError(f"cognito-local does not start: {said}")

    def call(self, operation: str, **body: Any) -> dict[str, Any]:
        """An operation of the API, unsigned as cognito-local takes it."""
        request = urllib.request.Request(
            self.endpoint,
            json.dumps(body).encode(),
            {
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
            },
        )
        context = ssl.create_default_context(cafile=str(self._pki.ca_file))
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as reply:
            return json.load(reply)

    def add_user(self, username: str, password: str, email: str) -> None:
        attributes = [{"Name": "email", "Value": email}]
        same = {"UserPoolId": self.pool_id, "Username": username}
        self.call("AdminCreateUser", **same, UserAttributes=attributes, MessageAction="SUPPRESS")
        self.call("AdminSetUserPassword", **same, Password=password, Permanent=True)

    def user(self, username: str) -> dict[str, Any]:
        """A user as its data base has it."""
        document = json.loads((self._directory / ".cognito" / "db" / f"{self.pool_id}.json").read_text())
        return next(user for user in document["Users"].values() if user["Username"] == username)

    def code(self, username: str) -> str:
        """The code that it sent last and that is not used yet."""
        return self.user(username)["AttributeVerificationCode"]

    def config(self) -> dict[str, str]:
        """The keys of pam_cognito.conf with which the modules find it."""
        return {
            "region": self.pool_id.partition("_")[0],
            "user_pool_id": self.pool_id,
            "client_id": self.client_id,
            "endpoint": self.endpoint,
            "issuer": f"{ISSUER_DOMAIN}/{self.pool_id}",
            "ca_path": str(self._pki.ca_path),
            "signin_flow": "password",
        }

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
