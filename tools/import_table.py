"""Reads the import table, cmake/rooms.cmake, for the scripts that need it."""

import re

LISTS = ("IMPORTS", "METHOD_IMPORTS", "HEAVY", "METHOD_HEAVY")


class Room:
    """One row: `imports` and the like are lists of names, as they stand in the table."""

    def __init__(self, name):
        self.name = name
        self.imports, self.method_imports, self.heavy, self.method_heavy = [], [], [], []


def read(path):
    """The rows of the table in their order, by name. Raises ValueError for a row it cannot read."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    rooms = {}
    for call in re.findall(r"\bsosia_room\(([^)]*)\)", text):
        words = call.split()
        if not words or words[0] in rooms:
            raise ValueError(f"{path}: cannot read sosia_room({call})")
        room = rooms[words[0]] = Room(words[0])
        into = None
        for word in words[1:]:
            if word in LISTS:
                into = getattr(room, word.lower())
            elif into is None:
                raise ValueError(f"{path}: unexpected '{word}' in room {room.name}")
            else:
                into.append(word)
    return rooms


def closure(rooms, names):
    """`names` and all that they import, directly or not, in the order of the table."""
    wanted, stack = set(), list(names)
    while stack:
        name = stack.pop()
        if name not in wanted:
            wanted.add(name)
            stack.extend(rooms[name].imports)
    return [name for name in rooms if name in wanted]
