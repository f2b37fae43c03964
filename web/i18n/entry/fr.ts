import type entry from './en.ts';

export default {
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  signIn: {
    title: 'Se connecter',
    submit: 'Se connecter',
    forgot: 'Mot de passe oublié ?',
    wrong: 'L’adresse e-mail ou le mot de passe n’est pas correct. Après trop de tentatives, le mot de passe est bloqué : définissez-en alors un nouveau avec « Mot de passe oublié ? ».',
    invitation: 'Connectez-vous pour accepter l’invitation.',
    wrongAccount: 'Cette invitation est pour un autre compte. Vous pouvez vous connecter sans elle.',
    invitationDead: 'L’invitation n’est plus valide. Vous pouvez vous connecter sans elle.',
    reasons: {
      session_ended: 'Votre session est terminée. Connectez-vous de nouveau.',
      session_expired: 'Votre session a expiré. Connectez-vous de nouveau.',
      session_revoked: 'Votre session a été fermée, par exemple depuis un autre appareil ou par un nouveau mot de passe. Connectez-vous de nouveau.',
      password_reset: 'Votre mot de passe est défini. Connectez-vous avec celui-ci.',
    },
  },
  signedOut: { title: 'Déconnexion réussie', body: 'Vous pouvez fermer cette page.', signIn: 'Se reconnecter' },
} satisfies typeof entry;
