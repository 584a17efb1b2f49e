"""Versions are named by the time they were made and by their run."""

from vsearch_lib.run_ids import version_of


def test_a_version_sorts_after_the_previous_one_even_within_a_second():
    versions = [version_of("run-0")]
    for number in range(1, 4):
        versions.append(version_of(f"run-{number}", after=versions[-1]))
    assert versions == sorted(versions)
    assert len(set(versions)) == 4


def test_a_version_does_not_wait_for_a_clock_that_is_ahead():
    assert version_of("run", after="99991231T235959Z-00000000") < "9999"
