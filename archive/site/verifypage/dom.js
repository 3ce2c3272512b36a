/** Elements from plain values. Text is only ever text: what comes out of files never becomes markup. */

/** `<tag>` with attributes (null and false are left out) and children, elements or texts (null is left out). */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, '');
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat(2).filter((child) => child !== null));
  return made;
}

/** A list of terms: `[term, child, …]` each; rows whose only child is null are left out. */
export function terms(rows) {
  const kept = rows.filter(([, ...children]) => children.some((child) => child !== null));
  const parts = kept.map(([term, ...children]) => [element('dt', {}, term), element('dd', {}, ...children)]);
  return element('dl', {}, parts);
}

/** A table with a caption; `rows` are arrays of children. */
export function table(caption, columns, rows) {
  const head = element('tr', {}, columns.map((column) => element('th', { scope: 'col' }, column)));
  const body = rows.map((row) => element('tr', {}, row.map((cell) => element('td', {}, cell))));
  const parts = [element('caption', {}, caption), element('thead', {}, head), element('tbody', {}, body)];
  // Wide on a phone: it scrolls by itself, also by keyboard.
  const around = { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption };
  return element('div', around, element('table', {}, parts));
}
