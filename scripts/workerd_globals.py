"""Record what JavaScript's globals do in workerd: ``python scripts/workerd_globals.py PATH/TO/workerd``.

Reads the expressions of ``js_globals.txt`` beside the tests that compare, and writes ``js_globals.json``:
what each gives, or the message of what it throws. Get workerd with ``npm install workerd``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

RECORDED = Path(__file__).parents[1] / "tests/unit/workers/compat/recorded"
DATE = "2025-11-02"

MODULE = """
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
CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "main.mjs", esModule = embed "main.mjs")], compatibilityDate = "%s"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
"""


def main(workerd: str) -> None:
    """Record."""
    lines = (RECORDED / "js_globals.txt").read_text("utf-8").splitlines()
    expressions = [line for line in lines if line and not line.startswith("#")]
    cases = ",\n".join(f"[{json.dumps(text)}, () => ({text})]" for text in expressions)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "main.mjs").write_text(MODULE % f"[{cases}]", "utf-8")
        (Path(folder) / "config.capnp").write_text(CONFIG % DATE, "utf-8")
        recorded = answer_of(workerd, folder)
    text = ",\n".join(json.dumps(one, ensure_ascii=True) for one in recorded)
    (RECORDED / "js_globals.json").write_text(f"[\n{text}\n]\n", "utf-8")


def answer_of(workerd: str, folder: str) -> list[dict[str, object]]:
    """Serve the configuration in ``folder`` and return what it answers."""
    server = subprocess.Popen(
        [workerd, "serve", "config.capnp", "--control-fd=1"], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        port = json.loads(server.stdout.readline() if server.stdout else "")["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
            answer: list[dict[str, object]] = json.load(response)
            return answer
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()))
