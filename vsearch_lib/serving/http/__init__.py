"""The search service over HTTP: routes, limits, cache, metrics and feedback."""
