/** The texts of a page's language, as the page rendered them. */

/**
 * `say(key, values)` from the data block `#player-words`: `{name}` in a text is replaced by `values.name`. A text that
 * the page left out is its key, so that nothing breaks and the fault can be seen.
 */
export function readWords(document) {
  let words = {};
  try {
    words = JSON.parse(document.getElementById('player-words')?.textContent ?? '{}');
  } catch (error) {
    console.error('the words of the player cannot be read', error);
  }
  return (key, values = {}) => {
    const text = String(Object.hasOwn(words, key) ? words[key] : key);
    return text.replace(/\{([a-z]+)\}/g, (whole, name) => values[name] ?? whole);
  };
}

/** An element with a class, attributes and children; texts are texts, never markup. */
export function element(tag, { className = '', text = null, ...attributes } = {}, children = []) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
