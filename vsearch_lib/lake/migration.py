"""`vsearch schema`: report how a lake's tables differ from `schemas/`, and make the changes that stored rows allow."""

from collections.abc import Callable

from vsearch_lib import terminal
from vsearch_lib.errors import SchemaMismatch
from vsearch_lib.lake.differences import Difference, schema_differences
from vsearch_lib.lake.tables import Lake

_NEXT_STEP = "change those files in schemas/ back, or move the tables away and run the steps that fill them again"


def check(lake: Lake, say: Callable[[str], None] = terminal.say) -> None:
    """Report every difference.

    Raises:
        SchemaMismatch: there is a difference.
    """
    differences = schema_differences(lake)
    for difference in differences:
        say(str(difference))
    if not differences:
        say(_all_clear(lake))
        return
    count = _difference_count(differences)
    if refused := _refused(differences):
        raise SchemaMismatch(
            f"{lake.uri}: {count} from schemas/; migrate cannot make {len(refused)} of them: {_NEXT_STEP}"
        )
    raise SchemaMismatch(f"{lake.uri}: {count} from schemas/; run vsearch schema migrate")


def migrate(lake: Lake, say: Callable[[str], None] = terminal.say) -> None:
    """Change the stored tables to match their files, and report each change. If one is impossible, make none.

    A migration that was interrupted goes on where it stopped when it is run again.

    Raises:
        SchemaMismatch: a change cannot be made without rewriting or losing rows.
    """
    differences = schema_differences(lake)
    if refused := _refused(differences):
        listed = "; ".join(map(str, refused))
        raise SchemaMismatch(
            f"{lake.uri}: nothing was changed, because no migration makes this: {listed}: {_NEXT_STEP}"
        )
    for difference in differences:
        for statement in difference.statements:
            lake.spark.sql(statement)
        say(f"changed {difference}")
    say(_all_clear(lake))


def _refused(differences: list[Difference]) -> list[Difference]:
    return [difference for difference in differences if not difference.statements]


def _difference_count(differences: list[Difference]) -> str:
    return f"{len(differences)} difference{'' if len(differences) == 1 else 's'}"


def _all_clear(lake: Lake) -> str:
    return f"{lake.uri}: every table is what its file in schemas/ says"
