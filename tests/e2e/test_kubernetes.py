"""What the pod of `deploy/kubernetes` does: its command, its probes, and what it does before it stops."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml

from e2e._rooms import write_rooms
from e2e._server import ServerProcess, free_port

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
PATIENCE = 30.0


class Pod:
    """The container, without a cluster: its paths and ports are others."""

    def __init__(self, folder: Path) -> None:
        spec = yaml.safe_load((FOLDER / "statefulset.yaml").read_text())["spec"]["template"]["spec"]
        self.container: dict[str, Any] = spec["containers"][0]
        self.ports = {port["name"]: free_port() for port in self.container["ports"]}
        self.folder = folder
        self.elsewhere = {
            "durabase": f"{sys.executable} -m durabase",
            "/data": str(folder / "kept"),
            "0.0.0.0:8788": f"0.0.0.0:{self.ports['admin']}",
        }
        command = " ".join(self.elsewhere.get(word, word) for word in self.container["command"]).split()
        command += ["--port", str(self.ports["http"])]
        self.server = ServerProcess(folder, self.ports["http"], command, "Ready on http", cwd=folder)
        self.server.environment = {"DURABASE_ADMIN_TOKEN": "a secret of the cluster"}

    def probe(self, kind: str) -> int:
        """The status that the kubelet gets."""
        asked = self.container[kind]["httpGet"]
        url = f"http://127.0.0.1:{self.ports[asked['port']]}{asked['path']}"
        try:
            with urlopen(url, timeout=PATIENCE) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    def before_it_stops(self) -> None:
        shell, option, words = self.container["lifecycle"]["preStop"]["exec"]["command"]
        assert (shell, option) == ("sh", "-c")
        for there, here in {**self.elsewhere, "sleep 5": "sleep 0"}.items():
            words = words.replace(there, here, 1)
        environment = {**os.environ, **self.server.environment}
        subprocess.run([shell, option, words], check=True, timeout=PATIENCE, env=environment, cwd=self.folder)


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    write_rooms(tmp_path)
    pod = Pod(tmp_path)
    pod.server.start()
    yield pod
    pod.server.kill()


def test_it_is_ready_until_it_is_to_stop_and_alive_to_the_end(pod: Pod) -> None:
    assert [pod.probe(kind) for kind in ("startupProbe", "readinessProbe", "livenessProbe")] == [200] * 3
    with urlopen(f"{pod.server.url}/a/b", timeout=PATIENCE) as answer:  # noqa: S310 - ours
        assert answer.status == 200
    pod.before_it_stops()
    assert (pod.probe("readinessProbe"), pod.probe("livenessProbe")) == (503, 200)
    with urlopen(f"{pod.server.url}/a/b", timeout=PATIENCE) as answer:  # noqa: S310 - ours
        assert answer.status == 200  # who has not heard of it yet is still served
    assert pod.server.stop() == 0, pod.server.log
