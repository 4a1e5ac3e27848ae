"""Runs the code of one context on a Jupyter kernel; see src/code/kernel-protocol.ts for the protocol.

Given to `python3 -c` with two arguments: the mark of its frames, and the program of the kernel.
"""

import sys

# Modules in the working directory are for the code, not for this program.
sys.path[:] = [path for path in sys.path if path]

import array
import contextlib
import ctypes
import fcntl
import json
import os
import queue
import select
import shutil
import signal
import site
import struct
import subprocess
import tempfile
import termios
import threading
import time

MARK, KERNEL = sys.argv[1:3]
BUNDLE_BYTES = 10 * 1024 * 1024
# Messages of a run may come after its reply; this long after the last one none is expected. Nor is
# a reply, where an interrupt has hit what surrounds the code.
QUIET_SECONDS = 2.0
# A child that never stops writing does not keep a run from its end.
DRAIN_SECONDS = 2.0

# Most characters of a name, a message and a traceback, and most forms of a result.
NAME_LENGTH = 200
TEXT_LENGTH = 65536
TRACEBACK_LENGTH = 256 * 1024
FORMS = 64

# Runs in the kernel before any code: data frames have JSON beside text and HTML.
PREPARE = """
def _prepare():
    import json
    def frame_to_json(frame):
        shown = json.loads(frame.head(1000).to_json(orient="split", date_format="iso"))
        return {**shown, "shape": list(frame.shape)}
    formatter = get_ipython().display_formatter.formatters["application/json"]
    formatter.for_type_by_name("pandas.core.frame", "DataFrame", frame_to_json)
_prepare()
del _prepare
"""


def write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


# Held while something is written, so that nothing gets into a frame.
lock = threading.Lock()


def frame(descriptor, content):
    text = json.dumps(content, allow_nan=False).encode()
    with lock:
        write(descriptor, b"\0" + MARK.encode() + text + b"\0")


class Pump:
    """Hands on what the kernel and its children write to a descriptor of their own."""

    def __init__(self, target):
        self.target = target
        self.source, self.end = os.pipe()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            select.select([self.source], [], [])
            with lock:
                data = os.read(self.source, 65536)
                write(self.target, data)
            if not data:
                return

    def drain(self):
        """Waits until what was written so far has been handed on."""
        count = array.array("i", [0])
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until:
            with lock:
                fcntl.ioctl(self.source, termios.FIONREAD, count)
            if count[0] == 0:
                return
            time.sleep(0.001)


def to_text(mime, value):
    """Every type of a bundle is text: binary ones are base64 already, JSON is written as JSON."""
    if isinstance(value, str) and not mime.endswith("json"):
        return value
    return json.dumps(value)


def to_bundle(data):
    """The forms of a result as texts, and the names of those that are left out."""
    bundle, left_out, room = {}, [], BUNDLE_BYTES
    for mime, value in data.items():
        text = to_text(mime, value)
        size = len(text.encode("utf-8", "replace"))
        if size <= room and len(mime) <= NAME_LENGTH and len(bundle) < FORMS:
            bundle[mime] = text
            room -= size
        elif len(left_out) < FORMS:
            left_out.append(mime[:NAME_LENGTH])
    return bundle, left_out


libc = ctypes.CDLL(None)


def die_with_parent():
    libc.prctl(1, signal.SIGKILL)


class Kernel:
    """A Jupyter kernel, and the client of it."""

    def __init__(self):
        from jupyter_client.blocking import BlockingKernelClient
        from jupyter_client.connect import write_connection_file

        self.directory = tempfile.mkdtemp(prefix="sandport-kernel-")
        connection = os.path.join(self.directory, "connection.json")
        sockets = os.path.join(self.directory, "socket")
        write_connection_file(connection, ip=sockets, transport="ipc", key=b"")
        self.taken_file = os.open(
            os.path.join(self.directory, "taken"), os.O_RDWR | os.O_CREAT, 0o600
        )
        self.taken = 0
        self.took(0)
        # True while the code of a run can be interrupted, and when it is to be as soon as it can.
        self.started = self.interrupted = False
        # Where pip of a user without rights puts packages: looked at only if it is there at the start.
        if site.ENABLE_USER_SITE:
            with contextlib.suppress(OSError):
                os.makedirs(site.getusersitepackages(), exist_ok=True)
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
        self.pumps = (Pump(1), Pump(2))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", KERNEL, "-f", connection),
                "--HistoryManager.enabled=False",
                "--IPKernelApp.capture_fd_output=False",
                "--InteractiveShell.colors=NoColor",
                "--Session.packer=__main__.pack",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.pumps[0].end,
            stderr=self.pumps[1].end,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self.client = BlockingKernelClient(connection_file=connection)
        self.client.load_connection_file()
        self.client.context.rcvhwm = 0
        self.client.start_channels(hb=False, stdin=False, control=False)

    def took(self, count):
        """Tells the kernel that so many characters more have been handed on."""
        self.taken += count
        os.pwrite(self.taken_file, struct.pack("<q", self.taken), 0)

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def interrupt(self):
        """The kernel takes no notice of a signal before it has begun with the code."""
        if self.started:
            self.signal(signal.SIGINT)
        else:
            self.interrupted = True

    def start(self):
        self.started = True
        if self.interrupted:
            self.signal(signal.SIGINT)

    def ready(self):
        """Waits until the kernel answers, and what it publishes arrives."""
        while self.process.poll() is None:
            self.reply_to(self.client.kernel_info())
            try:
                self.client.get_iopub_msg(timeout=0.2)
                break
            except queue.Empty:
                pass
        if self.run(PREPARE, lambda *_: None, silent=True) is None:
            raise SystemExit("the kernel ended before it was ready")

    def run(self, code, on_message, silent=False):
        """Gives the reply; None when the kernel ended."""
        client = self.client
        parent = client.execute(code, silent=silent, allow_stdin=False, stop_on_error=False)
        reply, idle, last = None, False, time.monotonic()
        while not (reply and (idle or time.monotonic() - last > QUIET_SECONDS)):
            try:
                message = client.get_iopub_msg(timeout=0.1 if reply is None else 0.5)
                if message["parent_header"].get("msg_id") == parent:
                    last = time.monotonic()
                    kind, content = message["msg_type"], message["content"]
                    if kind == "execute_input":
                        self.start()
                    idle = kind == "status" and content["execution_state"] == "idle"
                    on_message(kind, content)
            except queue.Empty:
                if self.process.poll() is not None:
                    return None
            if reply is None and (idle or client.shell_channel.socket.EVENTS & 1):
                reply = self.reply_to(
                    parent, until=time.monotonic() + QUIET_SECONDS if idle else None
                )
                if reply is None:
                    return None
        return reply

    def reply_to(self, parent, until=None):
        """Gives the reply; None when the kernel ended. One that does not come was `aborted`."""
        while until is None or time.monotonic() < until:
            try:
                message = self.client.get_shell_msg(timeout=0.5)
            except queue.Empty:
                if self.process.poll() is not None:
                    return None
                continue
            if message["parent_header"].get("msg_id") == parent:
                return message["content"]
        return {"status": "aborted"}

    def end(self):
        self.signal(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)


