"""`vsearch schema`: say how a lake's tables differ from `schemas/`, and make the changes that stored rows allow."""

from collections.abc import Callable

from vsearch_lib import terminal
from vsearch_lib.errors import SchemaMismatch
from vsearch_lib.lake.differences import Difference, schema_differences
from vsearch_lib.lake.tables import Lake

_NEXT_STEP = "change those files in schemas/ back, or move the tables away and run the steps that fill them again"


def check(lake: Lake, say: Callable[[str], None] = terminal.say) -> None:
    """Say every difference.

    Raises:
        SchemaDrift: there are some.
    """
    differences = schema_differences(lake)
    for difference in differences:
        say(str(difference))
    if not differences:
        say(_clean(lake))
        return
    count = _counted(differences)
    if refused := _refused(differences):
        raise SchemaMismatch(
            f"{lake.uri}: {count} from schemas/; migrate cannot make {len(refused)} of them: {_NEXT_STEP}"
        )
    raise SchemaMismatch(f"{lake.uri}: {count} from schemas/; run vsearch schema migrate")


def migrate(lake: Lake, say: Callable[[str], None] = terminal.say) -> None:
    """Make the stored tables what their files say, and say each change; all of them or, where one cannot be, none.

    A migration that was interrupted goes on where it stopped when it is run again.

    Raises:
        SchemaDrift: a difference cannot be made without rewriting rows or losing some.
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
    say(_clean(lake))


def _refused(differences: list[Difference]) -> list[Difference]:
    return [difference for difference in differences if not difference.statements]


def _counted(differences: list[Difference]) -> str:
    return f"{len(differences)} difference{'' if len(differences) == 1 else 's'}"


def _clean(lake: Lake) -> str:
    return f"{lake.uri}: every table is what its file in schemas/ says"
