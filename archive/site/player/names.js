/** Names of stations and cameras, as they come from a page, an address or a memory. */

const NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/;

/** Whether `text` can be the name of a station. */
export const isStation = (text) => NAME.test(text ?? '');

/** `UNIT/CAMERA` as `{unit, camera}`; null where that is no such name. */
export function readCamera(text) {
  const [unit, camera, ...rest] = (text ?? '').split('/');
  return NAME.test(unit) && NAME.test(camera ?? '') && rest.length === 0 ? { unit, camera } : null;
}
