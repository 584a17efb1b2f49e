"""Measure what the lake holds, and draw the page: for people who want to know what the models are made of."""

from vsearch_lib.measure.profile.step import profile_lake
from vsearch_lib.run.main import main

if __name__ == "__main__":
    main(profile_lake)
