/** A link to the page of a client. */
export function ClientLink({ client }: { client: { id: string; name: string } }) {
  return (
    <a href={`/console/clients/${client.id}`} dir="auto">
      {client.name}
    </a>
  );
}