def error_frame(content):
    """Of what the kernel tells of an error; a long traceback loses its middle."""
    lines = [line[:TEXT_LENGTH] for line in content.get("traceback") or []]
    if sum(len(line) for line in lines) > TRACEBACK_LENGTH or len(lines) > 200:
        half = TRACEBACK_LENGTH // TEXT_LENGTH // 2
        lines = [*lines[:half], "...", *lines[-half:]]
    return {
        "type": "error",
        "name": (content.get("ename") or "Interrupted")[:NAME_LENGTH],
        "value": (content.get("evalue") or "")[:TEXT_LENGTH],
        "traceback": lines,
    }


class Run:
    """What the kernel publishes in one run, handed on."""

    def __init__(self, kernel):
        self.kernel = kernel
        # Tracebacks of values that could not be shown: the code goes on after them.
        self.complaints = []

    def take(self, kind, content):
        if kind == "stream":
            text = content["text"]
            self.write(2 if content["name"] == "stderr" else 1, text)
            self.kernel.took(len(text))
        elif kind in ("execute_result", "display_data", "update_display_data"):
            bundle, left_out = to_bundle(content["data"])
            frame(1, {"type": "result", "data": bundle, "left_out": left_out})
        elif kind == "error":
            self.complaints.append(content)

    def write(self, descriptor, text):
        with lock:
            write(descriptor, text.encode("utf-8", "replace"))

    def complain(self):
        for content in self.complaints:
            self.write(2, "\n".join(error_frame(content)["traceback"]) + "\n")


def run(kernel, name, code):
    """False when the kernel ended."""
    kernel.started = kernel.interrupted = False
    for descriptor in (1, 2):
        frame(descriptor, {"type": "begin", "run": name})
    seen = Run(kernel)
    reply = kernel.run(code, seen.take)
    for pump in kernel.pumps:
        pump.drain()
    if reply is None:
        return False
    failed = reply["status"] != "ok"
    if failed:
        frame(1, error_frame(reply))
    else:
        seen.complain()
    end = {"type": "end", "run": name, "exit": 1 if failed else 0}
    frame(1, {**end, "count": reply.get("execution_count")})
    frame(2, end)
    return True


def read_messages(messages):
    held = b""
    while True:
        data = os.read(0, 65536)
        if not data:
            for _ in ("name", "code"):
                messages.put(None)
            return
        *whole, held = (held + data).split(b"\0")
        for message in whole:
            messages.put(message.decode("utf-8", "replace"))


def main():
    try:
        import ipykernel  # noqa: F401
        import jupyter_client  # noqa: F401
    except ImportError as error:
        frame(
            1, {"type": "unavailable", "missing": "python3-" + (error.name or "").replace("_", "-")}
        )
        return 1
    kernel = Kernel()
    signal.signal(signal.SIGINT, lambda *_: kernel.interrupt())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        kernel.ready()
        frame(1, {"type": "ready"})
        messages = queue.Queue()
        threading.Thread(target=read_messages, args=(messages,), daemon=True).start()
        while True:
            name, code = messages.get(), messages.get()
            if name is None or code is None:
                return 0
            if not run(kernel, name, code):
                code = kernel.process.wait()
                return code if code >= 0 else 128 - code
    finally:
        kernel.end()


try:
    status = main()
except SystemExit as end:
    status = end.code
if not isinstance(status, int):
    print(status, file=sys.stderr, flush=True)
    status = 1
# At once: sockets that are still open may hold a program that ends as others do.
os._exit(status)
