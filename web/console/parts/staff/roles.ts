// The table of roles and permissions, with which the pages say what a role may do. The server alone decides. A test
// compares the table with `docs/roles.md`.
import type { ServiceAccountRole, StaffPermission, StaffRole, TokenScope } from '@portico/client';
import { valuesOf } from '../../../app/values.ts';

/** All roles, the one with the most permissions first. A service account cannot have the first one. */
export const ROLES = valuesOf<StaffRole>({ owner: true, admin: true, support: true, viewer: true });
export const SERVICE_ROLES = valuesOf<ServiceAccountRole>({ admin: true, support: true, viewer: true });

const SCOPE_TABLE: Record<TokenScope, true> = {
  'clients:read': true,
  'clients:edit': true,
  'emails:read': true,
  'emails:edit': true,
  'audit:read': true,
  'settings:read': true,
};
/** The permissions that an API token can have. */
export const SCOPES = valuesOf<TokenScope>(SCOPE_TABLE);

const PERMISSIONS = valuesOf<StaffPermission>({
  ...SCOPE_TABLE,
  'settings:edit': true,
  'policy:read': true,
  'policy:edit': true,
  'staff:read': true,
  'staff:edit': true,
});

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
