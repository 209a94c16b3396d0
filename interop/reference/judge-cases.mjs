// The runner of the conformance cases for the reference implementation, npm's `@relaycorp/veraid`: reads one input a line,
// as JSON, and prints one verdict a line. conformance/README.md describes both.
//
// The reference compares certificates with the present, whatever time it is asked about, so the clock is set to the time of
// each case. It knows VeraId alone, and member id bundles only as part of what signs with them.

import { createInterface } from 'node:readline';
import { setClock } from '../../fixtures/reference/clock.mjs';
import { SignatureBundle } from '@relaycorp/veraid';
// The library does not export what its own method takes.
import { DatePeriod } from '../../node_modules/@relaycorp/veraid/build/lib/lib/dates.js';
import { fromZoneFileLines, toArrayBuffer } from '../../fixtures/reference/trust-chain.mjs';

const octets = (base64) => toArrayBuffer(Buffer.from(base64, 'base64'));

async function judge(input) {
  if (input.kind !== 'signature-bundle') return { verdict: 'unsupported' };
  const [from, until] = [new Date(input.from), new Date(input.until)];
  setClock(input.from);
  try {
    const bundle = SignatureBundle.deserialise(octets(input.bundle));
    const content = input.content === undefined ? undefined : octets(input.content);
    const anchors = fromZoneFileLines(input.anchors.join('\n'));
    const result = await bundle.verify(content, input.service, DatePeriod.init(from, until), anchors);
    return {
      verdict: 'valid',
      organisation: result.member.organisation,
      user: result.member.user ?? null,
      signedBy: result.wasSignedByMember ? 'member' : 'organisation',
    };
  } catch (error) {
    const messages = [];
    for (let cause = error; cause; cause = cause.cause) messages.push(cause.message);
    return { verdict: 'invalid', reason: messages.join(': ').replaceAll(/\s+/g, ' ') };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await judge(JSON.parse(line))));
}
