"""Landed records: users, interactions, judgements. Each module defines the fields, rules and columns of one kind."""
