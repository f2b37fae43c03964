/** What the pages before sign-in hand to each other: where the user goes after sign-in, and whose brand is shown. */
const KEPT = ['return_to', 'tenant'];

/** Returns the address of another page before sign-in. */
export function entryPath(path: string): string {
  const query = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => KEPT.includes(name)));
  return query.size > 0 ? `${path}?${query}` : path;
}
