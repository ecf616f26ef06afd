"""Networks that are slow, unreliable, or cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.testing import FakeClock, FlakyNetwork, WorkerHarness

from .test_harness import use


class Connection:
    """Can be lost."""

    def __init__(self, network: FlakyNetwork) -> None:
        self.network = network
        self.is_open = True

    def drop(self) -> None:
        self.is_open = False
        self.network.leave(self)


def test_a_perfect_network_delivers_at_once() -> None:
    network = FlakyNetwork(FakeClock())
    there, _ = network.join(Connection(network))
    arrived: list[int] = []
    there.carry(lambda: arrived.append(1))
    assert arrived == [1]


@pytest.mark.feature("S-TH-5")
def test_messages_take_their_time_and_keep_their_order() -> None:
    clock = FakeClock()
    network = FlakyNetwork(clock, seed=1)
    there, back = network.join(Connection(network))
    arrived: list[str] = []
    network.latency, network.jitter = 0.1, 1.0
    for number in range(5):
        there.carry(lambda number=number: arrived.append(f"there {number}"))  # type: ignore[misc]
    back.carry(lambda: arrived.append("back"))
    network.latency = network.jitter = 0.0
    there.carry(lambda: arrived.append("there 5"))
    assert arrived == []
    clock.advance(99)
    assert arrived == []
    clock.advance(2000)
    assert [each for each in arrived if each != "back"] == [f"there {number}" for number in range(6)]
    assert "back" in arrived


@pytest.mark.feature("S-TH-5")
def test_connections_are_lost_by_chance_the_same_each_time() -> None:
    def lost_at(seed: int) -> int:
        network = FlakyNetwork(FakeClock(), seed)
        connection = Connection(network)
        there, _ = network.join(connection)
        network.drop_chance = 0.2
        count = 0
        while connection.is_open:
            there.carry(lambda: None)
            count += 1
        assert network.connection_count == 0
        return count

    assert [lost_at(seed) for seed in range(5)] == [lost_at(seed) for seed in range(5)]
    assert len({lost_at(seed) for seed in range(5)}) > 1


@pytest.mark.feature("S-TH-5", "S-TH-3")
def test_clients_of_a_worker_on_a_slow_network(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        socket = await worker.connect("/room")
        worker.network.latency = 0.5
        socket.send("a")
        await worker.advance(0.9)
        assert socket.waiting() == []
        await worker.advance(0.1)
        assert socket.waiting() == ["a 1"]
        socket.close(4001)
        await worker.advance(1)
        assert (await socket.closed()).code == 4001

    use(tmp_path, test)


@pytest.mark.feature("S-TH-5")
def test_clients_of_a_worker_lose_their_connections(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        socket, other = await worker.connect("/room"), await worker.connect("/room")
        socket.drop()
        assert await socket.closed() == (1006, "", False)
        counter = worker.env.COUNTER.get_by_name("room")

        def count(instance: object, ctx: object) -> int:
            return len(ctx.get_web_sockets())  # type: ignore[attr-defined,no-any-return]

        assert await worker.run_in_durable_object(counter, count) == 1
        assert other.is_open
        worker.network.cut()
        assert not other.is_open
        assert await worker.run_in_durable_object(counter, count) == 0
        with pytest.raises(ConnectionError, match="the network is cut"):
            await worker.connect("/room")
        worker.network.mend()
        third = await worker.connect("/room")
        worker.network.drop_chance = 1.0
        third.send("lost")
        assert (await third.closed()).code == 1006

    use(tmp_path, test)
