import type consoleTexts from './en.ts';

export default {
  signOut: 'Cerrar sesión',
  userMenu: (name: string) => `Menú: ${name}`,
  signIn: { title: 'Iniciar sesión' },
  navigation: {
    overview: 'Resumen',
    clients: 'Clientes',
    people: 'Personas',
    invitations: 'Invitaciones',
    mail: 'Registro de correos',
    audit: 'Registro de auditoría',
    staff: 'Equipo',
    serviceAccounts: 'Cuentas de servicio',
    tokens: 'Tokens de API',
    branding: 'Imagen de marca',
    account: 'Mi cuenta',
  },
  staffRoles: { owner: 'Propietario', admin: 'Administrador', support: 'Soporte', viewer: 'Solo lectura' },
  overview: { title: 'Resumen' },
} satisfies typeof consoleTexts;
