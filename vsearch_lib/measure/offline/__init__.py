"""How good the answers are: judged queries, plain baselines, and a page to look at."""
