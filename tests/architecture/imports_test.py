#!/usr/bin/env python3
"""Scans every #include of the rooms against the import table in cmake/rooms.cmake.

Rooms that compute with LibTorch share tensors and modules through their private headers, since public
ones show no type of LibTorch (decision 0020). Also checked: heavy headers stay with their room, public headers include nothing third-party,
library code neither prints nor exits, and the scanner itself catches a violation (it is run over a
made-up tree first, so that it cannot pass by seeing nothing).
"""

import argparse
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import import_table  # noqa: E402

# Third-party headers by the name that HEAVY uses in rooms.cmake.
HEAVY = {
    "opencv": r"opencv2/", "jpeg": r"(turbojpeg|jpeglib)\.h", "png": r"png\.h", "webp": r"webp/",
    "gif": r"gif_lib\.h", "ffmpeg": r"lib(avformat|avcodec|avutil|swscale)/",
    "openvino": r"openvino/", "sqlite": r"sqlite3\.h", "hnswlib": r"hnswlib/", "highway": r"hwy/",
    "torch": r"(torch|ATen|c10)/", "mpi": r"mpi\.h", "arrow": r"(arrow|parquet)/",
    "icu": r"unicode/", "rapidfuzz": r"rapidfuzz/", "xgboost": r"xgboost/", "llama": r"(llama|ggml)",
    "httplib": r"httplib\.h", "cli11": r"CLI/",
}
# core's own third-party parts; other rooms reach them through core's headers only.
CORE_ONLY = r"(nlohmann|toml\+\+|oneapi|tbb|Random123|xxhash\.h)"
FORBIDDEN_CALLS = r"\b(std::cout|std::cerr|printf\s*\(|puts\s*\(|std::exit|abort\s*\(|exit\s*\()"


def read_table(source):
    """{room: (imports, method imports, heavy, method heavy)}, imports closed transitively."""
    rooms = import_table.read(source / "cmake" / "rooms.cmake")
    table = {}
    for name, room in rooms.items():
        imports = import_table.closure(rooms, room.imports)
        methods = import_table.closure(rooms, room.imports + room.method_imports)
        table[name] = (set(imports), set(methods), set(room.heavy),
                       set(room.heavy + room.method_heavy))
    return table


def owner(path, source):
    """(room, inside methods/, public header) of a file, or None."""
    parts = path.relative_to(source).parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1], parts[2] == "methods", False
    if parts[:2] == ("include", "sosia") and len(parts) > 2:
        return parts[2].removesuffix(".hpp"), False, True
    return None


def included_room(name, table):
    """The room that owns an include of ours and whether it is private, or None."""
    match = re.match(r"sosia/([a-z_]+)(?:\.hpp|/)", name)
    if match and match[1] in table:
        return match[1], False
    first = name.split("/")[0]
    if "/" in name and first in table:
        return first, True
    return None


def check_include(name, room, in_methods, public, table):
    """Why `room` may not include `name`, or None."""
    closure, method_closure, heavy, method_heavy = table[room]
    ours = included_room(name, table)
    if ours:
        other, private = ours
        if other == room:
            return "a public header includes a private one" if public and private else None
        if private and not ("torch" in table[other][2]
                            and "torch" in (method_heavy if in_methods else heavy)):
            return f"private header of room {other}"
        allowed = method_closure if in_methods else closure
        return None if other in allowed else f"undeclared import {room} -> {other}"
    for library, pattern in HEAVY.items():
        if re.match(pattern, name):
            if public:
                return f"public header sees {library}"
            allowed = method_heavy if in_methods else heavy
            return None if library in allowed else f"{library} is not a library of room {room}"
    if re.match(CORE_ONLY, name) and (room != "core" or public):
        return "third-party part of core"
    if public and re.match(r"(fmt|sodium)", name):
        return "public header sees a third-party header"
    return None


# Libraries that few files alone may see.
GATEWAYS = {"httplib": {"core": r"src/core/http_module\.cpp"},
            "arrow": {"formats": r"src/formats/parquet_(module|arrays)\.[ch]pp"},
            "openvino": {"models": r"src/models/(graph|network)\w*\.[ch]pp"},
            "mpi": {"train": r"src/train/mpi_module\.cpp"},
            "llama": {"llm": r"src/llm/engine/\w+\.[ch]pp"}}


def beside_gateway(name, room, path):
    """The gateway that an include of `name` passes by, or None."""
    for library, files in GATEWAYS.items():
        if re.match(HEAVY[library], name) and not re.fullmatch(files.get(room, ".*"), path):
            return files[room]
    return None


def scan(source):
    table = read_table(source)
    problems, files = [], 0
    for folder in ("src", "include"):
        for path in sorted((source / folder).rglob("*")):
            if path.suffix not in (".hpp", ".cpp", ".h") or owner(path, source) is None:
                continue
            room, in_methods, public = owner(path, source)
            if room not in table:
                if path.relative_to(source).as_posix() != "include/sosia/version.hpp":
                    problems.append(f"{path}: room {room} is not in the table")
                continue
            files += 1
            text = path.read_text(encoding="utf-8")
            for number, line in enumerate(text.splitlines(), 1):
                where = f"{path.relative_to(source)}:{number}"
                match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
                if match:
                    reason = check_include(match[1], room, in_methods, public, table)
                    gateway = beside_gateway(match[1], room,
                                             path.relative_to(source).as_posix())
                    if not reason and gateway:
                        reason = f"only {gateway} may see it"
                    if reason:
                        problems.append(f"{where}: {match[1]}: {reason}")
                code = re.sub(r'"(\\.|[^"\\])*"|//.*', "", line)
                program = room in ("cli", "server") or path.name == "index.cpp"
                if not program and re.search(FORBIDDEN_CALLS, code) and "fprintf" not in code:
                    problems.append(f"{where}: library code must not print or exit")
    return problems, files


def self_test():
    """A tree with one violation of each kind; all must be found."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "cmake").mkdir()
        (root / "cmake/rooms.cmake").write_text(
            "sosia_room(core HEAVY httplib)\nsosia_room(low IMPORTS core HEAVY png)\n"
            "sosia_room(high IMPORTS low)\n")
        sources = {
            "src/core/a.cpp": '#include "sosia/low/x.hpp"\n'               # upwards
                              '#include <httplib.h>\n',                   # beside the gateway
            "src/core/http_module.cpp": "#include <httplib.h>\n",
            "src/low/a.cpp": '#include "sosia/high.hpp"\n#include <png.h>\n',  # upwards; png is fine
            "src/high/a.cpp": '#include "low/private.hpp"\n#include <png.h>\n'
                              '#include "sosia/core/error.hpp"\nvoid f() { std::cout << 1; }\n',
            "include/sosia/low/x.hpp": "#include <nlohmann/json.hpp>\n",
        }
        for file, text in sources.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text)
        problems, _ = scan(root)
        if len(problems) != 7:
            print("the scanner is blind; it found only:", *problems, sep="\n  ")
            return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    args = parser.parse_args()
    if not self_test():
        return 1
    problems, files = scan(args.source.resolve())
    print(*problems, sep="\n")
    print(f"{files} files scanned, {len(problems)} problems")
    return 1 if problems or files < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
