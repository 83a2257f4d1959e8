#!/usr/bin/env python3
"""Faces from photos: sosia beside face_recognition, an onnxruntime pipeline and deepface,
interleaved, on the same photos, with as many threads.

    make bench-face          (or setup/bench-face.sh [--threads 1 2] [--rounds 5] [--photos 30]
                              [--peers NAME...] [--memory 10000] [--out FOLDER])

Photos of about one megapixel are made from dlib's group photos (shared data faces-dlib): resized,
mirrored, cut. Every peer decodes, detects, aligns and embeds all of them; opening models is not
timed. All peers take turns, round after round, the order rotating; the least and the median of the
rounds are printed, with ratios; and processor time, which others on the machine disturb little. A
Python peer runs as many processes as it has threads, each with one thread and every so many photos:
nothing is lost to its interpreter. Before anything is timed, peers of one embedder must agree: on
matched faces (boxes that overlap by 0.3 of their union) the mean cosine of their vectors must be that
of the same face.

    sosia mtcnn            MTCNN and dlib's ResNet: what set-up installs
    sosia mtcnn 40 px      the same, looking for faces of 40 pixels and more: those that the HOG
                           detector of face_recognition and deepface is made for (a window of 80
                           pixels, on a picture of twice the size)
    sosia yunet            YuNet-n and dlib's ResNet
    sosia yunet 40 px      the same for faces of 40 pixels and more
    sosia yunet+mbf        YuNet-n and MobileFaceNet, both ONNX, f32
    face_recognition       its defaults: HOG, 5 points, dlib's ResNet
    onnxruntime            the ONNX files of sosia yunet+mbf; OpenCV and numpy around them
    deepface               represent(), model Dlib, detector dlib (HOG), as it comes
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import platform
import statistics
import sys
import tempfile
import time

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from peer_program import PeerProgram  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("SOSIA_DATA", SOURCE / ".." / "shared" / "data"))
# Detector, embedder, smallest face in pixels ("": the default).
OURS = {"sosia mtcnn": ("mtcnn", "dlib-resnet", ""),
        "sosia mtcnn 40 px": ("mtcnn", "dlib-resnet", "40"),
        "sosia yunet": ("yunet-n", "dlib-resnet", ""),
        "sosia yunet 40 px": ("yunet-n", "dlib-resnet", "40"),
        "sosia yunet+mbf": ("yunet-n", "mobilefacenet-foreign", "")}
THEIRS = ("face_recognition", "onnxruntime", "deepface")
# (ours, theirs, the ratio that is wanted)
TARGETS = (("sosia mtcnn", "face_recognition", 15), ("sosia mtcnn 40 px", "face_recognition", 15),
           ("sosia yunet", "face_recognition", 25), ("sosia yunet 40 px", "face_recognition", 25),
           ("sosia yunet+mbf", "onnxruntime", 1.4), ("sosia mtcnn 40 px", "deepface", 40),
           ("sosia yunet 40 px", "deepface", 40))
# Peers of one network, and the least mean cosine of matched faces: detectors put points differently.
SAME_NETWORK = (("sosia mtcnn", "face_recognition", 0.95), ("sosia yunet", "sosia mtcnn", 0.95),
                ("sosia yunet+mbf", "onnxruntime", 0.9), ("sosia mtcnn", "deepface", 0.9))


def make_photos(folder, count):
    sources = sorted(path for path in (SHARED / "faces-dlib/faces").glob("*.jpg")
                     if path.name != "dogs.jpg")
    if not sources:
        sys.exit(f"no group photos in {SHARED / 'faces-dlib/faces'}")
    files = []
    for number in range(count):
        source = sources[number % len(sources)]
        picture = cv2.imread(str(source))
        variant = number // len(sources)
        height, width = picture.shape[:2]
        if variant % 2 == 1:
            picture = picture[:, ::-1]
        if variant >= 2:
            picture = picture[height // 20:, width // 20:]
        height, width = picture.shape[:2]
        scale = (1e6 / (width * height)) ** 0.5
        picture = cv2.resize(picture, (round(width * scale), round(height * scale)),
                             interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        files.append(str(folder / f"{number:03}-{source.stem}.jpg"))
        cv2.imwrite(files[-1], picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return files


class Sosia(PeerProgram):
    def __init__(self, program, files, folder):
        self.kept = folder / "kept.json"
        super().__init__(program, *files)

    def found(self):
        self.ask(f"keep {self.kept}")
        return [[(face["box"], np.array(face["embedding"])) for face in photo]
                for photo in json.loads(self.kept.read_text())]


def face_recognition_peer():
    import face_recognition

    def analyse(path):
        picture = face_recognition.load_image_file(path)
        places = face_recognition.face_locations(picture)
        vectors = face_recognition.face_encodings(picture, places, model="small")
        return [([left, top, right - left, bottom - top], vector)
                for (top, right, bottom, left), vector in zip(places, vectors)]
    return analyse


ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366],
                    [41.5493, 92.3655], [70.7299, 92.2041]], dtype=np.float64)


def onnxruntime_peer():
    import onnxruntime

    def session(path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(str(path), options,
                                            providers=["CPUExecutionProvider"])

    detector = session(SHARED / "weights-face-detect/yunet/yunet_n_dynamic.onnx")
    embedder = session(SHARED / "weights-mobilefacenet/foreign-onnx/mobilefacenet.onnx")
    names = [output.name for output in detector.get_outputs()]
    input_name = detector.get_inputs()[0].name
    embed_name = embedder.get_inputs()[0].name

    def detect(picture):
        scale = 640 / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = small.shape[:2]
        padded = np.zeros(((height + 31) // 32 * 32, (width + 31) // 32 * 32, 3), np.float32)
        padded[:height, :width] = small
        out = dict(zip(names, detector.run(None, {input_name: padded.transpose(2, 0, 1)[None]})))
        rows, columns = padded.shape[:2]
        boxes, scores, points = [], [], []
        for stride in (8, 16, 32):
            score = np.sqrt(np.clip(out[f"cls_{stride}"], 0, 1).ravel()
                            * np.clip(out[f"obj_{stride}"], 0, 1).ravel())
            keep = np.flatnonzero(score >= 0.7)
            x = keep % (columns // stride) * stride
            y = keep // (columns // stride) * stride
            box = out[f"bbox_{stride}"].reshape(-1, 4)[keep]
            size = np.exp(box[:, 2:]) * stride
            centre = np.stack([x, y], 1) + box[:, :2] * stride
            boxes.append(np.concatenate([centre - size / 2, size], 1))
            scores.append(score[keep])
            five = out[f"kps_{stride}"].reshape(-1, 5, 2)[keep] * stride
            points.append(five + np.stack([x, y], 1)[:, None])
        boxes, points = np.concatenate(boxes) / scale, np.concatenate(points) / scale
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), np.concatenate(scores).tolist(), 0.7, 0.3)
        kept = np.array(kept, dtype=int).ravel()
        return boxes[kept], points[kept]

    def align(picture, five):
        source = five - five.mean(0)
        target = ARCFACE - ARCFACE.mean(0)
        a = (source * target).sum()
        b = (source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum()
        turn = np.array([[a, -b], [b, a]]) / (source ** 2).sum()
        move = ARCFACE.mean(0) - turn @ five.mean(0)
        return cv2.warpAffine(picture, np.concatenate([turn, move[:, None]], 1), (112, 112))

    def analyse(path):
        picture = cv2.imread(path)
        boxes, points = detect(picture)
        if len(boxes) == 0:
            return []
        chips = np.stack([align(picture, five)[:, :, ::-1] for five in points]).astype(np.float32)
        vectors = embedder.run(None, {embed_name: ((chips - 127.5) / 127.5)
                                      .transpose(0, 3, 1, 2).copy()})[0]
        return [(box.tolist(), vector) for box, vector in zip(boxes, vectors)]
    return analyse


def deepface_peer():
    # It looks for weights in a folder of its own; they are those of face_recognition_models. OpenCV 5
    # brings no cascades, so the detector is dlib's too.
    import face_recognition_models
    home = pathlib.Path(tempfile.mkdtemp())
    weights = home / ".deepface/weights"
    weights.mkdir(parents=True)
    models = pathlib.Path(face_recognition_models.__file__).parent / "models"
    for name in ("dlib_face_recognition_resnet_model_v1.dat",
                 "shape_predictor_5_face_landmarks.dat"):
        (weights / name).symlink_to(models / name)
    os.environ["DEEPFACE_HOME"] = str(home)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from deepface import DeepFace

    def analyse(path):
        faces = DeepFace.represent(path, model_name="Dlib", detector_backend="dlib",
                                   enforce_detection=False)
        return [([face["facial_area"][key] for key in "xywh"], np.array(face["embedding"]))
                for face in faces]
    return analyse


PEERS = {"face_recognition": face_recognition_peer, "onnxruntime": onnxruntime_peer,
         "deepface": deepface_peer}


def work(name, files, pipe):
    """A process of a peer: answers every message with its results and the seconds they took."""
    cv2.setNumThreads(1)
    try:
        analyse = PEERS[name]()
        analyse(files[0])
    except Exception as error:  # whatever a peer lacks, the others are measured
        pipe.send(f"{type(error).__name__}: {error}")
        return
    pipe.send(None)
    while pipe.recv():
        begin = time.process_time()
        found = [analyse(path) for path in files]
        pipe.send((found, time.process_time() - begin))


class Python:
    """A peer in `threads` processes."""

    def __init__(self, name, files, threads):
        self.count = len(files)
        context = multiprocessing.get_context("spawn")
        self.pipes, self.processes = [], []
        for number in range(threads):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(name, files[number::threads], theirs))
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        self.refusal = None
        for pipe in self.pipes:
            try:
                self.refusal = pipe.recv() or self.refusal
            except EOFError:
                self.refusal = "its process ended"

    def run(self):
        begin = time.perf_counter()
        for pipe in self.pipes:
            pipe.send(True)
        parts = [pipe.recv() for pipe in self.pipes]
        seconds = time.perf_counter() - begin
        found = [None] * self.count
        for number, (part, _) in enumerate(parts):
            found[number::len(parts)] = part
        return seconds, sum(processor for _, processor in parts), found

    def close(self):
        for pipe, process in zip(self.pipes, self.processes):
            try:
                pipe.send(False)
            except OSError:
                pass
            process.join()


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def agreement(first, second):
    """(faces of the first, of the second, matched, mean cosine of the matched)."""
    cosines = []
    for left, right in zip(first, second):
        for box, vector in left:
            best = max(right, key=lambda face: overlap(box, face[0]), default=None)
            if best is not None and overlap(box, best[0]) >= 0.3:
                cosines.append(float(vector @ best[1] / np.linalg.norm(vector)
                                     / np.linalg.norm(best[1])))
    return (sum(map(len, first)), sum(map(len, second)), len(cosines),
            float(np.mean(cosines)) if cosines else float("nan"))


def check(found):
    rows = []
    for one, other, least in SAME_NETWORK:
        if one not in found or other not in found:
            continue
        a, b, matched, cosine = agreement(found[one], found[other])
        rows.append({"peers": f"{one}, {other}", "faces": a, "faces of the other": b,
                     "matched": matched, "mean cosine": round(cosine, 4)})
        print(f"  {one} found {a} faces, {other} {b}, matched {matched}, mean cosine {cosine:.4f}",
              flush=True)
        if not cosine >= least:
            sys.exit(f"{one} and {other} disagree: wanted {least}; nothing is reported")
    return rows


def measure(options, files, sosia, threads, results):
    runs, found, python = {}, {}, {}
    for name, (detector, embedder, min_face) in OURS.items():
        request = f"stream {detector} {embedder} {threads} exact {min_face}"
        def run(request=request):
            answer = sosia.ask(request)
            return answer["seconds"], answer["processor_s"]
        runs[name] = run
        run()
        found[name] = sosia.found()
    for name in options.peers:
        peer = Python(name, files, threads)
        if peer.refusal:
            print(f"  {name} is left out: {peer.refusal}", flush=True)
            results["left out"][name] = peer.refusal
            peer.close()
            continue
        python[name] = peer
        found[name] = peer.run()[2]
        runs[name] = lambda peer=peer: peer.run()[:2]
    results["agreement"] = check(found)
    seconds, processor = {name: [] for name in runs}, {name: [] for name in runs}
    names = list(runs)
    for number in range(options.rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            wall, used = runs[name]()
            seconds[name].append(wall)
            processor[name].append(used)
    for peer in python.values():
        peer.close()
    for name, taken in seconds.items():
        row = {"peer": name, "threads": threads, "faces": sum(map(len, found[name])),
               "photos/s, best": round(len(files) / min(taken), 2),
               "photos/s, median": round(len(files) / statistics.median(taken), 2),
               "processor ms a photo": round(1000 * min(processor[name]) / len(files), 1)}
        results["speed"].append(row)
        print("  " + ", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    for ours, theirs, wanted in TARGETS:
        if theirs not in seconds:
            continue
        ratios = [b / a for a, b in zip(seconds[ours], seconds[theirs])]
        row = {"threads": threads, "ratio": f"{theirs} / {ours}",
               "of the least": round(min(seconds[theirs]) / min(seconds[ours]), 2),
               "median of rounds": round(statistics.median(ratios), 2),
               "of processor time": round(min(processor[theirs]) / min(processor[ours]), 2),
               "lowest": round(min(ratios), 2), "highest": round(max(ratios), 2),
               "wanted": wanted}
        results["ratios"].append(row)
        print("  " + ", ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--photos", type=int, default=30)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", choices=THEIRS, default=THEIRS)
    parser.add_argument("--memory", type=int, default=0,
                        help="photos to stream for the peak of memory (10000 takes minutes)")
    parser.add_argument("--out", type=pathlib.Path, default="build/release/bench")
    options = parser.parse_args()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
                 "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"  # of each process
    results = {"speed": [], "ratios": [], "agreement": [], "left out": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = make_photos(folder, options.photos)
        sosia = Sosia(options.build / "bin/face_peer", files, folder)
        about = {**sosia.about, "device": "cpu", "machine": platform.machine(),
                 "photos": len(files), "rounds": options.rounds, "opencv": cv2.__version__,
                 "load_before": " ".join(f"{x:.1f}" for x in os.getloadavg())}
        print(", ".join(f"{key} {value}" for key, value in about.items()), flush=True)
        for threads in options.threads:
            measure(options, files, sosia, threads, results)
        if options.memory > 0:
            orl = sorted(str(path) for path in (SHARED / "faces-orl").glob("s*/*.pgm"))
            sosia.close()
            sosia = Sosia(options.build / "bin/face_peer", files + orl, folder)
            times = -(-options.memory // (len(files) + len(orl)))
            results["memory"] = sosia.ask(f"memory {times} mtcnn dlib-resnet 2 exact")
            print(f"  memory: {results['memory']}", flush=True)
        sosia.close()
    about["load_after"] = " ".join(f"{x:.1f}" for x in os.getloadavg())
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "faces.json"
    path.write_text(json.dumps({"about": about, **results}, indent=1) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
