import type entry from './en.ts';

export default {
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  signIn: {
    title: 'Se connecter',
    submit: 'Se connecter',
    forgot: 'Mot de passe oublié ?',
    wrong: 'L’adresse e-mail ou le mot de passe n’est pas correct. Après trop de tentatives, le mot de passe est bloqué : définissez-en alors un nouveau avec « Mot de passe oublié ? ».',
    invitation: 'Connectez-vous pour accepter l’invitation.',
    invitationDead: 'L’invitation n’est plus valable. Vous pouvez vous connecter sans elle.',
    reasons: {
      session_ended: 'Votre session est terminée. Connectez-vous de nouveau.',
      session_expired: 'Votre session a expiré. Connectez-vous de nouveau.',
      session_revoked: 'Votre session a été fermée, par exemple depuis un autre appareil ou par un nouveau mot de passe. Connectez-vous de nouveau.',
      password_reset: 'Votre mot de passe est défini. Connectez-vous avec celui-ci.',
    },
  },
  forgot: {
    title: 'Mot de passe oublié ?',
    intro: 'Saisissez votre adresse e-mail. Vous recevrez un e-mail avec un lien pour définir un nouveau mot de passe.',
    submit: 'Envoyer le lien',
    back: 'Retour à la connexion',
    sentTitle: 'Consultez votre messagerie',
    sent: (email) => `Si un compte existe pour ${email}, un e-mail avec un lien est en route.`,
    hint: 'Cela peut prendre quelques minutes. Consultez aussi le dossier des courriers indésirables. Si aucun e-mail n’arrive, vérifiez l’adresse.',
    again: 'Renvoyer',
    sentAgain: 'Un autre e-mail est en route.',
    other: 'Utiliser une autre adresse',
  },
  signedOut: { title: 'Déconnexion réussie', body: 'Vous pouvez fermer cette page.', signIn: 'Se reconnecter' },
} satisfies typeof entry;
