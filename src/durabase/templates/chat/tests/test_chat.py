"""Run by ``pytest``. The fixture ``durabase`` is the worker, with empty storage for each test."""

from json import loads


async def enter(durabase, name, room="lobby"):
    """Return the socket of somebody who has come in, and what they are told first."""
    socket = await durabase.connect(f"/{room}?name={name}")
    return socket, loads(await socket.receive())


async def said(socket):
    return [(message["name"], message["text"]) for message in loads(await socket.receive())["messages"]]


async def test_everybody_in_the_room_hears(durabase):
    ann, _ = await enter(durabase, "Ann")
    bob, welcome = await enter(durabase, "Bob")
    carl, _ = await enter(durabase, "Carl", "garden")
    assert welcome == {"messages": [], "people": ["Ann", "Bob"]}
    assert loads(await ann.receive()) == {"people": ["Ann", "Bob"]}
    bob.send("  Hello!  ")
    assert await said(ann) == await said(bob) == [("Bob", "Hello!")]
    assert carl.waiting() == []


async def test_who_leaves_is_missed(durabase):
    ann, _ = await enter(durabase, "Ann")
    bob, _ = await enter(durabase, "Bob")
    await ann.receive()
    bob.close()
    assert loads(await ann.receive()) == {"people": ["Ann"]}


async def test_history_outlives_a_crash(durabase):
    ann, _ = await enter(durabase, "Ann")
    for number in range(101):
        ann.send(f"message {number}")
        await ann.receive()
    await durabase.crash()
    _, welcome = await enter(durabase, "")
    assert welcome["people"] == ["Somebody"]
    assert [message["text"] for message in welcome["messages"]] == [f"message {n}" for n in range(1, 101)]


async def test_names_are_known_after_hibernation(durabase):
    ann, _ = await enter(durabase, "Ann")
    await durabase.advance(11)
    ann.send("Still here")
    assert await said(ann) == [("Ann", "Still here")]


async def test_pages(durabase):
    page = await durabase.fetch("/lobby")
    assert "<title>my-app</title>" in await page.text()
    start = await durabase.fetch("/")
    assert (start.status, start.headers["location"].endswith("/lobby")) == (302, True)
