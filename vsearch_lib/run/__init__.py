"""Running steps: from the command line of one, or a whole graph of them in one local Spark session."""
