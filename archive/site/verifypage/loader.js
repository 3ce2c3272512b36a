/**
 * Starts the verifier that stands in this page as text. Each module becomes an address of its own (blob:), in the order
 * in which they stand, so that each finds the addresses of those that it imports; the last one is the page.
 */
const addresses = new Map();
for (const script of document.querySelectorAll('script[data-module]')) {
  const own = script.dataset.module;
  const text = script.textContent.replace(/(?<= from ')(\.[^']+)(?=';$)/gm, (name) => {
    return addresses.get(new URL(name, `x:/${own}`).pathname.slice(1));
  });
  const part = new Blob([text, `\n//# sourceURL=${own}\n`], { type: 'text/javascript' });
  addresses.set(own, URL.createObjectURL(part));
}
import([...addresses.values()].pop());
