export const signIn = true;
