#!/usr/bin/env python3
"""Parquet files that pyarrow wrote are read as it reads them, and ours come back the same."""

import datetime
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TOOL = os.environ["SOSIA_PARQUET_TOOL"]
ROWS = 100


def absent(values, step):
    return [None if i % step == 0 else value for i, value in enumerate(values)]


def table():
    """Every type that is taken, with what each row should read as."""
    random = np.random.default_rng(5)
    floats = random.normal(size=ROWS)
    vectors = random.normal(size=(ROWS, 4)).astype(np.float32)
    start = datetime.datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=datetime.timezone.utc)
    times = [start + datetime.timedelta(hours=i) for i in range(ROWS)]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    millis = [(t - epoch) // datetime.timedelta(milliseconds=1) for t in times]
    texts = absent([f"sé\n{i % 9}" for i in range(ROWS)], 4)
    whole = list(range(-50, 50))
    columns = {
        "text": (pa.array(texts), texts),
        "large": (pa.array(texts, pa.large_string()), texts),
        "category": (pa.array(texts).dictionary_encode(), texts),
        "i8": (pa.array(absent(whole, 5), pa.int8()), absent(whole, 5)),
        "i64": (pa.array([v * 10**16 for v in whole], pa.int64()), [v * 10**16 for v in whole]),
        "u16": (pa.array([v + 50 for v in whole], pa.uint16()), [v + 50 for v in whole]),
        "u64": (pa.array([v + 50 for v in whole], pa.uint64()), [v + 50 for v in whole]),
        "flag": (pa.array([v > 0 for v in whole]), [int(v > 0) for v in whole]),
        "time_us": (pa.array(times, pa.timestamp("us", tz="UTC")), millis),
        "time_ms": (pa.array(millis, pa.timestamp("ms")), millis),
        "day": (pa.array(whole, pa.date32()), whole),
        "f16": (pa.array(floats.astype(np.float16)), [float(np.float16(v)) for v in floats]),
        "f32": (pa.array(floats.astype(np.float32)), [float(np.float32(v)) for v in floats]),
        "f64": (pa.array(absent(list(floats), 3)), absent(list(floats), 3)),
        "fixed": (pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 4),
                  vectors.tolist()),
        "list": (pa.array(absent(vectors.astype(np.float64).tolist(), 6)),
                 absent(vectors.tolist(), 6)),
        "half": (pa.array(vectors.astype(np.float16).tolist(), pa.list_(pa.float16())),
                 vectors.astype(np.float16).astype(np.float32).tolist()),
        "struct": (pa.array([{"a": 1}] * ROWS), None),
        "bytes": (pa.array([b"\xff"] * ROWS), None),
    }
    return columns


def tool(*words):
    return subprocess.run([TOOL, *map(str, words)], capture_output=True, text=True, check=False)


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(np.float32(x) == np.float32(y) for x, y in zip(a, b))
    return a == b


def check_types(folder, options):
    columns = table()
    path = folder / "types.parquet"
    pq.write_table(pa.table({name: array for name, (array, _) in columns.items()}), path,
                   row_group_size=33, **options)
    result = tool("read", path)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    kinds = {name: kind for name, kind, _ in found["columns"]}
    assert kinds["struct"] == kinds["bytes"] == "other", kinds
    read = [name for name, kind, _ in found["columns"] if kind != "other"]
    assert len(found["rows"]) == ROWS
    for place, name in enumerate(read):
        for row, want in enumerate(columns[name][1]):
            got = found["rows"][row][place]
            assert same(got, want), (options, name, row, got, want)
    return len(read)


def check_copy(folder):
    columns = table()
    plain = pa.table({name: array for name, (array, want) in columns.items() if want is not None})
    pq.write_table(plain, folder / "from.parquet")
    result = tool("copy", folder / "from.parquet", folder / "to.parquet")
    assert result.returncode == 0, result.stderr
    back = pq.read_table(folder / "to.parquet", page_checksum_verification=True)
    assert back.column_names == plain.column_names
    assert back.schema.field("time_us").type == pa.timestamp("ms", tz="UTC")
    assert back.schema.field("fixed").type == pa.list_(pa.field("element", pa.float32(), False), 4)
    for name in back.column_names:
        for row, want in enumerate(columns[name][1]):
            got = back.column(name)[row]
            got = got.value if name.startswith("time") else got.as_py()
            assert same(got, want), (name, row, got, want)


def check_refusals(folder):
    path = folder / "bad.parquet"
    pq.write_table(pa.table({"v": pa.array([[1.0, 2.0], [1.0]])}), path)
    result = tool("read", path)
    assert result.returncode == 3 and "vectors of 2 and of 1" in result.stderr, result
    pq.write_table(pa.table({"v": pa.array([2**64 - 1], pa.uint64())}), path)
    result = tool("read", path)
    assert result.returncode == 3 and "18446744073709551615" in result.stderr, result
    # Vectors of one length in a row group and of another in the next.
    with pq.ParquetWriter(path, pa.schema([("v", pa.list_(pa.float32()))])) as writer:
        for length in (2, 3):
            writer.write_table(pa.table({"v": pa.array([[1.0] * length] * 9,
                                                       pa.list_(pa.float32()))}))
    result = tool("read", path)
    assert result.returncode == 3 and "vectors of 2 and of 3" in result.stderr, result


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        count = 0
        for options in ({}, {"compression": "none", "use_dictionary": False},
                        {"compression": "gzip", "version": "1.0"},
                        {"compression": "zstd", "data_page_version": "2.0",
                         "write_page_checksum": True}):
            count = check_types(folder, options)
        check_copy(folder)
        check_refusals(folder)
    print(f"{count} types, 4 ways of writing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
