"""The mark for what is not there."""

from __future__ import annotations

import copy
import pickle

from durabase.types import UNDEFINED, UndefinedType


def test_there_is_one_which_is_falsy_and_survives() -> None:
    assert UndefinedType() is UNDEFINED
    assert not UNDEFINED
    assert repr(UNDEFINED) == "UNDEFINED"
    for same in (copy.copy(UNDEFINED), copy.deepcopy([UNDEFINED])[0], pickle.loads(pickle.dumps(UNDEFINED))):  # noqa: S301
        assert same is UNDEFINED
