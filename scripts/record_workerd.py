"""Record what workerd does: ``python scripts/record_workerd.py PATH/TO/workerd``, by ``npm install workerd``.

Two recordings, each beside the tests that compare: what JavaScript's globals give for the expressions of
``js_globals.txt``, and what a program of Durable Objects observes, whose twin in Python is run by the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests" / "unit" / "workers"
GLOBALS = TESTS / "compat" / "recorded"
TWINS = TESTS / "twins"
EXPRESSIONS = """
const bytes_of = (bytes) => [...new Uint8Array(bytes)];
const names = ["ArrayBuffer", "Blob", "Date", "File", "FormData", "Headers", "Map", "Request", "Response",
  "Set", "TextDecoder", "TextEncoder", "URL", "URLSearchParams", "Uint8Array"];
for (const name of names) globalThis[name].new = (...given) => new globalThis[name](...given);
const cases = %s;
export default {
  async fetch() {
    const results = [];
    for (const [expression, give] of cases) {
      try {
        const result = give() ?? null;
        const kind = result?.constructor;
        const isPlain = typeof result !== "object" || [undefined, Array, Object].includes(kind);
        results.push({expression, result: isPlain ? result : String(result)});
      } catch (error) {
        results.push({expression, error: error.message});
      }
    }
    return Response.json(results);
  },
};
"""
CLASSES = ("Room", "Empty", "Odd", "Frail")
CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "disk", disk = (writable = true)), (name = "main", worker = (
    modules = [(name = "main.mjs", esModule = embed "main.mjs")], compatibilityDate = "2026-01-01",
    %s))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
"""


def main(workerd: str) -> None:
    """Make both recordings."""
    lines = (GLOBALS / "js_globals.txt").read_text("utf-8").splitlines()
    expressions = [line for line in lines if line and not line.startswith("#")]
    cases = ",\n".join(f"[{json.dumps(text)}, () => ({text})]" for text in expressions)
    recorded = answer_of(workerd, EXPRESSIONS % f"[{cases}]", "bindings = []")
    _write(GLOBALS / "js_globals.json", ",\n".join(map(json.dumps, recorded)), "[]")
    namespaces = ", ".join(
        f'(className = "{name}", uniqueKey = "app-{name}", enableSql = true)' for name in CLASSES
    )
    bindings = ", ".join(f'(name = "{name.upper()}", durableObjectNamespace = "{name}")' for name in CLASSES)
    storage = 'durableObjectStorage = (localDisk = "disk"), '
    objects = f"durableObjectNamespaces = [{namespaces}], {storage}"
    program = (TWINS / "program.mjs").read_text("utf-8")
    observed = answer_of(workerd, program, objects + f"bindings = [{bindings}]")
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(seen)}" for name, seen in observed.items())
    _write(TWINS / "recorded.json", text, "{}")


def _write(path: Path, text: str, brackets: str) -> None:
    path.write_text(f"{brackets[0]}\n{text}\n{brackets[1]}\n", "utf-8")


def answer_of(workerd: str, module: str, more: str) -> Any:
    """Serve the module and return what it answers."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.mjs").write_text(module, "utf-8")
        (Path(folder) / "config.capnp").write_text("@0xbf8b7a1d9c3e5f01;" + CONFIG % more, "utf-8")
        (Path(folder) / "objects").mkdir()
        disk = f"--directory-path=disk={folder}/objects"
        command = [workerd, "serve", "config.capnp", "--control-fd=1", disk]
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            port = json.loads(server.stdout.readline() if server.stdout else "")["port"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as response:
                return json.load(response)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
