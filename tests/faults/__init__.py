"""Logins in which calls fail: each call of each flow once, and pairs of calls by chance. See README.md."""
