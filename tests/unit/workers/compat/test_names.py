"""Every name that Cloudflare's Python programs can rely on is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from durabase.testing import WorkerHarness
from durabase.workers.loader import load_worker, unload_workers
from unit.workers.programs import program_config, write_program

IMPORTED = {
    "workers": """
        Blob BlobEnding BlobValue Body Context DurableObject FetchKwargs FetchResponse File FormData
        FormDataValue Headers JSBody Request RequestInitCfProperties Response WorkerEntrypoint
        WorkflowEntrypoint asgi env fetch handler import_from_javascript patch_env python_from_rpc
        python_to_rpc waitUntil wait_until wsgi
    """,
    "workers.asgi": "Options entrypoint env fetch websocket",
    "workers.wsgi": "Options entrypoint fetch",
    "workers.workflows": "NonRetryableError",
    "workers.types": "Body FetchKwargs RequestInitCfProperties",
    "workers.gateway": "BaseOptions EncodeBody",
    "workers.rpc": "python_from_rpc python_to_rpc",
    "workers.utils": "import_from_javascript patch_env",
    "workers.blob": "Blob BlobEnding BlobValue File",
    "workers.formdata": "FormData FormDataValue",
    "workers.request": "Request",
    "workers.response": "FetchResponse Response",
    "workers.entrypoints": "DurableObject WorkerEntrypoint WorkflowEntrypoint handler",
    "asgi": "entrypoint env fetch websocket",
    "pyodide": "__version__",
    "pyodide.ffi": """
        JsArray JsBuffer JsDomElement JsException JsNull JsProxy can_run_sync create_once_callable
        create_proxy destroy_proxies jsnull run_sync to_js
    """,
    "pyodide.http": "FetchResponse pyfetch",
    "pyodide.code": "relaxed_call run_js",
    "js": """
        Array ArrayBuffer Date Error Headers JSON Map Object Promise ReadableStream Request Response Set
        TextDecoder TextEncoder TransformStream URL URLSearchParams Uint8Array WebSocket WebSocketPair
        WebSocketRequestResponsePair caches clearTimeout console crypto fetch globalThis queueMicrotask
        scheduler setInterval setTimeout undefined
    """,
}
"""By module, what can be imported from it."""

MEMBERS = {
    "workers.Request": """
        url method headers body body_used cf cache credentials destination integrity
        is_history_navigation keepalive mode redirect referrer referrer_policy js_object text json bytes
        buffer form_data blob clone
    """,
    "workers.Response": """
        status status_text headers url ok type redirected body body_used js_object js_response text json
        bytes buffer form_data formData blob clone string raise_for_status replace_body redirect from_json
    """,
    "workers.Blob": "size content_type text bytes slice",
    "workers.File": "size content_type text bytes slice name last_modified",
    "workers.FormData": """
        append delete keys values items get_all __len__ __contains__ __getitem__ __setitem__
    """,
    "js.WebSocket": "new CONNECTING OPEN CLOSING CLOSED",
    "js.WebSocketPair": "new",
    "js.WebSocketRequestResponsePair": "new",
    "js.Date": "now new",
    "js.Object": "fromEntries entries keys values new",
    "js.JSON": "stringify parse",
    "js.console": "log warn error info debug",
    "js.crypto": "randomUUID getRandomValues subtle",
    "js.crypto.subtle": "digest sign verify importKey timingSafeEqual",
    "js.URL": "new canParse",
    "js.URLSearchParams": "new",
    "js.Headers": "new",
    "js.Request": "new",
    "js.Response": "new json redirect",
    "js.Map": "new",
    "js.Set": "new",
    "js.Uint8Array": "new",
    "js.Promise": "all resolve new race allSettled",
    "js.Error": "new",
    "js.ReadableStream": "new",
    "js.TransformStream": "new",
    "js.TextEncoder": "new",
    "js.TextDecoder": "new",
    "js.scheduler": "wait",
    "js.globalThis": "Date fetch crypto",
    "js.AbortController": "new",
    "js.AbortSignal": "abort any timeout",
    "js.caches": "default open",
    "env.OBJECTS": "idFromName newUniqueId idFromString get getByName jurisdiction",
    "env.KV": "get put delete list getWithMetadata",
    "env.OBJECTS.getByName('a')": "id name fetch any_method_at_all",
    "env.OBJECTS.idFromName('a')": "toString equals name",
    "self.ctx": "waitUntil passThroughOnException props exports",
    "room.ctx": """
        id storage props exports waitUntil blockConcurrencyWhile abort acceptWebSocket getWebSockets
        getTags setWebSocketAutoResponse getWebSocketAutoResponse getWebSocketAutoResponseTimestamp
        setHibernatableWebSocketEventTimeout getHibernatableWebSocketEventTimeout
    """,
    "room.ctx.storage": """
        get put delete list deleteAll getAlarm setAlarm deleteAlarm sync transaction transactionSync
        kv sql
    """,
    "room.ctx.storage.kv": "get put delete list",
    "room.ctx.storage.sql": "exec databaseSize",
    "room.ctx.storage.sql.exec('SELECT 1')": "toArray one raw next columnNames rowsRead rowsWritten",
    "pair[0]": """
        accept send close addEventListener removeEventListener readyState binaryType url protocol
        extensions serializeAttachment deserializeAttachment onmessage onclose onerror onopen
    """,
    "pair": "object_values",
    "pyodide.ffi.create_proxy(print)": "copy destroy",
    "workers.import_from_javascript('cloudflare:workers')": """
        env waitUntil withEnv DurableObject WorkerEntrypoint RpcTarget
    """,
    "buffer": "to_bytes to_py to_memoryview byteLength tobytes",
}
"""By what a program can write, the members that there are."""

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2026-01-01"

[[kv_namespaces]]
binding = "KV"
id = "kv"

[[durable_objects.bindings]]
name = "OBJECTS"
class_name = "Room"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room"]
"""

