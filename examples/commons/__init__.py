"""Commons, a small community board: rooms, messages and attachments, as pages and as a REST API.

Start reading in `app.py`, which puts everything together.
"""
