-- What the board keeps. Times are ISO 8601 in UTC; names are unique whatever their case.

CREATE TABLE IF NOT EXISTS room (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS message (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id    INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
    author     TEXT NOT NULL,
    text       TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_of_room ON message (room_id, id);

CREATE TABLE IF NOT EXISTS attachment (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id    INTEGER NOT NULL REFERENCES room ON DELETE CASCADE,
    message_id INTEGER REFERENCES message ON DELETE CASCADE,
    filename   TEXT NOT NULL,
    caption    TEXT NOT NULL,
    size       INTEGER NOT NULL,
    stored_as  TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS attachment_of_room ON attachment (room_id, id);
CREATE INDEX IF NOT EXISTS attachment_of_message ON attachment (message_id);

CREATE TABLE IF NOT EXISTS member (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('member', 'editor', 'admin')),
    avatar        TEXT UNIQUE,
    created_at    TEXT NOT NULL
);

-- Which messages are of members. Those of guests, and of boards from before there were members, are not here.
CREATE TABLE IF NOT EXISTS authorship (
    message_id INTEGER PRIMARY KEY REFERENCES message ON DELETE CASCADE,
    member_id  INTEGER NOT NULL REFERENCES member
);
