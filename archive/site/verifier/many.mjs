#!/usr/bin/env node
/**
 * Verifies many records in one process: on standard input one JSON object a line, `{folder, paths, trust, crl}`, paths
 * relative to the folder; on standard output, for each in turn, its answer, or `{"misuse": …}`.
 */

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { given } from './nodefiles.mjs';
import { Misuse } from './refusal.js';
import { verify } from './verify.js';

for await (const line of createInterface({ input: process.stdin })) {
  const { folder, paths, trust, crl } = JSON.parse(line);
  process.chdir(folder);
  let answer;
  try {
    answer = await verify({
      given: await Promise.all(paths.map(given)),
      trust: await Promise.all(trust.map((path) => readFile(path))),
      crl: await Promise.all(crl.map((path) => readFile(path))),
    });
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    answer = { misuse: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
