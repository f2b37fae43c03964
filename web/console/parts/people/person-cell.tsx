/** The name and the address of a person in a table. */
export function PersonCell({ name, email }: { name: string; email: string }) {
  return (
    <span class="p-cell">
      <bdi>{name}</bdi>
      <span class="p-muted p-small">{email}</span>
    </span>
  );
}
