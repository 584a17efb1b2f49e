"""Landed records that are not pictures: users, interactions, judgements. Each module says fields, rules and columns."""
