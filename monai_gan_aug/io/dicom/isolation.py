"""Decoding in a process of its own, for decoders that a damaged file can crash or hang.

GDCM ends its process on some damaged JPEG streams. It therefore never runs in the caller: a helper
process does, with a limit of memory and of processor time for each frame. A helper that dies costs
the frame it was given, and the next frame starts another one. The helper also sees what the JPEG
library complains of on standard error, and refuses frames whose data it found damaged, which the
library itself fills up with grey in silence.
"""

import atexit
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO, NoReturn

import numpy as np
import numpy.typing as npt

try:
    import resource
except ImportError:  # not on Windows, where only the time on the clock is limited
    resource = None  # type: ignore[assignment]

__all__ = ["GDCM_ITSELF", "DecoderDied", "decode_apart"]

GDCM_ITSELF = "gdcm itself"
"""12-bit lossy JPEG: pydicom's adapter of GDCM leaves it out."""

MEMORY_BYTES = 2**30
SECONDS = 4.0
PIXELS_PER_SECOND = 4e6
PATIENCE = 15.0
"""A busy machine may take this many times as long as the processor time that is allowed."""
START_SECONDS = 60.0
DAMAGE = re.compile(
    rb"premature end|bad Huffman|bad arithmetic|instead of RST|\d\d+ extraneous bytes",
    re.IGNORECASE,
)
"""Complaints of libjpeg after which pixels are wrong; a few extraneous bytes are only padding."""
START = (
    "import sys; sys.path[:] = {path}; from monai_gan_aug.io.dicom.isolation import serve_frames; "
    "serve_frames()"
)


class DecoderDied(RuntimeError):
    """The helper process crashed, or used up its time or memory, on a frame."""


def decode_apart(
    frame: bytes, syntax: str, plugin: str, options: Mapping[str, Any]
) -> npt.NDArray[np.generic]:
    """Decode one compressed frame in the helper process.

    Args:
        frame: The compressed bytes.
        syntax: Transfer syntax UID.
        plugin: Which of pydicom's plugins decodes, or ``GDCM_ITSELF``.
        options: Keyword arguments of ``pydicom.pixels.Decoder.as_array`` that say how the pixels
            lie; JSON-ready.

    Returns:
        Shape ``(H, W)`` or ``(H, W, 3)``.

    Raises:
        DecoderDied: If the helper process does not survive the frame.
        ValueError: If the decoder refuses it; the text names the type of its exception.
    """
    pixels = options["rows"] * options["columns"] * options["samples_per_pixel"]
    request = {
        "syntax": syntax,
        "plugin": plugin,
        "options": dict(options),
        "seconds": SECONDS + pixels / PIXELS_PER_SECOND,
    }
    answer, content = _HELPER.ask(request, frame)
    if "error" in answer:
        raise ValueError(f"The decoder refused the frame ({answer['error']}).")
    return np.frombuffer(content, answer["dtype"]).reshape(answer["shape"])


