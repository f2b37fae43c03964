import type { StaffPermission, StaffRole } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../../../app/texts.ts';
import { Card } from '../../../kit/card.tsx';
import { SelectField } from '../../../kit/select-field.tsx';
import { permissionsOfRole, ROLES } from './roles.ts';

/** Permissions in words. */
export function PermissionList({ permissions, small }: { permissions: readonly StaffPermission[]; small?: boolean }) {
  const texts = useTexts('access').permissions;
  return (
    <ul class={small ? 'p-permissions p-small' : 'p-permissions'}>
      {permissions.map((permission) => (
        <li key={permission}>{texts[permission]}</li>
      ))}
    </ul>
  );
}

/** A card that explains all roles. */
export function RolesCard() {
  const { rolesTitle } = useTexts('access');
  const { staffRoles } = useTexts('console');
  return (
    <Card title={rolesTitle}>
      <div class="p-roles">
        {ROLES.map((role) => (
          <section key={role}>
            <h3>{staffRoles[role]}</h3>
            <PermissionList permissions={permissionsOfRole(role)} />
          </section>
        ))}
      </div>
    </Card>
  );
}

interface RoleFieldProps {
  roles: readonly StaffRole[];
  initial: StaffRole;
}

/** A field for a role, named `role`, that says what the chosen role may do. */
export function RoleField({ roles, initial }: RoleFieldProps) {
  const texts = useTexts('access');
  const { staffRoles } = useTexts('console');
  const [role, setRole] = useState(initial);
  return (
    <>
      <SelectField
        name="role"
        label={texts.role}
        required
        value={role}
        onChange={(value) => setRole(value as StaffRole)}
        choices={roles.map((value) => ({ value, label: staffRoles[value] }))}
      />
      <div role="status" class="p-small">
        <p>{texts.roleMay}</p>
        <PermissionList permissions={permissionsOfRole(role)} />
      </div>
    </>
  );
}
