"""Input files for the command-line tests and the examples, generated with a fixed seed."""

import json
import math
import os
import pathlib
import pickle
import random
import shutil
import struct
import subprocess
import tempfile
import zlib


def _write(folder, name, header, rows):
    with open(folder / name, "w", encoding="utf-8") as file:
        file.write(",".join(header) + "\n")
        for row in rows:
            file.write(",".join(str(cell) for cell in row) + "\n")


def scores(folder):
    rng = random.Random(1)
    rows = [(f"{rng.gauss(2, 1):.6f}", 1, rng.choice("ab")) for _ in range(400)]
    rows += [(f"{rng.gauss(0, 1):.6f}", 0, rng.choice("ab")) for _ in range(4000)]
    _write(folder, "scores.csv", ["score", "label", "group"], rows)


def ranking(folder):
    rng = random.Random(2)
    rows = []
    for query in range(12):
        for item in range(30):
            subject, camera = item % 6, item // 6 % 3
            score = rng.gauss(1.0 if subject == query % 6 else 0.0, 0.6)
            rows.append((f"q{query}", query % 6, query % 3, f"g{item}", subject, camera,
                         f"{score:.6f}"))
    _write(folder, "ranking.csv",
           ["query", "query_subject", "query_camera", "item", "item_subject", "item_camera",
            "score"], rows)


def calibration(folder):
    rng = random.Random(3)
    rows = []
    for _ in range(2000):
        p = rng.random()
        rows.append((f"{p:.6f}", int(rng.random() < p)))
    _write(folder, "calibration.csv", ["probability", "label"], rows)


def identification(folder):
    rng = random.Random(4)
    rows = []
    for probe in range(200):
        subject = probe % 50
        mated = subject < 40
        for candidate in range(40):
            score = rng.gauss(2.5 if mated and candidate == subject else 0, 1)
            rows.append((f"p{probe}", subject, int(mated), candidate, f"{score:.6f}"))
    _write(folder, "identification.csv",
           ["probe", "probe_subject", "mated", "candidate_subject", "score"], rows)


def attack(folder):
    rng = random.Random(5)
    rows = []
    for index in range(600):
        kind = ("bona_fide", "print", "replay")[index // 3 % 3]
        score = 1 / (1 + math.exp(-rng.gauss(2 if kind == "bona_fide" else -1, 1.2)))
        rows.append((f"{score:.6f}", int(kind == "bona_fide"),
                     "" if kind == "bona_fide" else kind, "dev" if index < 300 else "test",
                     f"clip{index // 3}"))
    _write(folder, "attack.csv", ["score", "label", "instrument", "split", "clip"], rows)


def clusters(folder):
    rng = random.Random(6)
    rows = []
    for item in range(120):
        subject = item % 12
        rows.append((subject if rng.random() < 0.9 else rng.randrange(15), subject))
    _write(folder, "clusters.csv", ["cluster", "subject"], rows)


def _write_npy(path, rows):
    """Rows of equal length as 32-bit floats, without NumPy."""
    shape = f"({len(rows)}, {len(rows[0])})"
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (118 - 1 - len(head)) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        for row in rows:
            file.write(struct.pack(f"<{len(row)}f", *row))


def _at(degrees):
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]


def plane(folder):
    """Subjects a, b, c in a plane, by angle; vectors that are refused."""
    _write(folder, "plane.csv", ["label", "camera"],
           [("a", "c1"), ("b", "c1"), ("a", "c2"), ("c", "c2"), ("b", "c2")])
    _write_npy(folder / "plane.npy", [_at(d) for d in (0, 90, 10, 200, 93)])
    _write_npy(folder / "plane_asked.npy", [[2 * x for x in _at(0)], _at(95), _at(300)])
    _write(folder, "plane_cameras.csv", ["camera"], [("c1",), ("c9",), ("c2",)])
    _write_npy(folder / "nan.npy", [_at(0), [1.0, math.nan]])
    _write_npy(folder / "zero.npy", [[0.0, 0.0]])
    _write_npy(folder / "wide.npy", [[1.0, 0.0, 0.0]])


