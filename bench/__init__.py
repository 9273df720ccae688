"""How long a login takes, and what it costs: see README.md."""
