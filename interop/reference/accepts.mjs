// Says of domains whether the reference accepts the record that they publish for a key.
//
// usage: node accepts.mjs RESOLVER-ADDRESS TRUST-ANCHORS RECORD < DOMAINS
//
// RECORD is the text of the key's TXT record. Prints a line for each domain: the domain, `accepted` or `refused`, and
// why, separated by tabs.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { VeraidDnssecChain } from '@relaycorp/veraid';
// The library does not export what its own method takes.
import { DatePeriod } from '../../node_modules/@relaycorp/veraid/build/lib/lib/dates.js';
import { fromZoneFileLines } from '../../fixtures/reference/trust-chain.mjs';
import { resolverAt } from './resolver.mjs';

const [address, anchorsFile, record] = process.argv.slice(2);
const trustAnchors = fromZoneFileLines(readFileSync(anchorsFile, 'utf8'));
const [keyAlgorithm, keyId] = record.split(' ');
const KLIENTO_SERVICE = '1.3.6.1.4.1.58708.3.0';

for await (const domain of createInterface({ input: process.stdin })) {
  try {
    const chain = await VeraidDnssecChain.retrieve(domain, { resolver: resolverAt(address), trustAnchors });
    const now = new Date();
    const period = DatePeriod.init(now, now);
    await chain.verify({ keyAlgorithm: Number(keyAlgorithm), keyId }, KLIENTO_SERVICE, period, trustAnchors);
    console.log(`${domain}\taccepted\t`);
  } catch (error) {
    const messages = [];
    for (let cause = error; cause; cause = cause.cause) messages.push(cause.message);
    console.log(`${domain}\trefused\t${messages.join(': ').replaceAll(/\s/g, ' ')}`);
  }
}
