/** The page's words in three languages, all complete (tests hold them against each other). */

import { AZ } from './words/az.js';
import { EN } from './words/en.js';
import { RU } from './words/ru.js';

export const LANGUAGES = [['az', 'Azərbaycanca'], ['en', 'English'], ['ru', 'Русский']];
const ALL = { az: AZ, en: EN, ru: RU };

/**
 * `{lang, say(name, values), code(code), cause(cause), advice(class), kind(class)}`; a language that is not there
 * is Azerbaijani. A code or cause that these words do not know stands as it is.
 */
export function wordsOf(language) {
  const lang = Object.hasOwn(ALL, language) ? language : 'az';
  const words = ALL[lang];
  const from = (table, name) => (Object.hasOwn(table, name) ? table[name] : name);
  return {
    lang,
    say: (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => String(values[key])),
    code: (code) => from(words.codes, code),
    cause: (cause) => from(words.causes, cause),
    advice: (kind) => words.advice[kind],
    kind: (kind) => words.classes[kind],
  };
}
