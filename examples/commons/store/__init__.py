"""What the board keeps: units of work on SQLite, and `storage`, which runs them."""
