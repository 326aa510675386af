"""What the board keeps, and how: values, SQLite, and files on disk. Nothing here knows of HTTP but the errors."""
