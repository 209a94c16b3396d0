// Results of a comparison, as `report.sh` counts them: `ok NAME` or `FAILED NAME: WHY`, a line each.

import { isDeepStrictEqual } from 'node:util';

/** Runs `check`, which throws what is wrong. */
export async function report(label, check) {
  try {
    const remark = await check();
    console.log(`ok ${label}${remark ? ` (${remark})` : ''}`);
  } catch (error) {
    const messages = [];
    for (let cause = error; cause; cause = cause.cause) messages.push(cause.message ?? String(cause));
    console.log(`FAILED ${label}: ${messages.join(': ').replaceAll('\n', ' ')}`);
  }
}

/** Throws unless every field of `wanted` has its value in `found`. */
export function expectFields(found, wanted) {
  for (const [field, value] of Object.entries(wanted)) {
    if (!isDeepStrictEqual(found[field], value)) {
      throw new Error(`${field}: expected ${JSON.stringify(value)}, got ${JSON.stringify(found[field])}`);
    }
  }
}
