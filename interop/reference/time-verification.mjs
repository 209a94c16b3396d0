// Times the reference implementation verifying tokens, from the `Authorization` value to identity and claims.
//
// usage: node time-verification.mjs DIRECTORY NAME...
//
// DIRECTORY has trust anchors in the file `anchors`, and an `Authorization` value in each file NAME. Prints a JSON object
// with the medians in nanoseconds, by name, and what was timed. It asks for the present, since certificates are held
// against that in any case.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignatureBundle } from '@relaycorp/veraid';
import { KLIENTO_SERVICE, fromZoneFileLines, toArrayBuffer } from '../../fixtures/reference/trust-chain.mjs';

// Until the code is compiled as well as it will be.
const WARM_UP_MS = 1_500;
const MEASUREMENT_MS = 4_000;

const [directory, ...names] = process.argv.slice(2);
const read = (name) => readFileSync(join(directory, name), 'utf8');
const trustAnchors = fromZoneFileLines(read('anchors'));

async function verify(authorization) {
  const bundle = SignatureBundle.deserialise(toArrayBuffer(Buffer.from(authorization.split(' ')[1], 'base64')));
  const { member, plaintext } = await bundle.verify(undefined, KLIENTO_SERVICE, new Date(), trustAnchors);
  return { member, ...JSON.parse(Buffer.from(plaintext).toString()) };
}

const cases = names.map((name) => ({ name, authorization: read(name), times: [] }));
for (const { name, authorization } of cases) {
  const { member, claims } = await verify(authorization);
  if (member.organisation !== 'example.com' || claims.role !== 'admin') throw new Error(`${name}: ${member}`);
}

/** Lets the cases take turns for a while. */
async function run(milliseconds) {
  for (const measured of cases) measured.times = [];
  const end = performance.now() + milliseconds * cases.length;
  while (performance.now() < end) {
    for (const { authorization, times } of cases) {
      const start = process.hrtime.bigint();
      await verify(authorization);
      times.push(Number(process.hrtime.bigint() - start));
    }
  }
}

await run(WARM_UP_MS);
await run(MEASUREMENT_MS);

const median = (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
const { version } = JSON.parse(
  readFileSync(new URL('../../node_modules/@relaycorp/veraid/package.json', import.meta.url), 'utf8'),
);
const medians = Object.fromEntries(cases.map(({ name, times }) => [name, median(times)]));
const versions = { '@relaycorp/veraid': version, 'Node.js': process.version };
console.log(JSON.stringify({ medians, versions }));
