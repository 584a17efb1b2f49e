"""`python -m vsearch_lib.cli`: the same as `vsearch`."""

from vsearch_lib.cli import main

main()
