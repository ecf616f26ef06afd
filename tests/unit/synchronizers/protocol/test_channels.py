"""The server's side of a socket in channel mode."""

from __future__ import annotations

import pytest

from durabase.errors import SyncMessageError, SyncOverflowError
from durabase.synchronizers.protocol.channels import (
    ChannelConfirmed,
    ChannelData,
    ChannelJoin,
    ChannelLeave,
    ChannelReply,
    ChannelText,
    ClientChannels,
    Control,
    ServerChannels,
    channel_path_id,
    channel_payload,
    control_payload,
    is_channel_id,
)

HELLO = 'S\n["q",-1,[0,1]]'


def greeted() -> ServerChannels:
    channels = ServerChannels()
    channels.receive(HELLO, 0)
    return channels


def subscribe(channels: ServerChannels, channel_id: str) -> object:
    return channels.receive(control_payload("q", Control.SUBSCRIBE, channel_id), 0)


def unsubscribe(channels: ServerChannels, channel_id: str) -> object:
    return channels.receive(control_payload(None, Control.UNSUBSCRIBE, channel_id), 0)


def test_hello_is_confirmed_as_often_as_it_comes() -> None:
    channels = ServerChannels()
    assert channels.receive(HELLO, 0) == ChannelReply(HELLO)
    assert channels.receive('S\n [ "p" , -1 , [0, 1.0] ]', 0) == ChannelReply('S\n["p",-1,[0,1]]')


def test_joining_leaving_and_data() -> None:
    channels = greeted()
    confirmation = 'S\n["q",-1,[1,"a/b"]]'
    assert subscribe(channels, "a/b") == ChannelJoin("a/b", confirmation)
    assert subscribe(channels, "a/b") == ChannelReply(confirmation)
    event = channels.receive(channel_payload("a/b", 'B\n["x",1,""]'), 0)
    assert isinstance(event, ChannelData)
    assert (event.channel_id, event.payload.address) == ("a/b", "B")
    assert channels.channel_ids == ["a/b"]
    assert unsubscribe(channels, "a/b") == ChannelLeave("a/b")
    assert unsubscribe(channels, "a/b") is None
    with pytest.raises(SyncMessageError):
        channels.receive(channel_payload("a/b", '\n["x",1,""]'), 0)
    assert channels.receive(HELLO, 0) is None


def test_before_hello_subscriptions_are_ignored_and_data_is_invalid() -> None:
    channels = ServerChannels()
    assert subscribe(channels, "a") is None
    assert unsubscribe(channels, "a") is None
    assert channels.channel_ids == []
    with pytest.raises(SyncMessageError):
        channels.receive(channel_payload("a", '\n["x",1,""]'), 0)


@pytest.mark.parametrize(
    "text",
    [
        '\n["x",1,""]',
        "S",
        "M",
        "S\n",
        "M\n",
        "M\na",
        'M\na//b\n\n["x",1,""]',
        "S\nnot json",
        'S\n["x",1,""]',
        "X\n[]",
        'S\n["q",-1,[0,2]]',
        'S\n["q",-1,[0,true]]',
        "S\n[null,-1,[0,1]]",
        'S\n["q",true,[0,1]]',
        'S\n["q",-1,[3,"a"]]',
        'S\n["q",-1,[1,""]]',
        'S\n["q",-1,[1,"a//b"]]',
        'S\n["q",-1,[1,"../x"]]',
        'S\n["q",-1,[1,"a?b"]]',
        'S\n["q",-1,[1,5]]',
        'S\n[null,-1,[1,"a"]]',
        'S\n["q",-1,[2,"a"]]',
        'S\n["q",-1,[false,1]]',
        'S\n["q",-1,[1]]',
        'S\n["q",-1,{}]',
        "S\n[5,-1,[0,1]]",
        'S\n["q",-1,[0,1],0]',
        'S\n{"a":1}',
        'S\n["q",-1,[1,"a\\n"]]',
    ],
)
def test_everything_else_is_invalid(text: str) -> None:
    channels = greeted()
    with pytest.raises(SyncMessageError):
        channels.receive(text, 0)
    assert channels.is_poisoned
    assert channels.receive(HELLO, 0) is None


def test_channel_ids() -> None:
    assert all(is_channel_id(text) for text in ["a", "a/b", "a b", "é", "...", "a.", "%2F"])
    assert not any(
        is_channel_id(text) for text in ["", "/", "a/", "/a", ".", "..", "a/./b", "a\rb", "a#b", "a?b"]
    )
    assert channel_path_id("base", "a/b") == "base/a/b"
    assert channel_path_id("", "a") == "a"


