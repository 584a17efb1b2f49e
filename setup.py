"""Packages `vsearch_lib` with the `vsearch` command. What it needs is pinned in conf/locks/jobs.txt."""

from setuptools import find_packages, setup

setup(
    name="vsearch",
    version="0.1.0",
    description="Visual search as a nightly batch pipeline: images in, a published and searchable index out",
    python_requires=">=3.11",
    packages=find_packages(include=["vsearch_lib", "vsearch_lib.*"]),
    package_data={"vsearch_lib": ["**/*.j2", "**/*.properties", "**/*.html", "**/*.css", "**/*.js", "**/*.svg"]},
    entry_points={"console_scripts": ["vsearch = vsearch_lib.cli:main"]},
)
