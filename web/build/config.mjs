// The Vite configuration of each bundle: the portal, the console and the elements are built one by one, so that none
// loads code of another.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pagesManifest } from './pages-manifest.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const APPS = ['portal', 'console'];

/** The browsers that the pages support. All have `light-dark()`, `<dialog>`, popovers and Web Locks. */
const TARGET = ['chrome123', 'firefox125', 'safari17.5'];

const shared = {
  root,
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: 'warn',
  // Files refer to each other relatively, because the server chooses the address of the folder.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    alias: { '@portico/client': fileURLToPath(new URL('../../openapi/clients/typescript/src/index.ts', import.meta.url)) },
  },
};

/** What every page loads: Preact, the client, `app/`, `start/` and the parts of the kit of the pages before sign-in. */
const APP = new RegExp(
  [
    '/node_modules/preact/',
    '/clients/typescript/src/(?!refresh|tabs|generated/sdk.gen.ts\\?)',
    '/web/app/(?!current-session|debounced|format-locale|http|other-tabs|queries|search|session-end|styles)',
    '/web/start/(?!one-identity|required-factor)',
    '/web/portal/parts/(entry-path|signed-in-now|sign-in-plan)',
    '/web/kit/(button|link-button|card|countdown|entry-frame|field|form|language-menu|logo|notice|offline-notice)\\.',
    '/web/kit/(page-title|password-field|problem-notice|spinner|text-field)\\.',
  ].join('|'),
);

