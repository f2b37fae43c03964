import { startApp } from '../start/start.tsx';
import { pages } from './pages.mjs';

void startApp({
  realm: 'staff',
  base: '/console',
  pages,
  files: import.meta.glob(['./*.tsx', '!./main.tsx', '!./signed-in.tsx']),
  texts: import.meta.glob('../i18n/{common,signedIn,problems,console,outcomes,access,settings,factors,secondStep,policy}/*.ts'),
  signedIn: () => import('./signed-in.tsx'),
});
