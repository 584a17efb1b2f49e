"""Measure what the lake holds, and write the page, for readers who want to know what the models are made from."""

from vsearch_lib.measure.profile.step import profile_lake
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(profile_lake)
