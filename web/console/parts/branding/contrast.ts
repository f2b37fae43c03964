// The contrast between colours (WCAG 2.2), for the preview and for hints. The server decides which colours it accepts.

/** The smallest contrast of text. */
export const MIN_CONTRAST = 4.5;

const WHITE = '#ffffff';
const NEAR_BLACK = '#0b1020';

/** What links of a theme stand on. `kit/styles/tokens.css` has the same colours. */
const BACKGROUNDS = { light: ['#ffffff', '#f6f7f9'], dark: ['#111418', '#1a1f26'] };
export type Theme = keyof typeof BACKGROUNDS;

/** Whether a text is a colour as the API takes it: `#` and six hexadecimal digits. */
export const isColor = (text: string): boolean => /^#[0-9a-f]{6}$/i.test(text);

/** Returns the colour of text on a background: white or nearly black, as the server chooses it. */
export const textOn = (background: string): string =>
  contrast(background, WHITE) >= contrast(background, NEAR_BLACK) ? WHITE : NEAR_BLACK;

/** Returns the smallest contrast that an accent has in a theme: as a link, and behind the text of a button. */
export const contrastIn = (theme: Theme, accent: string): number =>
  Math.min(...[...BACKGROUNDS[theme], textOn(accent)].map((other) => contrast(accent, other)));

function contrast(one: string, two: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(two)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
