#!/usr/bin/env node
/** The verifier for Node, with the arguments of `unbroken verify --json PATHS --trust FILE --crl FILE`. */

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { given } from './nodefiles.mjs';
import { Misuse } from './refusal.js';
import { verify } from './verify.js';

const EXITS = { verified: 0, findings: 1, 'cannot-tell': 3 };
const MISUSE = 2;

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      trust: { type: 'string', multiple: true, default: [] },
      crl: { type: 'string', multiple: true, default: [] },
    },
  });
  if (positionals.length === 0) throw new Misuse('usage: cli.mjs --json PATH... [--trust FILE]... [--crl FILE]...');
  const readAll = (paths) => Promise.all(paths.map((path) => readFile(path)));
  const [trust, crl] = [await readAll(values.trust), await readAll(values.crl)];
  const answer = await verify({ given: await Promise.all(positionals.map(given)), trust, crl });
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  return EXITS[answer.verdict];
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Misuse) && error.code === undefined) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = MISUSE;
}