class _Helper:
    """The helper process of this process; started at the first frame, replaced when it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any], frame: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a frame; return what the helper says of it, and the decoded bytes."""
        with self._lock:
            process = self._started()
            patience = START_SECONDS + PATIENCE * request["seconds"]
            timer = threading.Timer(patience, process.kill)
            timer.daemon = True
            timer.start()
            try:
                return self._exchange(process, request, frame)
            except (OSError, EOFError) as error:
                self.stop()
                raise DecoderDied("The decoder crashed or took too long.") from error
            except BaseException:  # an interrupt in mid-answer must not leave half of it behind
                self.stop()
                raise
            finally:
                timer.cancel()

    @staticmethod
    def _exchange(
        process: "subprocess.Popen[bytes]", request: dict[str, Any], frame: bytes
    ) -> tuple[dict[str, Any], bytes]:
        if process.stdin is None or process.stdout is None:
            raise EOFError
        _send(process.stdin, request, frame)
        received = _receive(process.stdout)
        if received is None:
            raise EOFError
        return received

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                # isolated: neither the environment nor the working folder can lend it modules
                [sys.executable, "-I", "-c", START.format(path=ascii(sys.path))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the caller, who decides what ends
            )
        return self._process

    def stop(self) -> None:
        """End the helper process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        process.wait()

    def forget(self) -> None:
        """Leave the helper to the parent of a fork; this process starts its own."""
        self.__init__()  # type: ignore[misc]


def _send(stream: BinaryIO | Any, head: dict[str, Any], body: bytes) -> None:
    line = json.dumps({**head, "bytes": len(body)}).encode()
    stream.write(line + b"\n")
    stream.write(body)
    stream.flush()


def _receive(stream: BinaryIO | Any) -> tuple[dict[str, Any], bytes] | None:
    line = stream.readline()
    if not line:
        return None
    head = json.loads(line)
    body = stream.read(head["bytes"])
    if len(body) < head["bytes"]:
        return None
    return head, body


_HELPER = _Helper()
atexit.register(_HELPER.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_HELPER.forget)


def serve_frames() -> NoReturn:
    """Decode the frames that come through standard input until it ends; never returns."""
    out = os.fdopen(os.dup(1), "wb")
    said = os.memfd_create("said") if hasattr(os, "memfd_create") else _temporary_file()
    os.dup2(said, 1)  # native decoders print, and the answers must stay readable
    os.dup2(said, 2)
    _limit_memory()
    while (received := _receive(sys.stdin.buffer)) is not None:
        request, frame = received
        _limit_time(request["seconds"])
        try:
            pixels = np.ascontiguousarray(_decode(request, frame))
            _refuse_complaints(said)
        except Exception as error:
            _send(out, {"error": type(error).__name__}, b"")
        else:
            _send(out, {"dtype": pixels.dtype.str, "shape": pixels.shape}, pixels.tobytes())
        os.ftruncate(said, 0)
        os.lseek(said, 0, os.SEEK_SET)
    os._exit(0)  # no cleanup: a native decoder may have left the interpreter in any state


def _temporary_file() -> int:
    with tempfile.TemporaryFile() as stream:
        return os.dup(stream.fileno())


def _refuse_complaints(said: int) -> None:
    os.lseek(said, 0, os.SEEK_SET)
    if DAMAGE.search(os.read(said, 2**16)):
        raise ValueError("The data of the frame are damaged.")


def _limit_memory() -> None:
    if resource is not None and hasattr(resource, "RLIMIT_AS"):
        with suppress(OSError, ValueError):
            # the limit counts all that is mapped, so what the interpreter took comes on top
            with open("/proc/self/statm", "rb") as stream:  # noqa: PTH123
                used = int(stream.read().split()[0]) * resource.getpagesize()
            limit = used + MEMORY_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _limit_time(seconds: float) -> None:
    """Let the system end this process when it has used that much more processor time."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime + seconds) + 1
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _decode(request: dict[str, Any], frame: bytes) -> npt.NDArray[np.generic]:
    options = request["options"]
    if request["plugin"] == GDCM_ITSELF:
        return _decode_by_gdcm(frame, request["syntax"], options)
    from pydicom.encaps import encapsulate
    from pydicom.pixels.decoders.base import get_decoder

    pixels, _ = get_decoder(request["syntax"]).as_array(
        encapsulate([frame], has_bot=False), index=0, decoding_plugin=request["plugin"], **options
    )
    return pixels


def _decode_by_gdcm(
    frame: bytes, syntax: str, options: Mapping[str, Any]
) -> npt.NDArray[np.uint16]:
    """Grey values of 9 to 16 bits."""
    import gdcm  # type: ignore[import-untyped]

    rows, columns, stored = options["rows"], options["columns"], options["bits_stored"]
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType(options["photometric_interpretation"])
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, options["bits_allocated"], stored, stored - 1, 0))
    values = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), "<u2")
    return values.reshape(rows, columns)
