// What the server writes into the shell of each page.
import type { Brand } from '@portico/client';

/** The content of `<meta name="portico">`. */
export interface Boot {
  /** The address of the build: the first 16 hexadecimal digits of a hash over all files. */
  build: string;
  /** The language that the server chose for the page. */
  locale: string;
  /** The origins, besides our own, that `return_to` may lead to. */
  return_origins: string[];
  /** How many characters a password has at least. */
  password_min: number;
  /** The brand that the server chose for the page. */
  brand: Brand;
}

const NEUTRAL: Boot = {
  build: '',
  locale: navigator.language,
  return_origins: [],
  password_min: 8,
  brand: { tenant: null, name: 'Portico', logo: null, locale: null, version: 0 },
};

/** What the server wrote into this page. A page that another server hosts may lack it. */
export const boot: Boot = read();

function read(): Boot {
  const content = document.querySelector<HTMLMetaElement>('meta[name="portico"]')?.content;
  return content ? { ...NEUTRAL, ...(JSON.parse(content) as Partial<Boot>) } : NEUTRAL;
}
