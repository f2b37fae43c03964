/** The company that a client belongs to, as far as its portal users see it. */
export interface Tenant {
  slug: string;
  name: string;
  support: { email: string | null; phone: string | null };
}

/** An answer that names the tenant. `null` means that there is none, or several. */
export type WithTenant<Answer> = Answer & { tenant?: Tenant | null };

/** Returns the slug of the tenant, for the brand of the page. `undefined` means that the answer does not say it. */
export const slugOf = ({ tenant }: WithTenant<object>): string | null | undefined => tenant && tenant.slug;
