"""What servers and disks have of a conversation: nothing but its ciphertexts."""

import json


def on_servers(people, room, texts, sent):
    """On the server of each of these people, the room has `sent` messages, all of them encrypted."""
    for person in people:
        events = person.events(room)
        kinds = [event["type"] for event in events]
        assert kinds.count("m.room.encrypted") == sent, kinds
        assert "m.room.message" not in kinds, kinds
        contents = json.dumps(events, ensure_ascii=False)
        assert not any(text in contents for text in texts), "a server has a plaintext"


def in_files(directory, texts):
    count = 0
    for path in directory.rglob("*"):
        if path.is_file():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # a server has removed it, for example a journal of its database
            assert not any(text.encode() in content for text in texts), path
            count += 1
    assert count, f"there is no file in {directory}"
