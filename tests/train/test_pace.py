"""Pace: how far a training is, seldom where nobody watches."""

from __future__ import annotations

from ariane.train.pace import Pace, duration


def test_the_first_step_the_last_and_one_every_so_often_are_told() -> None:
    said: list[str] = []
    now = 0.0
    pace = Pace("ranker", 100, said.append, every=10.0, clock=lambda: now)
    for step in range(1, 101):
        now = 0.5 * step
        pace.step(float(step))
    assert said[0] == "ranker: step 1 of 100, loss 1.0000, 50 s left"
    assert said[1] == "ranker: step 21 of 100, loss 11.5000, 40 s left"
    assert said[-1] == "ranker: step 100 of 100, loss 91.0000, 50 s in all"
    assert len(said) == 6


def test_steps_that_were_not_known_from_the_start_are_told_as_they_come_to_be() -> None:
    said: list[str] = []
    pace = Pace("ranker", 2, said.append, every=0.0, clock=lambda: 0.0)
    for more in (4, 2):
        pace.expect(more)
        pace.step(1.0)
        pace.step(1.0)
    assert [line.split(",")[0] for line in said] == [f"ranker: step {n} of 4" for n in (1, 2, 3, 4)]
    assert [line.endswith("in all") for line in said] == [False, False, False, True]


def test_long_times_are_told_in_minutes() -> None:
    assert (duration(119), duration(121), duration(3600)) == ("119 s", "2 min", "60 min")
