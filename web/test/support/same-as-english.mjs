const NAMES = ['Portico', 'English', 'Deutsch', 'Français', 'Español'];

/** The words that a language shares with English, and the paths of functions that contain only such words, or none. */
export const SAME_AS_ENGLISH = {
  de: [...NAMES, 'Administrator', 'Code', 'Logo', 'Name', 'optional', 'Passkey', 'Person', 'Portal', 'Status', 'Support', 'System', 'Token', 'console.labelled'],
  fr: [
    ...NAMES,
    ...['Action', 'Actions', 'Client', 'Clients', 'Code', 'Invitation', 'Invitations', 'invitations', 'Logo', 'Menu', 'Session', 'Sessions'],
    ...['Support', 'Type', 'settings.branding.pixels', 'settings.branding.logoSize'],
  ],
  es: [...NAMES, 'Error', 'Portal', 'Token', 'console.labelled'],
};
