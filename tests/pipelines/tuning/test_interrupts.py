"""An interrupt waits for a good moment."""

from __future__ import annotations

import os
import signal

import pytest

from pipelines.tuning.interrupts import Interrupts


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_outside_it_waits_and_inside_it_comes_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        interrupts.check()
        _interrupt()
        assert interrupts.is_due
        with pytest.raises(KeyboardInterrupt), interrupts.inside():
            raise AssertionError("not reached")
    assert signal.getsignal(signal.SIGINT) is before
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.inside():
        _interrupt()
        raise AssertionError("not reached")


def test_in_the_middle_it_can_be_made_to_wait() -> None:
    reached = False
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt), interrupts.inside():
        with interrupts.outside():
            _interrupt()
            reached = True
        raise AssertionError("not reached")
    assert reached


def test_a_second_one_does_not_disturb_what_the_first_set_off() -> None:
    done = False
    with Interrupts() as interrupts:
        try:
            with interrupts.inside():
                _interrupt()
        except KeyboardInterrupt:
            _interrupt()
            done = True
    assert done
