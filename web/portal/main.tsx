import { startApp } from '../start/start.tsx';
import { pages } from './pages.mjs';

void startApp({
  realm: 'portal',
  base: '/portal',
  pages,
  files: import.meta.glob(['./*.tsx', './account/*.tsx', '!./main.tsx', '!./signed-in.tsx']),
  texts: import.meta.glob('../i18n/{common,signedIn,problems,entry,links,password,portal,factors,secondStep}/*.ts'),
  signedIn: () => import('./signed-in.tsx'),
});
