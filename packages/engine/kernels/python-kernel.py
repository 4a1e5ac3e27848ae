"""The Jupyter kernel that python.py starts, with three changes.

- It takes what its forked children write over a UNIX socket instead of a TCP port: gVisor writes no
  memory of sandboxes whose processes listen on one.
- Code that writes faster than python.py hands on waits, and nothing of it is dropped: the file `taken`
  tells how many characters were handed on.
- Text that is not valid Unicode is sent, too.

Given to `python3 -c` with `-f` and the path of the connection file, whose directory has that file.
"""

import json
import os
import struct
import sys
import time

del sys.path[0]

import zmq
from ipykernel import kernelapp
from ipykernel.iostream import IOPubThread, OutStream
from jupyter_client import session
from zmq.eventloop.zmqstream import ZMQStream

DIRECTORY = os.path.dirname(sys.argv[2])
# Code may be so many characters ahead. When nothing is handed on for so long, it does not wait.
AHEAD = 4 * 1024 * 1024
PATIENCE_SECONDS = 5


def setup_pipe_in(self):
    self._pipe_uuid = os.urandom(16)
    self._pipe_name = f"ipc://{DIRECTORY}/children"
    socket = self.socket.context.socket(zmq.PULL)
    socket.linger = 0
    socket.bind(self._pipe_name)
    self._pipe_in = ZMQStream(socket, self.io_loop)
    self._pipe_in.on_recv(self._handle_pipe_msg)


def setup_pipe_out(self):
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.linger = 3000
    socket.connect(self._pipe_name)
    return context, socket


IOPubThread._setup_pipe_in = setup_pipe_in
IOPubThread._setup_pipe_out = setup_pipe_out


class Ahead:
    """How far code is ahead of what has been handed on."""

    def __init__(self):
        self.sent = self.taken = 0
        self.file = os.open(f"{DIRECTORY}/taken", os.O_RDONLY | os.O_CLOEXEC)

    def is_too_far(self):
        if self.sent - self.taken > AHEAD:
            (self.taken,) = struct.unpack("<q", os.pread(self.file, 8, 0))
        return self.sent - self.taken > AHEAD

    def add(self, stream, count):
        self.sent += count
        if not self.is_too_far():
            return
        stream.flush()
        taken, until = self.taken, time.monotonic() + PATIENCE_SECONDS
        while self.is_too_far() and time.monotonic() < until:
            time.sleep(0.002)
            if self.taken != taken:
                taken, until = self.taken, time.monotonic() + PATIENCE_SECONDS
        if self.is_too_far():
            self.sent = self.taken


ahead = Ahead()
write_at_once = OutStream.write


def write(self, string):
    count = write_at_once(self, string)
    ahead.add(self, len(string))
    return count


OutStream.write = write

init_iopub = kernelapp.IPKernelApp.init_iopub


def init_iopub_without_limit(self, context):
    context.sndhwm = 0
    return init_iopub(self, context)


kernelapp.IPKernelApp.init_iopub = init_iopub_without_limit


def pack(content):
    try:
        return session.json_packer(content)
    except UnicodeEncodeError:
        return json.dumps(content, default=session.json_default).encode()


kernelapp.launch_new_instance()
