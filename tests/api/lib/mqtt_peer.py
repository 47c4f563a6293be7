"""A client that drives the server through an MQTT broker, for tests: mqtt_peer.py PORT VERSION REQUESTS REPLIES [MORE_TOPICS...]

Lines on standard input: `=BASE64` is published to REQUESTS; `publish TOPIC BASE64 PROPERTIES` is one with the MQTT 5 properties of a JSON
object (response, correlation, user: [[name, value]...]) or `null`; end of file is the end.
Lines on standard output: `ready`; for each message `on TOPIC PROPERTIES` (JSON; retain is in it), then `=BASE64`."""
import base64
import json
import os
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

lock = threading.Lock()


def say(line):
    with lock:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()


def on_message(client, owner, message):
    p = getattr(message, 'properties', None)
    told = {'retain': bool(message.retain), 'qos': message.qos}
    if p is not None and hasattr(p, 'CorrelationData'):
        told['correlation'] = p.CorrelationData.decode()
    if p is not None and hasattr(p, 'UserProperty'):
        told['user'] = p.UserProperty
    with lock:
        sys.stdout.write(f'on {message.topic} {json.dumps(told)}\n={base64.b64encode(message.payload).decode()}\n')
        sys.stdout.flush()


def properties_of(told):
    if told is None:
        return None
    p = Properties(PacketTypes.PUBLISH)
    if 'response' in told:
        p.ResponseTopic = told['response']
    if 'correlation' in told:
        p.CorrelationData = told['correlation'].encode()
    if 'user' in told:
        p.UserProperty = [tuple(pair) for pair in told['user']]
    return p


def main():
    port, version, requests, *topics = sys.argv[1:]
    protocol = mqtt.MQTTv5 if version == '5' else mqtt.MQTTv311
    args = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, 'CallbackAPIVersion') else []
    # What is meant for it while it is away is kept by the broker.
    kept = {} if version == '5' else {'clean_session': False}
    client = mqtt.Client(*args, client_id=f'peer-{os.getpid()}', protocol=protocol, **kept)
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(1000)
    pending = set(topics)
    done = threading.Event()

    def on_connect(*_):
        for topic in topics:
            client.subscribe(topic, 1)

    def on_subscribe(*_):
        if pending:
            pending.pop()
        if not pending and not done.is_set():
            done.set()
            say('ready')

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.reconnect_delay_set(1, 1)
    client.connect('127.0.0.1', int(port))
    client.loop_start()
    for line in sys.stdin:
        line = line.rstrip('\n')
        if line.startswith('='):
            client.publish(requests, base64.b64decode(line[1:]), 1)
        else:
            _, topic, payload, told = line.split(' ', 3)
            client.publish(topic, base64.b64decode(payload), 1, properties=properties_of(json.loads(told)))
    client.disconnect()
    client.loop_stop()


main()
