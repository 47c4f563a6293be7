"""A client of the Unix sockets transport, for tests: unix_peer.py seqpacket|dgram PATH [OWN_PATH]

Lines on standard input: `=BASE64` is sent as one packet; `stop-reading` and `go-on` are about what comes; end of file is the end.
Lines on standard output: `ready`; `=BASE64` for each packet that came; `failed ERRNO` for one that could not be sent; `end`."""
import base64
import os
import select
import socket
import sys


def main():
    kind, path = sys.argv[1], sys.argv[2]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET if kind == 'seqpacket' else socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    if len(sys.argv) > 3:
        sock.bind(sys.argv[3])
    if kind == 'seqpacket':
        sock.connect(path)
    say('ready')
    reading, pending = True, b''
    while True:
        ready = select.select([0] + ([sock] if reading else []), [], [])[0]
        if sock in ready:
            packet = sock.recv(4 << 20)
            if not packet and kind == 'seqpacket':
                say('end')
                return
            say('=' + base64.b64encode(packet).decode())
        if 0 in ready:
            got = os.read(0, 1 << 20)
            if not got:
                return
            *lines, pending = (pending + got).split(b'\n')
            for line in lines:
                if line == b'stop-reading':
                    reading = False
                elif line == b'go-on':
                    reading = True
                else:
                    send(sock, None if kind == 'seqpacket' else path, base64.b64decode(line[1:]))


def send(sock, path, packet):
    try:
        sock.send(packet) if path is None else sock.sendto(packet, path)
    except OSError as error:
        say(f'failed {error.errno}')


def say(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


main()
