// The runner of the conformance cases for the reference implementation, npm's `@relaycorp/veraid`: reads one input a line,
// as JSON, and prints one verdict a line. conformance/README.md describes both.
//
// The reference compares certificates with the present, whatever time it is asked about, so the clock is set to the time of
// each case. It knows VeraId alone, and member id bundles only as part of what signs with them. Its DNSSEC library proves
// RRsets, and neither their absence nor what wildcards make.

import { createInterface } from 'node:readline';
import { setClock } from '../../fixtures/reference/clock.mjs';
import { Message, Question, SecurityStatus, dnssecLookUp } from '@relaycorp/dnssec';
import { SignatureBundle } from '@relaycorp/veraid';
// The library does not export what its own methods take.
import { DatePeriod } from '../../node_modules/@relaycorp/veraid/build/lib/lib/dates.js';
import { makeDnssecOfflineResolver } from '../../node_modules/@relaycorp/veraid/build/lib/lib/dns/offlineDnsResolver.js';
import { fromZoneFileLines, toArrayBuffer } from '../../fixtures/reference/trust-chain.mjs';

const octets = (base64) => toArrayBuffer(Buffer.from(base64, 'base64'));

/** NS, CNAME, PTR and DNAME: their data are a name. The cases prove no others of RFC 4034, section 6.2. */
const TYPES_OF_A_NAME = [2, 5, 12, 39];

const JUDGES = { 'signature-bundle': signatureBundle, chain };

async function judge(input) {
  const judgeInput = JUDGES[input.kind];
  if (judgeInput === undefined) return { verdict: 'unsupported' };
  const anchors = fromZoneFileLines(input.anchors.join('\n'));
  const [from, until] = [new Date(input.from), new Date(input.until)];
  setClock(input.from);
  try {
    return await judgeInput(input, anchors, from, until);
  } catch (error) {
    const messages = [];
    for (let cause = error; cause; cause = cause.cause) messages.push(cause.message);
    return { verdict: 'invalid', reason: messages.join(': ').replaceAll(/\s+/g, ' ') };
  }
}

async function signatureBundle(input, anchors, from, until) {
  const bundle = SignatureBundle.deserialise(octets(input.bundle));
  const content = input.content === undefined ? undefined : octets(input.content);
  const result = await bundle.verify(content, input.service, DatePeriod.init(from, until), anchors);
  return {
    verdict: 'valid',
    organisation: result.member.organisation,
    user: result.member.user ?? null,
    signedBy: result.wasSignedByMember ? 'member' : 'organisation',
  };
}

async function chain(input, anchors, from, until) {
  const messages = [...elements(Buffer.from(input.chain, 'base64'))].map((message) => Message.deserialise(message));
  const type = input.type.startsWith('TYPE') ? Number(input.type.slice('TYPE'.length)) : input.type;
  const result = await dnssecLookUp(new Question(input.name, type), makeDnssecOfflineResolver(messages), {
    dateOrPeriod: DatePeriod.init(from, until),
    trustAnchors: anchors,
  });
  if (result.status === SecurityStatus.SECURE) return { verdict: 'proven', records: canonicalRecords(result.result) };
  if (result.status === SecurityStatus.INSECURE) return { verdict: 'insecure' };
  return { verdict: 'invalid', reason: result.reasonChain.join(': ').replaceAll(/\s+/g, ' ') };
}

/**
 * The data of an RRset's records in canonical form and order (RFC 4034, sections 6.2 and 6.3). The library leaves names in
 * the case that they have on the wire.
 */
function canonicalRecords({ type, records }) {
  const rdata = records.map(({ dataSerialised }) => Buffer.from(dataSerialised));
  if (TYPES_OF_A_NAME.includes(type)) {
    // A length octet is less than any letter.
    rdata.forEach((name) => name.forEach((octet, at) => (name[at] = 0x41 <= octet && octet <= 0x5a ? octet + 0x20 : octet)));
  }
  return [...new Set(rdata.sort(Buffer.compare).map((octets) => octets.toString('base64')))];
}

/** The content of each OCTET STRING of a SET OF OCTET STRING in DER. */
function* elements(der) {
  let rest = value(der, 0x31).content;
  while (rest.length > 0) {
    const { content, end } = value(rest, 0x04);
    yield content;
    rest = rest.subarray(end);
  }
}

function value(der, tag) {
  if (der[0] !== tag) throw new Error(`expected tag ${tag}, got ${der[0]}`);
  const digits = der[1] < 0x80 ? 0 : der[1] & 0x7f;
  const length = digits === 0 ? der[1] : der.readUIntBE(2, digits);
  const end = 2 + digits + length;
  return { content: der.subarray(2 + digits, end), end };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await judge(JSON.parse(line))));
}
