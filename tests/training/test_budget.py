"""A training with so many minutes has fewer steps, chosen beforehand."""

from hypothesis import given
from hypothesis import strategies as st

from vsearch_lib.training.budget import seconds_of, steps_within

SECONDS = st.floats(0.001, 100)


@given(
    seconds=st.floats(0, 1e5),
    epochs=st.integers(1, 50),
    steps=st.integers(1, 1000),
    step_seconds=SECONDS,
    validation_seconds=SECONDS,
)
def test_the_chosen_steps_take_no_longer_unless_it_is_a_single_one(
    seconds, epochs, steps, step_seconds, validation_seconds
):
    some_epochs, some_steps = steps_within(
        seconds, epochs=epochs, steps=steps, step_seconds=step_seconds, validation_seconds=validation_seconds
    )
    assert 1 <= some_epochs <= epochs
    assert 1 <= some_steps <= steps
    takes = some_epochs * (some_steps * step_seconds + validation_seconds)
    assert takes <= seconds or some_steps == 1


def test_with_enough_time_nothing_changes():
    assert steps_within(1000, epochs=3, steps=10, step_seconds=1, validation_seconds=5) == (3, 10)


def test_with_half_the_time_there_are_half_the_epochs():
    # 0.9 of 500 s; an epoch takes 10 * 10 + 5 s: four whole ones, and a fifth in which none is whole.
    assert steps_within(500, epochs=10, steps=10, step_seconds=10, validation_seconds=5) == (5, 8)


def test_the_first_step_does_not_count():
    done = []
    seconds_of(lambda: done.append(1))
    assert len(done) == 4
