// The catalogue: every component of the kit in its states, for people, for screenshots and for axe. It is served by
// `npm run dev` only. `?theme=dark` and `?locale=de` choose the theme and the language.
import '../kit/styles/entry.css';
import '../kit/styles/console.css';
import { render } from 'preact';
import { BrandProvider } from '../app/brand.tsx';
import { LocationProvider } from '../app/location.tsx';
import { loadTexts, localeOf, LocaleContext, setTextFiles } from '../app/texts.ts';
import { LinkButton } from '../kit/link-button.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { ACTIONS } from './actions.tsx';
import type { Entry } from './entry.ts';
import { FACTOR_FRAMES, FACTORS } from './factors.tsx';
import { FIELDS } from './fields.tsx';
import { FRAMES } from './frames.tsx';
import { LISTS } from './lists.tsx';
import { MESSAGES } from './messages.tsx';

const ENTRIES = [...ACTIONS, ...FIELDS, ...MESSAGES, ...LISTS, ...FACTORS];
const ALL_FRAMES = [...FRAMES, ...FACTOR_FRAMES];
const query = new URLSearchParams(location.search);
const locale = localeOf(query.get('locale'));

/** Shows all entries, or the frame that `?frame=` names. */
function Catalogue() {
  const frame = ALL_FRAMES.find(({ name }) => name === query.get('frame'));
  if (frame) return <>{frame.states[0]?.show()}</>;
  return (
    <main class="p-app-main p-stack">
      <PageTitle>Components</PageTitle>
      <div class="p-actions">
        {ALL_FRAMES.map(({ name }) => (
          <LinkButton key={name} kind="secondary" small href={`?frame=${encodeURIComponent(name)}`}>
            {name}
          </LinkButton>
        ))}
      </div>
      {ENTRIES.map((entry) => (
        <ShownEntry key={entry.name} {...entry} />
      ))}
    </main>
  );
}

function ShownEntry({ name, states }: Entry) {
  return (
    <section class="p-stack" aria-label={name}>
      <h2 class="p-card-title">{name}</h2>
      {states.map((state) => (
        <div key={state.name}>
          <p class="p-muted p-small">{state.name}</p>
          {state.show()}
        </div>
      ))}
    </section>
  );
}

setTextFiles(import.meta.glob('../i18n/*/*.ts'));
document.documentElement.lang = locale;
const theme = query.get('theme');
if (theme) document.documentElement.dataset.theme = theme;
const root = document.getElementById('app');
await loadTexts(locale, ['common', 'signedIn', 'factors', 'secondStep', 'problems']);
if (root) {
  render(
    <LocaleContext.Provider value={locale}>
      <BrandProvider>
        <LocationProvider base="/catalogue/page">
          <Catalogue />
        </LocationProvider>
      </BrandProvider>
    </LocaleContext.Provider>,
    root,
  );
}
