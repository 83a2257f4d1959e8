#!/usr/bin/env python3
"""extract_portraits.py ARCHIVES OUTPUT: the photos of `sosia demo` out of Python packages.

    enrol/<subject>/    one photo of each subject that is enrolled
    known/<subject>/    photos of these subjects that are identified
    strangers/          photos of somebody else
    .sources            where each file comes from

The two partial faces are crops of known/.../obama.jpg, which is not enrolled. Every file is checked against
its SHA-256. Nothing in the packages is imported.
"""

import hashlib
import pathlib
import sys
import tarfile
import zipfile

RECOGNITION = "face_recognition-1.3.0/tests/test_images/"
# Place here, archive, member, SHA-256.
PHOTOS = [
    ("enrol/Barack Obama/obama2.jpg", "face_recognition-*.tar.gz", RECOGNITION + "obama2.jpg",
     "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"),
    ("enrol/Joe Biden/biden.jpg", "face_recognition-*.tar.gz", RECOGNITION + "biden.jpg",
     "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"),
    ("known/Barack Obama/obama.jpg", "face_recognition-*.tar.gz", RECOGNITION + "obama.jpg",
     "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"),
    ("known/Barack Obama/obama3.jpg", "face_recognition-*.tar.gz", RECOGNITION + "obama3.jpg",
     "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"),
    ("known/Barack Obama/obama_partial_face.jpg", "face_recognition-*.tar.gz",
     RECOGNITION + "obama_partial_face.jpg",
     "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117"),
    ("known/Barack Obama/obama_partial_face2.jpg", "face_recognition-*.tar.gz",
     RECOGNITION + "obama_partial_face2.jpg",
     "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028"),
    ("strangers/astronaut.png", "scikit_image-*.whl", "skimage/data/astronaut.png",
     "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"),
]


def member_of(archives, pattern, member):
    """The bytes of one member of the only archive that matches."""
    (archive,) = archives.glob(pattern)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member), archive.name
    with tarfile.open(archive) as tar:
        return tar.extractfile(member).read(), archive.name


def main():
    archives, output = map(pathlib.Path, sys.argv[1:])
    sources = []
    for place, pattern, member, wanted in PHOTOS:
        data, archive = member_of(archives, pattern, member)
        found = hashlib.sha256(data).hexdigest()
        if found != wanted:
            sys.exit(f"{archive}: {member} has the SHA-256 {found}, expected {wanted}")
        target = output / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        sources.append(f"{place}\t{archive}\t{member}\t{wanted}\n")
    (output / ".sources").write_text("".join(sources), encoding="utf-8")


if __name__ == "__main__":
    main()
