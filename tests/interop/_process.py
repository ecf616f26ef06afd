"""A script in a Node process that answers each line of JSON with another."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from threading import Timer
from typing import Any, Self

INSTALL = "Node.js 20 is needed: https://nodejs.org or `apt-get install nodejs npm`"
PATIENCE_SECONDS = 30.0


class NodeProcess:
    """Runs in the folder of the script; it is killed at the end, or if it keeps silent."""

    def __init__(self, script: Path, *arguments: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        node = shutil.which("node")
        assert node, INSTALL
        self._script = script
        self._patience_seconds = patience_seconds
        self._process = subprocess.Popen(
            [node, script.name, *arguments],
            cwd=script.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)

    def ask(self, question: Any) -> Any:
        """The answer to a question."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = Timer(self._patience_seconds, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        finally:
            timer.cancel()
        assert answer, f"{self._script.name} ended, or took too long, at {question}"
        return json.loads(answer)
