#!/usr/bin/env python3
"""convert_models.py ARCHIVES OUTPUT: the weights in Python packages, as safetensors.

    dlib-face-resnet.safetensors    29 convolutions (affine layers folded in) and one matrix
    dlib-mmod.safetensors           7 convolutions (affine layers folded in)
    mtcnn-{p,r,o}.safetensors       convolutions, slopes of PReLU, matrices; planes first
    minilm-l6.safetensors           BERT's own names, and the vocabulary as bytes
    smollm2-135m-instruct-q4_1.gguf as it came
    sources/                        what the tests compare with: the files as they came

Every source file is checked against its SHA-256 before it is opened (the MTCNN files are pickles, which
run code), and so is what was made: the cards in src/models/cards name the same hashes. Nothing in the
packages is imported. Output files appear whole or not at all.
"""

import hashlib
import io
import json
import os
import pathlib
import struct
import sys
import tarfile
import zipfile

import numpy as np

SOURCES = {
    "dlib_face_recognition_resnet_model_v1.dat":
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    "mmod_human_face_detector.dat":
        "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    "pnet.lz4": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet.lz4": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet.lz4": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "SmolLM2-135M-Instruct.Q4_1.gguf":
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}
# Taken over as they are.
COPIED = {"SmolLM2-135M-Instruct.Q4_1.gguf": "smollm2-135m-instruct-q4_1.gguf"}
# Oracles load these; sosia does not.
KEPT = ["dlib_face_recognition_resnet_model_v1.dat", "mmod_human_face_detector.dat", "pnet.lz4",
        "rnet.lz4", "onet.lz4", "tokenizer.json"]
