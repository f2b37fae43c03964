// The table of roles and permissions, as in `docs/roles.md`, with which the pages say what a role may do. The server
// alone decides.
import type { StaffPermission, StaffRole, TokenScope } from '@portico/client';

/** All roles, the one with the most permissions first. A service account cannot have the first one. */
export const ROLES = ['owner', 'admin', 'support', 'viewer'] as const satisfies StaffRole[];
export const SERVICE_ROLES = ['admin', 'support', 'viewer'] as const satisfies StaffRole[];

/** The permissions that an API token can have. */
export const SCOPES = [
  'clients:read',
  'clients:edit',
  'emails:read',
  'emails:edit',
  'audit:read',
  'settings:read',
] as const satisfies TokenScope[];

const PERMISSIONS = [...SCOPES, 'settings:edit', 'staff:read', 'staff:edit'] as const satisfies StaffPermission[];

const GIVES: Record<StaffRole, (permission: StaffPermission) => boolean> = {
  owner: () => true,
  admin: (permission) => permission !== 'staff:edit',
  support: (permission) => /^(clients|emails):/.test(permission),
  viewer: (permission) => permission.endsWith(':read'),
};

/** Returns the permissions that a role gives. */
export const permissionsOfRole = (role: StaffRole): StaffPermission[] => PERMISSIONS.filter(GIVES[role]);

/** Returns the scopes that the tokens of an owner with these permissions can have. */
export const scopesAmong = (permissions: readonly StaffPermission[]): TokenScope[] =>
  SCOPES.filter((scope) => permissions.includes(scope));
