// Asks a resolver as the reference does over HTTPS: with DO and CD set, the answer as it came. Over TCP, as here are no
// certificates.

import { connect } from 'node:net';
import { CHECKING_DISABLED, DNSSEC_OK, RECURSION_DESIRED, encode } from '@leichtgewicht/dns-packet';

const DNS_PORT = 53;

/** A resolver, as the reference takes one, that asks the server at `address`. */
export function resolverAt(address) {
  return (question) => {
    const query = encode({
      type: 'query',
      id: 0,
      flags: RECURSION_DESIRED | CHECKING_DISABLED,
      questions: [{ type: question.getTypeName(), name: question.name }],
      additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 4096, flags: DNSSEC_OK, options: [] }],
    });
    const prefix = Buffer.alloc(2);
    prefix.writeUInt16BE(query.length);
    return new Promise((fulfil, reject) => {
      const socket = connect(DNS_PORT, address, () => socket.write(Buffer.concat([prefix, query])));
      let received = Buffer.alloc(0);
      socket.setTimeout(5000, () => socket.destroy(new Error(`${address} does not answer`)));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`${address} closed the connection`)));
      socket.on('data', (data) => {
        received = Buffer.concat([received, data]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        fulfil(received.subarray(2, 2 + received.readUInt16BE(0)));
        socket.destroy();
      });
    });
  };
}
