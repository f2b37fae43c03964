// Finds the files of each page. The server reads the result, `dist/pages.json`, to answer with the right status and to
// let the browser load all files of a page at once.
import { readdirSync } from 'node:fs';

/** A Vite plugin that fills `manifest` with the scripts, the styles and the pages of an app. */
export function pagesManifest(app, root, manifest) {
  return {
    name: 'pages-manifest',
    async generateBundle(_options, bundle) {
      const { pages } = await import(`${root}${app}/pages.mjs`);
      const chunks = new Map();
      for (const file of Object.values(bundle)) if (file.facadeModuleId) chunks.set(file.facadeModuleId, file);
      const chunkOf = (source) => {
        const chunk = chunks.get(root + source);
        if (!chunk) this.error(`${source} is no chunk of its own`);
        return chunk;
      };
      const main = chunkOf(`${app}/main.tsx`);
      const loaded = withImports(main, bundle);
      const preload = (chunk) => [...withImports(chunk, bundle)].filter((name) => !loaded.has(name));
      const address = (name) => `${app}/${name}`;

      manifest[app] = {
        scripts: [address(main.fileName)],
        styles: [address('styles/entry.css')],
        preload: [...loaded].filter((name) => name !== main.fileName).map(address),
        pages: pages.map(({ path, file, texts, styles = [], signedIn }) => {
          const scripts = new Set([
            ...(signedIn ? preload(chunkOf(`${app}/signed-in.tsx`)) : []),
            ...preload(chunkOf(`${app}/${file}.tsx`)),
          ]);
          const bundles = ['common', ...(signedIn ? ['signedIn'] : []), ...texts];
          const textsIn = (locale) =>
            [...new Set(bundles.flatMap((name) => preload(chunkOf(`i18n/${name}/${locale}.ts`))))].filter((name) => !scripts.has(name));
          return {
            path,
            styles: [...(signedIn ? ['signed-in'] : []), ...styles].map((name) => address(`styles/${name}.css`)),
            preload: [...scripts].map(address),
            texts: Object.fromEntries(locales(root).map((locale) => [locale, textsIn(locale).map(address)])),
          };
        }),
      };
    },
  };
}

/** Returns the names of a chunk and of all chunks that it imports statically. */
function withImports(chunk, bundle, found = new Set()) {
  if (found.has(chunk.fileName)) return found;
  found.add(chunk.fileName);
  for (const name of chunk.imports) if (bundle[name]) withImports(bundle[name], bundle, found);
  return found;
}

const locales = (root) => readdirSync(`${root}i18n/common`).map((name) => name.replace(/\.ts$/, '')).sort();