def gallery(folder):
    """60 subjects with 8 vectors of 32 numbers, probes of 40 of them and of 20 strangers."""
    rng = random.Random(7)
    subjects = [[rng.gauss(0, 1) for _ in range(32)] for _ in range(80)]

    def near(subject):
        return [x + rng.gauss(0, 0.7) for x in subjects[subject]]

    enrolled = [subject for subject in range(60) for _ in range(8)]
    vectors = [near(subject) for subject in enrolled]
    _write_npy(folder / "vectors.npy", vectors)
    rows = [(f"s{subject}", f"cam{index % 3}", f"2024-05-{index % 28 + 1:02}T12:00:00Z",
             f"{rng.uniform(0.4, 1):.3f}") for index, subject in enumerate(enrolled)]
    for name in ("labels.csv", "vectors.csv"):
        _write(folder, name, ["label", "camera", "time", "quality"], rows)
    probed = list(range(40)) + list(range(60, 80))
    _write_npy(folder / "probes.npy", [near(subject) for subject in probed])
    _write_npy(folder / "two.npy", [near(0), near(1)])
    _write(folder, "probes.csv", ["label"],
           [(f"s{subject}" if subject < 60 else "",) for subject in probed])
    with open(folder / "templates.jsonl", "w", encoding="utf-8") as file:
        for index in range(0, 480, 16):
            file.write(json.dumps({"label": f"t{index // 16}", "vector": vectors[index],
                                   "camera": "cam0", "metadata": {"index": index}}) + "\n")
    (folder / "key").write_bytes(bytes(rng.randrange(256) for _ in range(32)))


