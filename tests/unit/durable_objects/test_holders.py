"""Who has an object in use."""

import gc

from durabase.durable_objects.holders import Holders


class Stub:
    def __init__(self, in_use: bool = True) -> None:
        self.in_use = in_use

    def _rpc_in_use(self) -> bool:
        return self.in_use


def test_an_object_is_in_use_as_long_as_any_of_its_holders_says_so() -> None:
    holders = Holders()
    assert not holders.are_using()
    idle, busy = Stub(in_use=False), Stub()
    holders.add(idle)
    assert not holders.are_using()
    holders.add(busy)
    holders.add(busy)
    assert holders.are_using()
    busy.in_use = False
    assert not holders.are_using()


def test_a_holder_that_is_gone_uses_nothing_and_leaves_nothing_behind() -> None:
    holders, stay = Holders(), Stub(in_use=False)
    empty = gc.get_referents(holders)
    holders.add(stay)
    holders.add(Stub())
    assert not holders.are_using()
    del stay
    assert gc.get_referents(holders) == empty


def test_holders_of_a_life_that_is_over_are_forgotten() -> None:
    holders, stub = Holders(), Stub()
    holders.add(stub)
    holders.clear()
    assert not holders.are_using()
    del stub
    assert not holders.are_using()
