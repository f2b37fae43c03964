// A language whose texts are two fifths longer and accented: it shows texts that do not fit, and texts that are not
// translated.

/** Replaces the English texts in all browsers of a showcase. */
export async function speakPseudo({ visitors, speak }) {
  await speak('en');
  for (const { context } of Object.values(visitors)) await makePseudo(context);
}

/** Replaces the English texts in a browser, as they are built and as the server for development sends them. */
export const makePseudo = (context) =>
  context.route(/\/i18n\/\w+\/en\.(js|ts)$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: pseudo(await response.text()) });
  });

/** Lengthens the texts that a module exports. */
function pseudo(module) {
  const named = module.replace(/export\s*\{\s*([\w$]+) as default\s*\}/, 'export default $1');
  return `${named.replace('export default', 'const pseudo_ =')}\nexport default (${lengthen})(pseudo_);`;
}

/** Lengthens a text, or all texts in a value. It runs in the page too, so it uses nothing else of this file. */
export function lengthen(value) {
  const accents = { a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú', A: 'Á', E: 'É', I: 'Í', O: 'Ó', U: 'Ú' };
  if (typeof value === 'string') {
    const accented = value.replaceAll(/[aeiouAEIOU]/g, (letter) => accents[letter]);
    return `${accented} ${'~'.repeat(Math.ceil(value.length * 0.4))}`.replaceAll(/~{8}/g, '~~~~~~~ ');
  }
  if (typeof value === 'function') return (...values) => lengthen(value(...values));
  if (Array.isArray(value)) return value.map(lengthen);
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, lengthen(text)]));
}
