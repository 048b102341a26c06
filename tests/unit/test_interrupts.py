"""Interrupts at every moment of a block that has to be finished."""

import contextlib
import signal
import sys

import pytest

from coverage_tasks.runtimes import interrupts
from coverage_tasks.runtimes.interrupts import SIGNALS, finishing, undisturbed


class Stopped(Exception):
    """What a handler raises."""


def stop(_number, _frame):
    raise Stopped


@pytest.fixture(autouse=True)
def handlers():
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupted_at(*moments):
    """Interrupt a block before these of its steps, which are the lines that run, in contextlib too.

    Return how many steps there were, how often its body began, and how often it was finished.
    """
    steps, begun, finished = 0, [], []

    def trace(frame, event, _argument):
        nonlocal steps
        if frame.f_code.co_filename not in (interrupts.__file__, contextlib.__file__, __file__):
            return None
        if event == "line":
            steps += 1
            if steps in moments:
                signal.raise_signal(signal.SIGINT)
        return trace

    def block():
        with finishing(finished.append):
            begun.append(True)

    sys.settrace(trace)
    try:
        block()
    except Stopped:
        pass
    finally:
        sys.settrace(None)
    return steps, len(begun), len(finished)


def test_interrupt_in_the_block_is_heard_once_and_what_finishes_is_not_disturbed():
    heard = []

    def finish(failed):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        heard.append(failed)

    with pytest.raises(Stopped), finishing(finish):
        signal.raise_signal(signal.SIGTERM)
    assert heard == [True]
    assert {signal.getsignal(number) for number in SIGNALS} == {stop}


def test_what_finishes_hears_whether_the_block_failed():
    told = []
    with finishing(told.append):
        pass
    with pytest.raises(KeyError), finishing(told.append):
        raise KeyError
    assert told == [False, True]


def test_inner_interrupt_leaves_the_outer_block_one_more():
    told = []
    with pytest.raises(Stopped), finishing(lambda _: told.append("outer")):  # noqa: SIM117 - one in the other
        with finishing(lambda _: told.append("inner")):
            signal.raise_signal(signal.SIGINT)
    assert told == ["inner", "outer"]


def test_no_two_interrupts_leave_a_block_unfinished():
    steps, *ran = interrupted_at()
    assert steps > 20
    assert ran == [1, 1]
    for first in range(1, steps + 1):
        for second in range(first + 1, steps + 20):
            _, begun, finished = interrupted_at(first, second)
            assert begun == finished, (first, second)


def test_undisturbed_hears_nothing_and_gives_back_the_handlers():
    with undisturbed():
        signal.raise_signal(signal.SIGINT)
    assert {signal.getsignal(number) for number in SIGNALS} == {stop}
