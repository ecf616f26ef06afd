"""``durabase dev`` as a user runs it: a process, edits, sockets, signals."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection
from pathlib import Path
from textwrap import dedent

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .running import PROGRAM, TOML, Running, finished, running, write_project

Talk = Callable[[ClientConnection], Awaitable[None]]


def get(port: int, path: str = "/x", host: str | None = None) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"host": host} if host else {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def talk(port: int, talking: Talk) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), connect(f"ws://127.0.0.1:{port}/room", proxy=None) as ws:
            await talking(ws)

    asyncio.run(main())


async def ask(ws: ClientConnection, text: str) -> str:
    await ws.send(text)
    answer = await ws.recv()
    assert isinstance(answer, str)
    return answer


async def expect(command: Running, pattern: str) -> None:
    await asyncio.to_thread(command.expect, pattern)


@pytest.mark.feature("M-DX-1", "M-DX-2")
def test_edits_data_and_stopping(tmp_path: Path) -> None:
    project = write_project(tmp_path)

    async def edit(ws: ClientConnection) -> None:
        assert await ask(ws, "a") == "a 1 version 1"
        (project / "index.py").write_text(PROGRAM.replace("VERSION = 1", "VERSION = 2"))
        await expect(command, "⎔ Reloading local server...")
        await expect(command, "⎔ Local server updated and ready")
        assert await ask(ws, "b") == "b 2 version 2"
        (project / "index.py").write_text("this breaks it")
        await expect(command, r"✘ \[ERROR\] index\.py can't be imported")
        await expect(command, "SyntaxError")
        await expect(command, "⎔ The last good code keeps serving")
        assert await ask(ws, "c") == "c 3 version 2"
        assert (await asyncio.to_thread(get, port)) == (200, "version 2")
        (project / "index.py").write_text(PROGRAM.replace("VERSION = 1", "VERSION = 3"))
        await expect(command, "⎔ Local server updated and ready")
        assert await ask(ws, "d") == "d 4 version 3"
        command.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (1001, 1012)

    async def again(ws: ClientConnection) -> None:
        assert await ask(ws, "e") == "e 5 version 3"

    with running(project, "dev", "--port", "0") as command:
        port = command.port()
        assert get(port, "/x?y=1") == (200, "version 1")
        command.expect(rf"^asked for http://127\.0\.0\.1:{port}/x\?y=1$")
        command.expect(r"\[wrangler:info\] GET /x\?y=1 200 OK \(\d+ms\)")
        talk(port, edit)
        assert command.finish() == 0
        assert "  Data     .durabase/state" in command.lines
        assert any(line.endswith("/room  hibernated (1 socket kept)") for line in command.lines)
        assert any("GET /room 101 Switching Protocols" in line for line in command.lines)
        assert "Traceback" not in "\n".join(command.lines[-3:])
    with running(tmp_path, "dev", str(project), "--port", "0") as command:
        talk(command.port(), again)
        assert command.stop(signal.SIGINT) == 0


def test_hibernation_is_logged_and_unnoticed(tmp_path: Path) -> None:
    async def use(ws: ClientConnection) -> None:
        assert await ask(ws, "a") == "a 1 version 1"
        await expect(command, r"^\d\d:\d\d:\d\d  /room  hibernated \(1 socket kept\)$")
        assert await ask(ws, "b") == "b 2 version 1"
        await expect(command, r"/room  started \(\d+ms\)$")

    with running(write_project(tmp_path), "dev", "--port", "0", "--idle-seconds", "0.1") as command:
        talk(command.port(), use)
        assert command.stop() == 0


@pytest.mark.feature("M-DX-3")
def test_errors_of_the_program_are_shown(tmp_path: Path) -> None:
    program = PROGRAM.replace('print("asked for", request.url)', "1 / 0")
    with running(write_project(tmp_path, program), "dev", "--port", "0") as command:
        status, text = get(command.port())
        assert status == 500
        assert "ZeroDivisionError" in text
        command.expect(r"✘ \[ERROR\] Uncaught ZeroDivisionError: division by zero$")
        command.expect(r"index\.py")
        command.expect("ZeroDivisionError")
        assert not any("durabase/workers" in line for line in command.lines)
        command.expect("GET /x 500 Internal Server Error")
    with running(tmp_path, "serve", "--port", "0") as command:
        assert get(command.port()) == (500, "Internal Server Error")
        command.expect("ZeroDivisionError")
        assert command.stop() == 0


@pytest.mark.feature("M-CF-5", "M-DX-2")
def test_options(tmp_path: Path) -> None:
    program = PROGRAM.replace('"version %d" % VERSION', "f'{self.env.A} {self.env.B}'")
    project = write_project(tmp_path / "project", program)
    (project / ".dev.vars").write_text("B=secret")
    arguments = ("--port", "0", "--var", "A:1:2", "--persist-to", str(tmp_path / "data"))
    with running(tmp_path, "dev", "--config", "project/wrangler.toml", *arguments) as command:
        assert get(command.port()) == (200, "1:2 secret")
        assert "  Secret   env.B = (hidden)" in command.lines
        assert command.stop() == 0
    assert (tmp_path / "data").is_dir()
    assert not (project / ".durabase").exists()


def test_a_busy_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, output = finished(write_project(tmp_path), "dev", "--port", str(port))
    assert code == 1
    assert f"port {port} of 127.0.0.1 is in use" in output
    assert "--port" in output
    assert "Traceback" not in output


def test_two_servers_of_one_state(tmp_path: Path) -> None:
    with running(write_project(tmp_path), "dev", "--port", "0") as command:
        command.port()
        code, output = finished(tmp_path, "dev", "--port", "0")
    assert code == 1
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("program", "toml", "code", "expected"),
    [
        (PROGRAM, "name = 1", 2, 'Missing entry-point: "main"'),
        (PROGRAM, "name = ", 2, "wrangler.toml:1:8: "),
        ("import nothing_like_this", 'main = "index.py"', 1, "No module named 'nothing_like_this'"),
        ("", 'main = "missing.py"', 2, 'The entry-point file at "missing.py" was not found.'),
    ],
)
def test_what_can_not_be_served(tmp_path: Path, program: str, toml: str, code: int, expected: str) -> None:
    found, output = finished(write_project(tmp_path, program, toml), "dev", "--port", "0")
    assert found == code
    assert expected in output
    assert "site-packages" not in output


def test_no_configuration(tmp_path: Path) -> None:
    code, output = finished(tmp_path, "dev")
    assert code == 2
    assert "durabase new my-app" in output


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    program = PROGRAM.replace('print("asked for", request.url)', "import asyncio; await asyncio.sleep(60)")
    with running(write_project(tmp_path, program), "dev", "--port", "0") as command:
        connection = HTTPConnection("127.0.0.1", command.port(), timeout=10)
        connection.request("GET", "/x")
        command.process.send_signal(signal.SIGINT)
        command.expect("Stopping ...")
        assert command.process.poll() is None
        assert command.stop(signal.SIGINT) == 1
        connection.close()


def test_a_configuration_above_the_program(tmp_path: Path) -> None:
    program = PROGRAM.replace('"version %d" % VERSION', 'f"version {VERSION} {self.env.A}"')
    toml = TOML.replace("index.py", "src/index.py") + '[vars]\nA = "{}"\n'
    write_project(tmp_path / "src", program)
    (tmp_path / "src" / "wrangler.toml").unlink()
    (tmp_path / "wrangler.toml").write_text(toml.format("one"))
    with running(tmp_path, "dev", "--port", "0") as command:
        port = command.port()
        assert get(port) == (200, "version 1 one")
        (tmp_path / "wrangler.toml").write_text(toml.format("two"))
        command.expect("⎔ Local server updated and ready")
        assert get(port) == (200, "version 1 two")
        (tmp_path / "src" / "index.py").write_text(program.replace("VERSION = 1", "VERSION = 2"))
        command.expect("⎔ Local server updated and ready")
        assert get(port) == (200, "version 2 two")
        (tmp_path / "wrangler.toml").write_text("name = ")
        command.expect(r"✘ \[ERROR\] .*wrangler\.toml:1:8: Invalid value")
        command.expect("⎔ The last good code keeps serving")
        assert get(port) == (200, "version 2 two")
        assert command.stop() == 0


@pytest.mark.feature("S-CF-7")
def test_several_workers(tmp_path: Path) -> None:
    first = """
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(await (await self.env.B.fetch(request)).text() + " via a")
    """
    second = """
        from workers import Response, WorkerEntrypoint

        class Default(WorkerEntrypoint):
            def fetch(self, request):
                return Response("b answers " + request.url)
    """
    toml = 'name = "{}"\nmain = "index.py"\ncompatibility_date = "2025-01-01"\n'
    service = '[[services]]\nbinding = "B"\nservice = "b"\n'
    write_project(tmp_path / "a", dedent(first), toml.format("a") + service)
    write_project(tmp_path / "b", dedent(second), toml.format("b") + 'route = "b.example/*"\n')
    arguments = ("-c", "a/wrangler.toml", "-c", "b/wrangler.toml", "--port", "0")
    with running(tmp_path, "dev", *arguments) as command:
        port = command.port()
        assert get(port) == (200, f"b answers http://127.0.0.1:{port}/x via a")
        assert get(port, host="b.example") == (200, "b answers http://b.example/x")
        assert "  Worker   b    b/index.py    b.example/*" in command.lines
        assert "  Service  env.B → b (Default)" in command.lines
        (tmp_path / "b" / "index.py").write_text(dedent(second).replace("answers", "answers again"))
        command.expect("⎔ Local server updated and ready")
        assert get(port, host="b.example") == (200, "b answers again http://b.example/x")
        assert command.stop() == 0
