/** The colour of a badge. */
export type BadgeKind = 'neutral' | 'success' | 'warning' | 'danger' | 'accent';

/** The status of an entry, in one or two words. The colour only repeats what the text says. */
export function Badge({ kind = 'neutral', children }: { kind?: BadgeKind; children: string }) {
  return <span class={`p-badge p-badge-${kind}`}>{children}</span>;
}
