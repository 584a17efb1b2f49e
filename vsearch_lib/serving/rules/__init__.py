"""Rules of re-ranking, a module a rule: functions (candidates, wish) → those that remain, in their new order."""
