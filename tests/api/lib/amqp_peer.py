"""A client that drives the server through a RabbitMQ broker, for tests: amqp_peer.py PORT EXCHANGE KEY QUEUE [BINDING]

EXCHANGE is `-` for the default one. QUEUE is what is read: it is declared, and bound to EXCHANGE by BINDING if that is given.
Lines on standard input: `=BASE64` is published with KEY; `publish CORRELATION BASE64` has a correlation id, too; end of file is the end.
Lines on standard output: `ready`; for each message `on ROUTING_KEY PROPERTIES` (JSON), then `=BASE64`; `lost` and `ready` when the broker
has gone and is back."""
import base64
import json
import os
import select
import sys
import time

import pika


def say(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


def on_message(channel, method, properties, body):
    told = {'correlation': properties.correlation_id, 'reply_to': properties.reply_to, 'type': properties.content_type}
    say(f'on {method.routing_key} {json.dumps(told)}\n={base64.b64encode(body).decode()}')


def connect(port, exchange, queue, binding):
    while True:
        try:
            connection = pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', port, heartbeat=0))
            break
        except Exception:
            time.sleep(0.1)
    channel = connection.channel()
    channel.queue_declare(queue)
    if binding:
        channel.exchange_declare(exchange, 'topic')
        channel.queue_bind(queue, exchange, binding)
    channel.basic_consume(queue, on_message, auto_ack=True)
    say('ready')
    return connection, channel


def main():
    port, exchange, key, queue = sys.argv[1:5]
    binding = sys.argv[5] if len(sys.argv) > 5 else None
    exchange = '' if exchange == '-' else exchange
    connection, channel = connect(int(port), exchange, queue, binding)
    pending = b''
    while True:
        try:
            connection.process_data_events(0.01)
            if not select.select([0], [], [], 0)[0]:
                continue
            got = os.read(0, 1 << 20)
            if not got:
                connection.close()
                return
            *lines, pending = (pending + got).split(b'\n')
            for line in lines:
                correlation = None
                if not line.startswith(b'='):
                    _, correlation, line = line.decode().split(' ')
                    line = b'=' + line.encode()
                channel.basic_publish(exchange, key, base64.b64decode(line[1:]), pika.BasicProperties(correlation_id=correlation))
        except pika.exceptions.AMQPError:
            say('lost')
            connection, channel = connect(int(port), exchange, queue, binding)


main()