/** The operations that the sign-in pages call at once. */
const AT_ONCE = /url: ["']\/api\/(portal\/(brand|auth\/sign-in)|staff\/auth\/(send|verify)-code)["']/;

/** The files that pages share. Without groups, the bundler would choose them and name each after one of its modules. */
const GROUPS = [
  { name: 'app', test: APP, priority: 3 },
  // Pages of mailed links ask who is signed in, but have no queries.
  { name: 'connection', test: /\/app\/(current-session|http|session-end)\.|\/src\/(refresh|tabs)\./, priority: 2 },
  { name: 'operations', test: /\/sdk\.gen\.ts\?/, priority: 2 },
  // The second step of a sign-in, and the setup of second factors. Pages load them when they need them.
  { name: 'factors', test: /\/kit\/factors\/(?!factors-card|step-up\.|begin-setup)|\/app\/styles\./, priority: 2 },
  { name: 'step-up', test: /\/kit\/factors\/(begin-setup|step-up\.)|\/parts\/(codes\/)?step-up\./, priority: 2 },
  { name: 'secrets', test: /\/kit\/(checkbox|copy-button|leaving|save-file)\./, priority: 2 },
  { name: 'queries', test: /\/app\/(debounced|other-tabs|queries|search)\.|\/node_modules\/@tanstack\//, priority: 2 },
  { name: 'formats', test: /\/i18n\/formats\.|\/app\/format-locale\./, priority: 2 },
  { name: 'kit', test: /\/kit\/(?!factors\/)/, minShareCount: 2, priority: 1 },
];

/** Leaves the loader of styles out: the shell links all styles of a page. */
const withoutStyleLoader = {
  name: 'without-style-loader',
  enforce: 'post',
  transform: (_code, id) => (id.includes('vite/preload-helper') ? 'export const __vitePreload = (load) => load();' : undefined),
};

/** Leaves the code for server-sent events out of the generated client: Portico has none, and it is 1.2 kB gzipped. */
const withoutServerSentEvents = {
  name: 'without-server-sent-events',
  transform: (_code, id) =>
    id.endsWith('/core/serverSentEvents.gen.ts') ? 'export const createSseClient = () => undefined;' : undefined,
};

/**
 * Leaves the code for lists and objects in paths and queries out of the generated client: no operation has such a
 * parameter, and it is 0.6 kB gzipped.
 */
const withoutListParameters = {
  name: 'without-list-parameters',
  transform: (_code, id) => (id.endsWith('/core/pathSerializer.gen.ts') ? PRIMITIVE_PARAMETERS : undefined),
};
const PRIMITIVE_PARAMETERS = `
const refuse = () => { throw new Error('a parameter is a list or an object'); };
export { refuse as serializeArrayParam, refuse as serializeObjectParam };
export const serializePrimitiveParam = ({ allowReserved, name, value }) =>
  value == null ? '' : name + '=' + (allowReserved ? value : encodeURIComponent(value));
`;

/** Leaves the code for bearer tokens out of the generated client: pages have their session in cookies. */
const withoutBearerTokens = {
  name: 'without-bearer-tokens',
  transform(code, id) {
    if (id.endsWith('/core/auth.gen.ts')) return 'export const getAuthToken = async () => undefined;';
    return /\/generated\/sdk\.gen\.ts(\?later)?$/.test(id) ? code.replaceAll(/^\s*security: \[\{.*?\}\],$/gms, '') : undefined;
  },
};

/**
 * Splits the operations of the generated client into those that the sign-in pages call at once, and the others. A
 * bundler cannot split a file, so the sign-in page would load all operations of its app.
 */
const splitOperations = {
  name: 'split-operations',
  load(id) {
    if (!id.endsWith('/generated/sdk.gen.ts?later')) return undefined;
    const { head, operations } = operationsOf(readFileSync(id.slice(0, -'?later'.length), 'utf8'));
    return { code: [head, ...operations.filter(isLater)].join('\n'), moduleType: 'ts', moduleSideEffects: false };
  },
  transform(code, id) {
    if (!id.endsWith('/generated/sdk.gen.ts')) return undefined;
    const { head, operations } = operationsOf(code);
    const names = operations.filter(isLater).map((each) => /export const (\w+)/.exec(each)[1]);
    const atOnce = operations.filter((each) => !isLater(each));
    return { code: [head, ...atOnce, `export { ${names.join(', ')} } from './sdk.gen.ts?later';`].join('\n'), moduleSideEffects: false };
  },
};
const isLater = (operation) => !AT_ONCE.test(operation);

/** Returns the operations of the generated client, and what stands before them. */
function operationsOf(code) {
  const [head, ...operations] = code.split(/^(?=export const )/m);
  return { head, operations };
}

/** The changes to the generated client that make it small. */
const smallClient = [withoutServerSentEvents, withoutListParameters, splitOperations, withoutBearerTokens];

/** Returns the configuration that builds an app into `outDir`. `manifest` receives the entry of the app. */
export function appConfig(app, outDir, manifest) {
  return {
    ...shared,
    plugins: [...smallClient, withoutStyleLoader, pagesManifest(app, root, manifest)],
    build: {
      outDir: `${outDir}/${app}`,
      emptyOutDir: true,
      target: TARGET,
      modulePreload: false,
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rolldownOptions: {
        input: {
          main: `${root}${app}/main.tsx`,
          // The shell links the styles, so that no page is shown before them.
          'styles/entry': `${root}kit/styles/entry.css`,
          'styles/signed-in': `${root}kit/styles/${app === 'console' ? 'console' : 'signed-in'}.css`,
          // Linked by `app/styles.ts`, before sign-in.
          'styles/factors': `${root}kit/styles/factors.css`,
          ...(app === 'portal' && { 'styles/links': `${root}kit/styles/links.css` }),
        },
        output: {
          // Names without hashes, so that a build of the same page replaces its file in the repository.
          entryFileNames: '[name].js',
          chunkFileNames: ({ name, facadeModuleId }) => `${chunkName(facadeModuleId) ?? name}.js`,
          assetFileNames: '[name][extname]',
          codeSplitting: { groups: GROUPS, includeDependenciesRecursively: false },
        },
      },
    },
  };
}

/** Returns the configuration that builds the custom element into one file. */
export function elementConfig(outDir) {
  return {
    ...shared,
    plugins: smallClient,
    build: {
      outDir: `${outDir}/elements`,
      emptyOutDir: true,
      target: TARGET,
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: `${root}elements/portico-sign-in.tsx`,
        output: { entryFileNames: '[name].js', codeSplitting: false },
      },
    },
  };
}

/** Returns the path of a chunk that is one source file, such as `portal/sign-in` or `i18n/entry/de`. */
function chunkName(facadeModuleId) {
  if (!facadeModuleId?.startsWith(root)) return undefined;
  return facadeModuleId.slice(root.length).replace(/\.tsx?$/, '').replace(/^(portal|console)\//, '');
}

/** Returns the configuration for development behind `server`. It passes requests for the API to `target`. */
export function devConfig(target, server) {
  return {
    ...shared,
    base: '/',
    appType: 'custom',
    server: {
      middlewareMode: true,
      hmr: { server },
      fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] },
      proxy: { '^/(api|dev|\\.well-known)/': { target, changeOrigin: false } },
    },
  };
}
