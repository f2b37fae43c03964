import type { ComponentChildren } from 'preact';

interface PersonCellProps {
  name: string;
  email: string | null;
  /** Badges beside the name. */
  children?: ComponentChildren;
}

/** The name of a person in a table, with the address below it. */
export function PersonCell({ name, email, children }: PersonCellProps) {
  return (
    <span class="p-cell">
      <span class="p-name-line">
        <bdi>{name}</bdi>
        {children}
      </span>
      {email && <span class="p-muted p-small">{email}</span>}
    </span>
  );
}