def _varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _proto(*fields):
    """Protocol buffers: (number, int, str, bytes) pairs."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += _varint(number << 3 | 2) + _varint(len(data)) + data
    return out


def _onnx_value(name, shape):
    sides = [(1, _proto((1, side) if side > 0 else (2, "n"))) for side in shape]
    return _proto((1, name), (2, _proto((1, _proto((1, 1), (2, _proto(*sides)))))))


def _onnx(nodes, inputs, outputs):
    """An ONNX file of opset 13; nodes are (operator, input, output)."""
    graph = [(1, _proto((1, a), (2, b), (3, b), (4, operator))) for operator, a, b in nodes]
    graph += [(2, "g")]
    graph += [(11, _onnx_value(*value)) for value in inputs]
    graph += [(12, _onnx_value(*value)) for value in outputs]
    return _proto((1, 7), (7, _proto(*graph)), (8, _proto((1, ""), (2, 13))))


def models(folder):
    """ONNX files without the package: a recogniser that gives the mean colour, and broken ones."""
    good = _onnx([("GlobalAveragePool", "data", "pooled"), ("Flatten", "pooled", "fc1")],
                 [("data", (-1, 3, 112, 112))], [("fc1", (-1, 3))])
    (folder / "network.onnx").write_bytes(good)
    (folder / "cut.onnx").write_bytes(good[:len(good) // 2])
    (folder / "operator.onnx").write_bytes(
        _onnx([("FaceWarp", "data", "fc1")], [("data", (1, 3, 112, 112))], [("fc1", (1, 3))]))
    (folder / "huge.onnx").write_bytes(
        _onnx([("Relu", "data", "out")], [("data", (1, 3, 41000, 41000))],
              [("out", (1, 3, 41000, 41000))]))
    (folder / "words.txt").write_text("Siemens AG, Berlin\n\u897f\u95e8\u5b50\n", encoding="utf-8")


_made_gallery = None


def made_gallery(folder, sosia):
    """faces.sosia, made once by the program itself from the files of `gallery`."""
    global _made_gallery
    if _made_gallery is None:
        _made_gallery = tempfile.TemporaryDirectory()
        for command in (["create", "faces.sosia", "--dim", "32"],
                        ["add", "faces.sosia", "--vectors", str(folder / "vectors.npy"),
                         "--labels", str(folder / "labels.csv")]):
            subprocess.run([os.path.abspath(sosia), "gallery", *command, "--no-config"], check=True,
                           cwd=_made_gallery.name, stdout=subprocess.DEVNULL)
    shutil.copy(os.path.join(_made_gallery.name, "faces.sosia"), folder / "faces.sosia")


def people(folder, sosia):
    """people/, five subjects of the world."""
    subprocess.run([os.path.abspath(sosia), "world", "render", "--count", "5", "--size", "32", "--out",
                    str(folder / "people"), "--no-config"], check=True, capture_output=True)


def indexes(sosia):
    """The verb indexes of the rooms that are built."""
    library = pathlib.Path(sosia).resolve().parent.parent / "lib" / "sosia"
    return sorted(library.glob("*.verbs.json"))


_made = {}


def _once(name, folder, make):
    """What `make(folder)` writes, made once and copied."""
    if name not in _made:
        _made[name] = tempfile.TemporaryDirectory()
        make(pathlib.Path(_made[name].name))
    shutil.copytree(_made[name].name, folder, dirs_exist_ok=True)


def faces(folder, sosia):
    """photos/ with a folder for each of four rendered subjects and a sheet of faces as group photo;
    no_face.png; where faces can be found, the gallery people.sosia of photos/. Made once."""
    def make(made):
        def call(*words):
            subprocess.run([os.path.abspath(sosia), *words, "--no-config"], check=True, cwd=made,
                           capture_output=True)

        # Of this size and seed all faces are found, whatever the smallest that is looked for.
        call("world", "render", "--count", "4", "--images", "3", "--size", "256", "--seed", "4",
             "--out", "photos")
        call("world", "sheet", "--show", "faces", "--rows", "2", "--size", "128", "--out", "sheets")
        for name in ("manifest.json", "truth.jsonl"):
            (made / "photos" / name).unlink(missing_ok=True)
        (made / "sheets" / "faces.png").rename(made / "photos" / "group.png")
        shutil.rmtree(made / "sheets")
        _png(made / "no_face.png", 64, 64, 8, 0, b"\x80" * 64 * 64)
        if any(index.name.startswith("face.") for index in indexes(sosia)):
            call("face", "enrol", "photos", "--gallery", "people.sosia")

    _once("faces", folder, make)


def _chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data)))


def _png(path, width, height, depth, colour, rows):
    """A PNG file of raw rows (or of none: only the head is true)."""
    stride = len(rows) // height if rows else 0
    raw = b"".join(b"\x00" + rows[y * stride:(y + 1) * stride] for y in range(height)) if rows else b""
    path.write_bytes(b"\x89PNG\r\n\x1a\n"
                     + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
                     + _chunk(b"IDAT", zlib.compress(raw)) + _chunk(b"IEND", b""))


def bad_pictures(folder):
    """mixed/: what people's folders hold beside photos."""
    bad = folder / "mixed"
    bad.mkdir()
    (bad / "notes.txt").write_text("no picture\n", encoding="utf-8")
    (bad / "empty.jpg").write_bytes(b"")
    # A JPEG file that ends after its head.
    (bad / "cut.jpg").write_bytes(bytes.fromhex(
        "ffd8ffe000104a46494600010100000100010000ffc0001108010001000301220002110103110100"))
    _png(bad / "huge.png", 60000, 60000, 8, 2, b"")
    _png(bad / "deep.png", 40, 30, 16, 2, bytes(range(240)) * 30)
    _png(bad / "a name with spaces \u5f20\u4f1f.png", 40, 30, 8, 0, bytes(40) * 30)
    # Two frames of 1 x 1.
    frame = b"\x21\xf9\x04\x00\x0a\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    (bad / "moving.gif").write_bytes(b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
                                     + frame + frame + b"\x3b")
    # CMYK, baseline, every coefficient 0: tables with one code each, two bits for a block.
    tables = bytes([1] + [0] * 15) + b"\x00"
    parts = [(0xee, b"Adobe\x00\x64\x00\x00\x00\x00\x00"), (0xdb, b"\x00" + b"\x01" * 64),
             (0xc0, b"\x08\x00\x20\x00\x20\x04" + b"".join(bytes([c, 0x11, 0]) for c in b"CMYK")),
             (0xc4, b"\x00" + tables), (0xc4, b"\x10" + tables),
             (0xda, b"\x04" + b"".join(bytes([c, 0]) for c in b"CMYK") + b"\x00\x3f\x00")]
    (bad / "print.jpg").write_bytes(
        b"\xff\xd8" + b"".join(b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data
                               for kind, data in parts) + bytes(16) + b"\xff\xd9")
    os.symlink(".", bad / "loop")
    os.symlink("nowhere", bad / "dangling.jpg")
    (bad / ".hidden.jpg").write_bytes(b"not looked at")


