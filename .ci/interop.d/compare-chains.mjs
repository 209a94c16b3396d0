// Compares the size of chains that `kliento dnssec retrieve` made with the reference's for the same zones.
//
// usage: node compare-chains.mjs RESOLVER-ADDRESS TRUST-ANCHORS DIRECTORY…
//
// Each directory is named after an organisation's domain and has our chain in the file `chain`.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { CHECKING_DISABLED, DNSSEC_OK, RECURSION_DESIRED, encode } from '@leichtgewicht/dns-packet';
import { VeraidDnssecChain } from '@relaycorp/veraid';
import { fromZoneFileLines } from '../../fixtures/reference/trust-chain.mjs';
import { report } from './report.mjs';

const [address, anchorsFile, ...directories] = process.argv.slice(2);
const trustAnchors = fromZoneFileLines(readFileSync(anchorsFile, 'utf8'));
const DNS_PORT = 53;

/** Asks the resolver as the reference does over HTTPS: with DO and CD set, the answer as it came. */
function resolve(question) {
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
}

for (const directory of directories) {
  const domain = basename(directory);
  await report(`our chain for ${domain} is no larger than the reference’s`, async () => {
    const theirs = await VeraidDnssecChain.retrieve(domain, { resolver: resolve, trustAnchors });
    const [ourSize, theirSize] = [readFileSync(join(directory, 'chain')).length, theirs.serialise().byteLength];
    if (ourSize > theirSize) throw new Error(`${ourSize} octets, theirs ${theirSize}`);
    return `${ourSize} octets, theirs ${theirSize}`;
  });
}
