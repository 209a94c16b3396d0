// Compares the size of chains that `kliento dnssec retrieve` made with the reference's for the same zones.
//
// usage: node compare-chains.mjs RESOLVER-ADDRESS TRUST-ANCHORS DIRECTORY…
//
// Each directory is named after an organisation's domain and has our chain in the file `chain`.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { VeraidDnssecChain } from '@relaycorp/veraid';
import { fromZoneFileLines } from '../../fixtures/reference/trust-chain.mjs';
import { report } from '../lib/report.mjs';
import { resolverAt } from './resolver.mjs';

const [address, anchorsFile, ...directories] = process.argv.slice(2);
const trustAnchors = fromZoneFileLines(readFileSync(anchorsFile, 'utf8'));
const resolver = resolverAt(address);

for (const directory of directories) {
  const domain = basename(directory);
  await report(`our chain for ${domain} is no larger than the reference’s`, async () => {
    const theirs = await VeraidDnssecChain.retrieve(domain, { resolver, trustAnchors });
    const [ourSize, theirSize] = [readFileSync(join(directory, 'chain')).length, theirs.serialise().byteLength];
    if (ourSize > theirSize) throw new Error(`${ourSize} octets, theirs ${theirSize}`);
    return `${ourSize} octets, theirs ${theirSize}`;
  });
}
