"""Make `stages/languages/data/guesslang.npz` from the wheel of guesslang 2.2.1.

    pip download --no-deps guesslang==2.2.1
    python scripts/make_guesslang_weights.py guesslang-2.2.1-py3-none-any.whl stages/languages/data

The wheel (MIT licence) holds a TensorFlow SavedModel. Its variables are read straight from the checkpoint:
`variables.index` is a LevelDB table (name → BundleEntryProto: dtype, shape, offset, size) and
`variables.data-00000-of-00001` the raw little-endian tensors. Neither TensorFlow nor guesslang is needed.
The arrays are stored as float16 (largest change of a probability over real files: below 0.01); equal
input gives equal bytes. Beside them goes a notice with source, version, checksum and the licence text.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

WHEEL_SHA256 = "36bd12130515ee0e637f7255340ba92ea919d53423743f4c1b0c73727a5499cb"
VARIABLES = "guesslang/data/model/variables/variables"
NAMES = {
    "linear/linear_model/content/weights": "wide",
    "linear/linear_model/bias_weights": "wide_bias",
    "dnn/input_from_feature_columns/input_layer/content_embedding/embedding_weights": "embedding",
    "dnn/hiddenlayer_0/kernel": "hidden0",
    "dnn/hiddenlayer_0/bias": "hidden0_bias",
    "dnn/hiddenlayer_1/kernel": "hidden1",
    "dnn/hiddenlayer_1/bias": "hidden1_bias",
    "dnn/logits/kernel": "logits",
    "dnn/logits/bias": "logits_bias",
}


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The protobuf/LevelDB varint at `at`, and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def message(data: bytes) -> dict[int, list[int | bytes]]:
    """A protobuf message as field number → values (varints, fixed32 and length-delimited fields only)."""
    fields: dict[int, list[int | bytes]] = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value: int | bytes
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        elif tag & 7 == 5:
            value, at = struct.unpack_from("<I", data, at)[0], at + 4
        else:
            raise ValueError(f"unexpected protobuf wire type {tag & 7} at byte {at}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def block(data: bytes, handle: tuple[int, int]) -> list[tuple[bytes, bytes]]:
    """The (key, value) entries of one uncompressed LevelDB block at (offset, size)."""
    offset, size = handle
    if data[offset + size] != 0:
        raise ValueError("compressed LevelDB blocks are not supported")
    body = data[offset : offset + size]
    end = size - 4 - 4 * int(struct.unpack_from("<I", body, size - 4)[0])
    entries, key, at = [], b"", 0
    while at < end:
        shared, at = varint(body, at)
        fresh, at = varint(body, at)
        length, at = varint(body, at)
        key = key[:shared] + body[at : at + fresh]
        at += fresh
        entries.append((key, body[at : at + length]))
        at += length
    return entries


def handle(data: bytes, at: int = 0) -> tuple[tuple[int, int], int]:
    """A LevelDB block handle (offset, size) at `at`, and the position after it."""
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def tensors(index: bytes, data: bytes) -> dict[str, np.ndarray]:
    """Every float32 tensor of a TensorFlow checkpoint, by name."""
    _, at = handle(index, len(index) - 48)
    top, _ = handle(index, at)
    found = {}
    for _, where in block(index, top):
        for key, value in block(index, handle(where)[0]):
            entry = message(value)
            if not key or entry.get(1) != [1]:  # header, or not DT_FLOAT
                continue
            dimensions = message(entry[2][0]).get(2, [])  # type: ignore[arg-type]
            shape = [int(message(size)[1][0]) for size in dimensions]  # type: ignore[arg-type]
            start, size = int(entry.get(4, [0])[0]), int(entry[5][0])
            found[key.decode()] = np.frombuffer(data[start : start + size], dtype="<f4").reshape(shape)
    return found


def stored(arrays: dict[str, np.ndarray]) -> bytes:
    """The bytes of an .npz archive whose members carry no dates."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, arrays[name], allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue(), zipfile.ZIP_DEFLATED
            )
    return buffer.getvalue()


def main(wheel: Path, folder: Path) -> None:
    """Write guesslang.npz and guesslang.notice.txt to `folder`; refuses any other wheel than the pinned one."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: sha256 is {digest}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        found = tensors(archive.read(f"{VARIABLES}.index"), archive.read(f"{VARIABLES}.data-00000-of-00001"))
        languages = json.loads(archive.read("guesslang/data/languages.json"))
        licence = archive.read("guesslang-2.2.1.dist-info/LICENSE").decode()
    arrays = {short: found[name].astype("<f2") for name, short in NAMES.items()}
    arrays["languages"] = np.array(list(languages), dtype="U16")
    data = stored(arrays)
    (folder / "guesslang.npz").write_bytes(data)
    (folder / "guesslang.notice.txt").write_text(
        f"guesslang.npz: weights of the language model of guesslang 2.2.1, as float16.\n"
        f"Source: guesslang-2.2.1-py3-none-any.whl (PyPI), sha256 {digest}\n"
        f"Made by scripts/make_guesslang_weights.py; guesslang.npz sha256 {hashlib.sha256(data).hexdigest()}\n"
        f"\n{licence}"
    )
    print(f"{folder / 'guesslang.npz'}: {len(data):,} bytes, {sum(a.size for a in arrays.values()):,} numbers")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
