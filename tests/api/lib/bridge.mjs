// A client of the Janus API over what Node has no library for: a program speaks it and is spoken to in lines, of base64 both ways.
// It looks like a WebSocket to the client of client.mjs, so all that is written for that one works.
//
//   const client = await bridge(['python3', 'unix_peer.py', 'seqpacket', path]);
//   await client.request({ janus: 'ping' });
//   client.socket.say('stop-reading');                       a word to the program itself

import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Client } from './client.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

class BridgeSocket extends EventEmitter {
  constructor(child) {
    super();
    this.child = child;
    this.words = [];                     /* what the program said that is no text: [word, rest] */
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.startsWith('=')) {
        this.emit('message', Buffer.from(line.slice(1), 'base64'));
        return;
      }
      const [word, ...rest] = line.split(' ');
      this.words.push([word, rest.join(' ')]);
      this.emit('word', word, rest.join(' '));
    });
    child.once('exit', (code, signal) => { running.delete(child); this.emit('close', code ?? signal, ''); });
    child.stdin.on('error', () => {});
  }

  say(line) {
    this.child.stdin.write(`${line}\n`);
  }

  send(data) {
    this.say(`=${Buffer.from(data).toString('base64')}`);
  }

  close() {
    this.child.stdin.end();
  }

  terminate() {
    this.child.ref();                    /* who waits for its end shall see it */
    this.child.kill('SIGKILL');
  }
}

/* The command's program lies in this folder. Ready once it says so. */
export function bridge([program, script, ...args]) {
  const child = spawn(program, [join(HERE, script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  running.add(child);
  const socket = new BridgeSocket(child);
  const client = new Client(socket);
  return new Promise((done, fail) => {
    socket.on('word', word => { if (word === 'ready') { child.unref(); done(client); } });
    child.once('error', fail);
    child.once('exit', code => fail(new Error(`${script} has ended (${code}) before it was ready`)));
  });
}
