"""A Nanomsg peer, for tests: nanomsg_peer.py pair|sub bind|connect ADDRESS

Lines on standard input: `=BASE64` is sent as one message; `stop-reading` and `go-on` are about what comes; end of file is the end.
Lines on standard output: `ready`; `=BASE64` for each message that came; `failed` for one that could not be sent."""
import base64
import ctypes
import ctypes.util
import os
import select
import sys

nn = ctypes.CDLL(ctypes.util.find_library('nanomsg'), use_errno=True)
AF_SP, NN_PAIR, NN_SUB, NN_SUB_SUBSCRIBE, NN_SOL_SOCKET, NN_RCVFD, NN_RCVMAXSIZE, NN_DONTWAIT = 1, 16, 33, 1, 0, 11, 16, 1
NN_MSG = ctypes.c_size_t(-1)


def say(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def receive(sock):
    message = ctypes.c_void_p()
    size = nn.nn_recv(sock, ctypes.byref(message), NN_MSG, NN_DONTWAIT)
    if size < 0:
        return False
    say('=' + base64.b64encode(ctypes.string_at(message, size)).decode())
    nn.nn_freemsg(message)
    return True


def main():
    kind, mode, address = sys.argv[1:]
    sock = nn.nn_socket(AF_SP, NN_PAIR if kind == 'pair' else NN_SUB)
    most = ctypes.c_int(64 << 20)
    nn.nn_setsockopt(sock, NN_SOL_SOCKET, NN_RCVMAXSIZE, ctypes.byref(most), ctypes.c_size_t(4))
    if kind == 'sub':
        nn.nn_setsockopt(sock, NN_SUB, NN_SUB_SUBSCRIBE, b'', ctypes.c_size_t(0))
    if (nn.nn_connect if mode == 'connect' else nn.nn_bind)(sock, address.encode()) < 0:
        sys.exit('the address can not be used')
    fd, size = ctypes.c_int(), ctypes.c_size_t(4)
    nn.nn_getsockopt(sock, NN_SOL_SOCKET, NN_RCVFD, ctypes.byref(fd), ctypes.byref(size))
    say('ready')
    reading, pending = True, b''
    while True:
        ready = select.select([0] + ([fd.value] if reading else []), [], [])[0]
        if fd.value in ready:
            while receive(sock):
                pass
        if 0 not in ready:
            continue
        got = os.read(0, 1 << 20)
        if not got:
            nn.nn_close(sock)
            return
        *lines, pending = (pending + got).split(b'\n')
        for line in lines:
            if line in (b'stop-reading', b'go-on'):
                reading = line == b'go-on'
                continue
            payload = base64.b64decode(line[1:])
            if nn.nn_send(sock, payload, ctypes.c_size_t(len(payload)), 0) < 0:
                say('failed')


main()
