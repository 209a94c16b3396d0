// Verifies bundles that `kliento` made with the reference implementation.
//
// usage: node read-ours.mjs TRUST-ANCHORS MANIFEST
//
// MANIFEST has a line for each bundle, of fields separated by tabs: label, file, service, organisation,
// user (`@` for a bot), who signed (`member` or `organisation`), content file, `attached` or `detached`.

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { SignatureBundle } from '@relaycorp/veraid';
import { KLIENTO_SERVICE, fromZoneFileLines, toArrayBuffer } from '../../fixtures/reference/trust-chain.mjs';
import { expectFields, report } from '../lib/report.mjs';

const [anchorsFile, manifestFile] = process.argv.slice(2);
const trustAnchors = fromZoneFileLines(readFileSync(anchorsFile, 'utf8'));

function expectContent(plaintext, contentFile, service) {
  const found = Buffer.from(plaintext);
  const wanted = readFileSync(contentFile);
  const isSame =
    service === KLIENTO_SERVICE
      ? isDeepStrictEqual(JSON.parse(found.toString()), JSON.parse(wanted.toString()))
      : found.equals(wanted);
  if (!isSame) throw new Error(`content: expected ${wanted}, got ${found}`);
}

const lines = readFileSync(manifestFile, 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
  const [label, file, service, organisation, user, signedBy, contentFile, encapsulation] = line.split('\t');
  await report(label, async () => {
    const bundle = SignatureBundle.deserialise(toArrayBuffer(readFileSync(file)));
    const detached = encapsulation === 'detached' ? toArrayBuffer(readFileSync(contentFile)) : undefined;
    const result = await bundle.verify(detached, service, new Date(), trustAnchors);
    expectFields(
      { ...result.member, wasSignedByMember: result.wasSignedByMember },
      {
        organisation,
        user: user === '@' ? undefined : user,
        wasSignedByMember: signedBy === 'member',
      },
    );
    expectContent(result.plaintext, contentFile, service);
  });
}
