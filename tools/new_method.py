#!/usr/bin/env python3
"""new_method.py ROOM METHOD: starts src/ROOM/methods/METHOD/ from templates/method/.

Copies the template, gives every name in it that of the method, and takes title, venue and aliases
from docs/papers.toml when the method stands there. What it makes builds and passes its tests as it
is; then replace the toy. Needs Python 3.11, nothing else.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARD_KEYS = ("system", "title", "venue", "aliases")
NEVER = set((
    "alignas and auto bool break case catch char class concept const constexpr continue default "
    "delete do double else enum explicit export extern false float for friend goto if inline int "
    "long mutable namespace new noexcept not nullptr operator or private protected public register "
    "requires return short signed sizeof static struct switch template this throw true try typedef "
    "typename union unsigned using virtual void volatile while xor std sosia template_method"
).split())


def fail(message, hint=""):
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"help: {hint}", file=sys.stderr)
    sys.exit(2)


def toml_text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def planned_paper(root, method):
    """The method's entry in docs/papers.toml, or None."""
    with open(root / "docs" / "papers.toml", "rb") as file:
        papers = tomllib.load(file)["paper"]
    return next((paper for paper in papers if paper["method"] == method), None)


def check(root, room, method):
    rooms = re.findall(r"^sosia_room\((\w+)", (root / "cmake" / "rooms.cmake").read_text(), re.M)
    if room not in rooms or room in ("core", "cli", "server"):
        fail(f"no methods can live in '{room}'", "rooms: " + " ".join(rooms))
    if not (root / "src" / room / "CMakeLists.txt").is_file():
        fail(f"the room '{room}' has no code yet", f"build src/{room}/ first; see CONTRIBUTING.md")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", method) or method in NEVER:
        fail(f"'{method}' cannot be a method's name", "use snake_case, and no word of C++")
    for taken in root.glob(f"src/*/methods/{method}"):
        fail(f"{taken.relative_to(root)} exists already", "choose another name")
    paper = planned_paper(root, method)
    if paper and paper["room"] != room:
        fail(f"docs/papers.toml places '{method}' in the room '{paper['room']}'",
             f"run: tools/new_method.py {paper['room']} {method}")
    return paper


def rename(text, room, method):
    pascal = "".join(word.capitalize() for word in method.split("_"))
    text = text.replace("template_method", method).replace("TemplateMethod", pascal)
    return text.replace("template_room", room)


def fill_card(text, paper):
    for key in CARD_KEYS:
        value = paper[key]
        if isinstance(value, list):
            value = "[" + ", ".join(toml_text(item) for item in value) + "]"
        else:
            value = toml_text(value)
        line = f"{key} = {value}"
        text = re.sub(rf"^{key} = .*$", lambda _match, line=line: line, text, count=1, flags=re.M)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("room")
    parser.add_argument("method")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="another checkout")
    args = parser.parse_args()
    paper = check(args.root, args.room, args.method)
    template = args.root / "templates" / "method"
    target = args.root / "src" / args.room / "methods" / args.method
    made = []
    for source in sorted(template.rglob("*")):
        if source.is_dir():
            continue
        name = rename(source.relative_to(template).as_posix(), args.room, args.method)
        text = rename(source.read_text(), args.room, args.method)
        if paper and name == "CARD.md":
            text = fill_card(text, paper)
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_text(text)
        made.append(destination)
    formatter = shutil.which("clang-format-19")  # names of other lengths break lines elsewhere
    if formatter:
        sources = [str(path) for path in made if path.suffix in (".cpp", ".hpp")]
        subprocess.run([formatter, "--style=file", "-i", *sources], check=True, cwd=args.root)
    print(f"made {target.relative_to(args.root)}:")
    for path in made:
        print(f"  {path.relative_to(target)}")
    print(f"next: make build, then sosia reproduce {args.method} --quick; then replace the toy")


if __name__ == "__main__":
    main()
