import { defineConfig } from '@hey-api/openapi-ts';

export default defineConfig({
  input: '../../openapi.json',
  // Emptied on each run: nothing in it is written by hand.
  output: 'src',
  parser: {
    patch: {
      // A described reference is an `allOf` of the reference and the words; the words alone would come out as `& unknown`.
      schemas: (_name, schema) => {
        const properties = (schema.properties ?? {}) as Record<string, { allOf?: object[] }>;
        for (const property of Object.values(properties)) {
          property.allOf = property.allOf?.filter((part) => Object.keys(part).join() !== 'description');
        }
      },
    },
  },
  plugins: [
    // The fetch client is copied into the output, so the package has no dependencies.
    { name: '@hey-api/client-fetch', includeInEntry: true },
    '@hey-api/typescript',
    '@hey-api/sdk',
  ],
});