RESULTS = {
    "dlib-face-resnet.safetensors":
        "16f7e192c4dff45eb5da15329021dc629943eef6f995a9bbefe5ceaa53f1c1c7",
    "dlib-mmod.safetensors":
        "8c7937c1975e2e8339f4a525ca499581b0a806b4e22dea17cc2c0d2d2468d6bf",
    "minilm-l6.safetensors":
        "bf7b53775d9db461a4a43676b02a7941f9ee662f33eda81022bb7a1514b7ddac",
    "mtcnn-p.safetensors":
        "de4c7473a076740ce3075137eca992501ff3b2ea77444ef8293263c0419020e3",
    "mtcnn-r.safetensors":
        "498310fc23b3097e2242e67db59237d81f976f893f0117062a41c0189e0efb5a",
    "mtcnn-o.safetensors":
        "d564479345ccc1d75d5a1043a7e49e6ab020547b566c6dd1bb075341dff5e4f7",
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read_sources(folder):
    """{file name: bytes} of the wanted members of all archives."""
    found = {}
    for archive in sorted(folder.iterdir()):
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as package:
                members = [(name, lambda n=name: package.read(n)) for name in package.namelist()]
                take(members, found)
        elif archive.name.endswith(".tar.gz"):
            with tarfile.open(archive) as package:
                members = [(m.name, lambda m=m: package.extractfile(m).read())
                           for m in package.getmembers() if m.isfile()]
                take(members, found)
    missing = sorted(set(SOURCES) - set(found))
    if missing:
        sys.exit(f"error: the archives in {folder} do not hold {', '.join(missing)}")
    return found


def take(members, found):
    for path, read in members:
        name = pathlib.PurePosixPath(path).name
        if name in SOURCES and name not in found:
            data = read()
            if sha256(data) != SOURCES[name]:
                sys.exit(f"error: {name} is not the file that sosia knows: its SHA-256 is "
                         f"{sha256(data)}, not {SOURCES[name]}")
            found[name] = data


# dlib. Layers stand in the file from the input to the output, each behind a tag. An integer is one
# byte that holds the number of bytes behind it (and the sign in bit 7), little-endian. A tensor is a
# version (2), four sizes, and raw little-endian floats.

DLIB_EPSILON = 1e-4  # DEFAULT_BATCH_NORM_EPS; the file of mmod says the same


def dlib_integer(data, at):
    size = data[at] & 0x0F
    value = int.from_bytes(data[at + 1:at + 1 + size], "little")
    return (-value if data[at] & 0x80 else value), at + 1 + size


def dlib_tensor(data, at):
    version, at = dlib_integer(data, at)
    if version != 2:
        sys.exit(f"error: a dlib tensor of version {version}")
    shape = []
    for _ in range(4):
        size, at = dlib_integer(data, at)
        shape.append(size)
    count = int(np.prod(shape))
    values = np.frombuffer(data, "<f4", count, at)
    return values, shape, at + 4 * count


def dlib_layers(data):
    """[(kind, values, numbers behind the tensor)] in the order of computation."""
    tags = {b"\x01\x05con_4": "con", b"\x01\x07affine_": "affine", b"\x01\x07bn_con2": "bn",
            b"\x01\x04fc_2": "fc"}
    starts = []
    for tag in tags:
        at = data.find(tag)
        while at >= 0:
            starts.append((at, tag))
            at = data.find(tag, at + 1)
    layers = []
    for at, tag in sorted(starts):
        at += len(tag)
        before = []
        if tags[tag] == "fc":
            for _ in range(2):
                number, at = dlib_integer(data, at)
                before.append(number)
        values, _, at = dlib_tensor(data, at)
        after = []
        for _ in range(7 if tags[tag] == "con" else 0):
            number, at = dlib_integer(data, at)
            after.append(number)
        if tags[tag] == "bn":
            values = dlib_batch_norm(data, values, at)
        layers.append((tags[tag].replace("bn", "affine"), values, before + after))
    return layers


def dlib_batch_norm(data, values, at):
    """Gamma and beta of the affine layer that dlib makes of a batch norm (layers.h, affine_)."""
    for _ in range(2):  # where gamma and beta lie in `values`: a version and four sizes each
        for _ in range(5):
            _, at = dlib_integer(data, at)
    statistics = []
    for _ in range(4):  # of the last batch, then running: mean and variance
        tensor, _, at = dlib_tensor(data, at)
        statistics.append(tensor.astype(np.float64))
    gamma, beta = np.split(values.astype(np.float64), 2)
    mean, variance = statistics[2:]
    if not len(mean) == len(variance) == len(gamma):
        sys.exit("error: a batch norm of dlib that is not laid out as expected")
    gamma = gamma / np.sqrt(variance + DLIB_EPSILON)
    return np.concatenate([gamma, beta - gamma * mean])


def convert_dlib(data, inputs, convolutions, norms):
    """Convolutions `conv<i>` with the affine layer behind them folded in, and the matrix `fc`."""
    layers = dlib_layers(data)
    found = [sum(kind == wanted for kind, _, _ in layers) for wanted in ("con", "affine")]
    if found != [convolutions, norms]:
        sys.exit(f"error: {found} convolutions and affine layers, not {[convolutions, norms]}")
    tensors, index, position = {}, 0, 0
    while position < len(layers):
        kind, values, numbers = layers[position]
        position += 1
        if kind == "fc":
            outputs, rows = numbers
            tensors["fc.weight"] = np.ascontiguousarray(values.reshape(rows, outputs).T)
            continue
        if kind != "con":
            sys.exit("error: an affine layer that follows no convolution")
        filters, rows, columns = numbers[:3]
        weight = values[:-filters].reshape(filters, inputs, rows, columns).astype(np.float64)
        bias = values[-filters:].astype(np.float64)
        if position < len(layers) and layers[position][0] == "affine":
            gamma, beta = np.split(layers[position][1].astype(np.float64), 2)
            weight, bias = weight * gamma[:, None, None, None], bias * gamma + beta
            position += 1
        tensors[f"conv{index}.weight"] = weight.astype(np.float32)
        tensors[f"conv{index}.bias"] = bias.astype(np.float32)
        inputs, index = filters, index + 1
    return tensors


def convert_mtcnn(data):
    """Keras' order (height, width, in, out) to planes first; matrices for planes-first input."""
    import joblib  # needs the package lz4
    arrays = [np.asarray(a, np.float32) for a in joblib.load(io.BytesIO(data))]
    tensors, name, flat = {}, "", False
    convolution, dense, planes, height = 0, 0, 0, 3  # both nets end with 3 x 3 planes
    for array in arrays:
        if array.ndim == 4:
            name, convolution = f"conv{convolution}", convolution + 1
            tensors[f"{name}.weight"] = np.ascontiguousarray(array.transpose(3, 2, 0, 1))
            planes = array.shape[3]
        elif array.ndim == 2:
            name, dense = f"fc{dense}", dense + 1
            if not flat:  # rows are (x, y, plane); a planes-first network has (plane, y, x)
                array = array.reshape(height, height, planes, -1).transpose(2, 1, 0, 3)
                array = array.reshape(height * height * planes, -1)
                flat = True
            tensors[f"{name}.weight"] = np.ascontiguousarray(array.T)
        elif f"{name}.bias" not in tensors:
            tensors[f"{name}.bias"] = array
        else:
            tensors[f"{name}.slope"] = array.reshape(-1)
    return tensors


def convert_minilm(weights, vocabulary):
    size, = struct.unpack("<Q", weights[:8])
    header = json.loads(weights[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue  # position_ids are 0, 1, 2, ...
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(weights[8 + size + begin:8 + size + end],
                                      "<f4").reshape(entry["shape"])
    tensors["vocabulary"] = np.frombuffer(vocabulary, np.uint8)
    return tensors


def write_safetensors(path, tensors):
    """In the reference's order: by descending alignment, then by name. The same bytes every time."""
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header, at = {}, 0
    for name in order:
        array = tensors[name]
        kind = {"f": "F32", "u": "U8"}[array.dtype.kind]
        header[name] = {"dtype": kind, "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join([struct.pack("<Q", len(text)), text] + [tensors[n].tobytes() for n in order])
    if sha256(data) != RESULTS[path.name]:
        sys.exit(f"error: {path.name} came out with the SHA-256 {sha256(data)}, not "
                 f"{RESULTS[path.name]}")
    write_file(path, data)


def write_file(path, data):
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    temporary.write_bytes(data)
    temporary.rename(path)


def main():
    archives, output = map(pathlib.Path, sys.argv[1:])
    files = read_sources(archives)
    made = {
        "dlib-face-resnet": convert_dlib(files["dlib_face_recognition_resnet_model_v1.dat"], 3, 29, 29),
        "dlib-mmod": convert_dlib(files["mmod_human_face_detector.dat"], 3, 7, 6),
        "minilm-l6": convert_minilm(files["model.safetensors"], files["vocab.txt"]),
    }
    for letter in "pro":
        made[f"mtcnn-{letter}"] = convert_mtcnn(files[f"{letter}net.lz4"])
    for name, tensors in made.items():
        write_safetensors(output / f"{name}.safetensors", tensors)
    for name, copy in COPIED.items():
        write_file(output / copy, files[name])
    (output / "sources").mkdir(exist_ok=True)
    for name in KEPT:
        write_file(output / "sources" / name, files[name])


if __name__ == "__main__":
    main()
