import { Badge } from '../../kit/badge.tsx';

/** The name of a person, with the address below it. */
export function PersonName({ name, email, badge }: { name: string; email: string; badge?: string | undefined }) {
  return (
    <>
      <span dir="auto">{name}</span> {badge && <Badge kind="accent">{badge}</Badge>}
      <div class="p-muted p-small">{email}</div>
    </>
  );
}
