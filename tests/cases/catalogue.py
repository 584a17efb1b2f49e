"""All cases, in the order of their numbers."""

from tests.cases import metadata, names, nights, records, zoo

CASES = tuple(
    sorted((*names.CASES, *zoo.CASES, *nights.CASES, *metadata.CASES, *records.CASES), key=lambda case: case.number)
)