PROGRAM = """
    import js, workers, pyodide.ffi
    from workers import DurableObject, Response, WorkerEntrypoint, env

    MISSING = []
    MEMBERS = {members!r}

    def look(**known):
        for expression, names in MEMBERS.items():
            if expression.partition(".")[0].partition("[")[0] not in known:
                continue
            target = eval(expression, dict(known))
            MISSING.extend(f"{{expression}}.{{name}}" for name in names.split() if not hasattr(target, name))

    class Room(DurableObject):
        async def look(self):
            look(room=self)
            return MISSING

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            pair = js.WebSocketPair.new()
            buffer = await request.buffer()
            look(js=js, workers=workers, pyodide=pyodide, env=env, pair=pair, self=self, buffer=buffer)
            return Response.json(await env.OBJECTS.getByName("a").look())
"""


@pytest.mark.feature("M-PY-1", "M-PY-4", "S-PY-1")
@pytest.mark.parametrize("module", IMPORTED)
def test_a_program_can_import_it(tmp_path: Path, module: str) -> None:
    names = IMPORTED[module].split()
    worker = load_worker(program_config(tmp_path, f"from {module} import {', '.join(names)}"))
    members: dict[str, Any] = vars(worker.module)
    assert [name for name in names if name not in members] == []
    unload_workers([worker])


@pytest.mark.feature("M-PY-1", "M-PY-4", "S-PY-1")
def test_what_is_imported_or_given_has_its_members(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> Any:
        return await (await worker.fetch("/", method="POST", body="x")).json()

    worker = WorkerHarness(write_program(tmp_path, PROGRAM.format(members=MEMBERS), TOML))
    assert worker.run(lambda: use(worker)) == []


def test_a_missing_member_is_found(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> Any:
        return await (await worker.fetch("/", method="POST", body="x")).json()

    members = {"js.Date": "now nonsense", "room.ctx": "id more_nonsense"}
    worker = WorkerHarness(write_program(tmp_path, PROGRAM.format(members=members), TOML))
    assert worker.run(lambda: use(worker)) == ["js.Date.nonsense", "room.ctx.more_nonsense"]