def test_a_channel_id_may_have_1024_bytes() -> None:
    channels = greeted()
    assert isinstance(subscribe(channels, "é" * 512), ChannelJoin)
    with pytest.raises(SyncOverflowError, match="15:channels"):
        subscribe(channels, "é" * 512 + "x")
    channels = greeted()
    with pytest.raises(SyncOverflowError, match="15:channels"):
        channels.receive(channel_payload("x" * 1025, '\n["x",1,""]'), 0)


def test_a_hundred_channels() -> None:
    channels = greeted()
    for number in range(100):
        assert isinstance(subscribe(channels, f"c{number}"), ChannelJoin)
    assert isinstance(subscribe(channels, "c0"), ChannelReply)
    with pytest.raises(SyncOverflowError, match="15:channels"):
        subscribe(channels, "one more")


def test_channels_that_are_being_torn_down_count() -> None:
    channels = greeted()
    for number in range(200):
        subscribe(channels, f"c{number}")
        unsubscribe(channels, f"c{number}")
    channels.released()
    assert isinstance(subscribe(channels, "in"), ChannelJoin)
    with pytest.raises(SyncOverflowError, match="15:channels"):
        subscribe(channels, "over")


def test_a_channel_that_could_not_be_joined_is_forgotten() -> None:
    channels = greeted()
    subscribe(channels, "a")
    channels.drop("a")
    channels.drop("a")
    assert channels.channel_ids == []
    with pytest.raises(SyncMessageError):
        channels.receive(channel_payload("a", '\n["x",1,""]'), 0)


def test_the_fragment_budget_is_one_for_all_channels() -> None:
    channels = greeted()
    for channel_id in "ab":
        subscribe(channels, channel_id)
        for number in range(50):
            assert (
                channels.receive(channel_payload(channel_id, f"\nFRAGMENTFREE{number:04}\n0\n2\nx"), 500)
                is None
            )
    assert channels.next_deadline() == 1500
    channels.expire(1499)
    unsubscribe(channels, "a")
    assert channels.receive(channel_payload("b", "\nFRAGMENTFREE9999\n0\n2\nx"), 500) is None
    channels.expire(1500)
    assert channels.next_deadline() is None
    subscribe(channels, "a")
    for number in range(100):
        channels.receive(channel_payload("ab"[number % 2], f"\nFRAGMENTFREE{number:04}\n0\n2\nx"), 2000)
    with pytest.raises(SyncOverflowError, match="15:fragments"):
        channels.receive(channel_payload("a", "\nFRAGMENTFRAGMENT\n0\n2\nx"), 2000)
    assert channels.next_deadline() is None


def test_a_payload_that_is_too_long() -> None:
    with pytest.raises(SyncOverflowError, match="15:socket"):
        greeted().receive("M\na\n" + "x" * 16_777_216, 0)


class TestClient:
    def test_controls_are_confirmed_once(self) -> None:
        channels = ClientChannels()
        hello = channels.hello()
        assert channels.receive(hello) == ChannelConfirmed(None)
        assert channels.receive(hello) is None
        subscription = channels.subscribe("a")
        assert channels.receive(subscription) == ChannelConfirmed("a")
        assert channels.receive('M\na\nB\n["x",1,""]') == ChannelText("a", 'B\n["x",1,""]')
        assert channels.unsubscribe("a") == 'S\n[null,-1,[2,"a"]]'
        assert channels.receive('M\na\nB\n["x",1,""]') is None

    def test_a_confirmation_of_something_else_is_invalid(self) -> None:
        channels = ClientChannels()
        subscription = channels.subscribe("a")
        with pytest.raises(SyncMessageError):
            channels.receive(subscription.replace('"a"', '"b"'))

    @pytest.mark.parametrize(
        "text", ["", "S\n", 'B\n["x",1,""]', 'M\nunknown\nB\n["x",1,""]', 'S\n["q",-1,[0,2]]']
    )
    def test_what_is_no_payload_of_channel_mode(self, text: str) -> None:
        with pytest.raises(SyncMessageError):
            ClientChannels().receive(text)

    def test_at_most_a_hundred_controls_are_pending(self) -> None:
        channels = ClientChannels()
        for number in range(100):
            channels.subscribe(f"c{number}")
        with pytest.raises(SyncOverflowError, match="15:controls"):
            channels.subscribe("over")

    def test_a_payload_that_is_too_long(self) -> None:
        with pytest.raises(SyncOverflowError, match="15:socket"):
            ClientChannels().receive("M\na\n" + "x" * 16_777_216)
