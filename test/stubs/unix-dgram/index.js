'use strict';

exports.createSocket = () => {
  throw new Error('Unix datagram sockets are not installed for the tests (test/stubs/unix-dgram)');
};
