"""Certificates for the loopback, made with the program ``openssl``, which every Linux has or can install."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

FOR_AUTHORITY = (
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
)
FOR_SERVER = "basicConstraints=CA:FALSE\nsubjectAltName={names}\nauthorityKeyIdentifier=keyid\n"


class Authority:
    """Signs certificates of servers, and makes the contexts that trust it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._make("authority", FOR_AUTHORITY, "-signkey authority.key")

    @property
    def server_files(self) -> tuple[Path, Path]:
        """The certificate that was signed last, and its key."""
        return self._folder / "server.pem", self._folder / "server.key"

    def sign(self, names: str = "IP:127.0.0.1") -> None:
        """Make a certificate for a server that goes by these names."""
        signer = "-CA authority.pem -CAkey authority.key -set_serial 1"
        self._make("server", FOR_SERVER.format(names=names), signer)

    def server_context(self, names: str = "IP:127.0.0.1") -> ssl.SSLContext:
        """For a server that goes by these names."""
        self.sign(names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server_files)
        return context

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts this authority and nobody else."""
        return ssl.create_default_context(cafile=self._folder / "authority.pem")

    def _make(self, name: str, extensions: str, signer: str) -> None:
        """A key and a certificate."""
        (self._folder / f"{name}.ext").write_text(extensions)
        self._openssl(f"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key")
        self._openssl(f"req -new -key {name}.key -subj /CN={name} -out {name}.csr")
        self._openssl(f"x509 -req -in {name}.csr -out {name}.pem -days 2 -extfile {name}.ext {signer}")

    def _openssl(self, arguments: str) -> None:
        program = shutil.which("openssl")
        assert program, "needs openssl: apt-get install openssl"
        command = [program, *arguments.split()]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