def subjects(folder, sosia):
    """subjects/, four subjects of the world with four photos in which faces are found, and what says
    who is who: a list of pairs, groups, a set of InsightFace, a photo of nothing."""
    def make(folder):
        # Of this size and seed all faces are found, whatever the smallest that is looked for.
        subprocess.run([os.path.abspath(sosia), "world", "render", "--count", "4", "--size", "240",
                        "--seed", "4", "--out", str(folder / "subjects"), "--no-config"], check=True,
                       capture_output=True)
        rng = random.Random(8)
        pairs = []
        for fold in range(10):
            a, b = rng.sample(range(4), 2)
            i, j = rng.sample(range(4), 2)
            pairs += [(f"{a:05}/{i:04}.png", f"{a:05}/{j:04}.png", 1),
                      (f"{a:05}/{i:04}.png", f"{b:05}/{j:04}.png", 0)]
        (folder / "pairs.txt").write_text("".join(f"{a} {b} {same}\n" for a, b, same in pairs))
        _write(folder, "regions.csv", ["subject", "region"],
               [(f"{s:05}", "north" if s % 2 else "south") for s in range(4)])
        (folder / "nothing.ppm").write_bytes(b"P6 64 64 255\n" + bytes([128]) * (64 * 64 * 3))
        crops = []
        for s in range(3):
            subprocess.run([os.path.abspath(sosia), "world", "render", "--count", "1", "--size", "112",
                            "--images", "2", "--seed", str(s), "--out", str(folder / f"crops{s}"),
                            "--no-config"], check=True, capture_output=True)
            crops += [(folder / f"crops{s}" / "00000" / f"000{i}.png").read_bytes() for i in range(2)]
            shutil.rmtree(folder / f"crops{s}")
        bins = [crops[i] for pair in ((0, 1), (2, 3), (4, 5), (0, 2), (3, 4), (1, 5)) for i in pair]
        with open(folder / "crops.bin", "wb") as file:
            pickle.dump((bins, [True] * 3 + [False] * 3), file, protocol=3)

    _once("subjects", folder, make)


def llm(folder, sosia):
    """Prompts, answers, recorded tokens, and a memory where the room llm is built."""
    rng = random.Random(9)
    phrases = [[rng.randrange(5, 900) for _ in range(rng.randrange(4, 12))] for _ in range(12)]
    with open(folder / "recorded.jsonl", "w", encoding="utf-8") as file:
        for i in range(12):
            tokens = [t for _ in range(12) for t in rng.choice(phrases)]
            file.write(json.dumps({"task": "ab"[i % 2], "prompt_tokens": tokens[:30],
                                   "tokens": tokens[30:]}) + "\n")
    with open(folder / "prompts.jsonl", "w", encoding="utf-8") as file:
        for prompt in ("Count from one to five.", "Say hello twice."):
            file.write(json.dumps({"prompt": prompt, "task": "short"}) + "\n")
    with open(folder / "answers.jsonl", "w", encoding="utf-8") as file:
        file.write(json.dumps({"text": "One, two, three, four, five."}) + "\n")
    subprocess.run([os.path.abspath(sosia), "llm", "memory", "build", "texts.memory",
                    "recorded.jsonl", "--tokenizer", "0123", "--model-name", "mine", "--tenant",
                    "ada", "--no-config"], cwd=folder, capture_output=True)


def make_all(folder, sosia=None):
    """Everything; what the program makes itself only when it is named."""
    for make in (scores, ranking, calibration, identification, attack, clusters, gallery,
                 plane, models, bad_pictures):
        make(folder)
    if sosia is not None:
        made_gallery(folder, sosia)
        people(folder, sosia)
        faces(folder, sosia)
        subjects(folder, sosia)
        llm(folder, sosia)
