import { reportSignIn } from '@portico/client';
import { useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';
import { Form } from '../kit/form.tsx';
import { PageTitle } from '../kit/page-title.tsx';
import { AccountOfLink } from './parts/account-of-link.tsx';
import { deadCode } from './parts/checked-link.ts';
import { LinkPage, type LiveLink } from './parts/link-page.tsx';

/** The page that reports a sign-in that the user did not make. */
export default function NotMePage() {
  const { notMe: texts } = useTexts('links');
  return (
    <LinkPage purpose="not_me" title={texts.title}>
      {(live) => <Report live={live} />}
    </LinkPage>
  );
}

function Report({ live: { link, token, forget, setDead } }: { live: LiveLink }) {
  const { notMe: texts } = useTexts('links');
  const [isDone, setDone] = useState(false);
  if (isDone) {
    return (
      <>
        <PageTitle>{texts.doneTitle}</PageTitle>
        <p>{texts.done}</p>
      </>
    );
  }
  return (
    <>
      <PageTitle>{texts.title}</PageTitle>
      <AccountOfLink link={link} />
      <p>{texts.intro}</p>
      <ul class="p-rules">
        {texts.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      <Form
        send={() => reportSignIn({ body: { token } })}
        onSent={() => {
          forget();
          setDone(true);
        }}
        onProblem={(problem) => {
          const code = deadCode(problem);
          if (code) setDead(code);
          return code !== undefined;
        }}
        submit={texts.submit}
        submitKind="danger"
      >
        <p class="p-muted">{texts.itWasMe}</p>
      </Form>
    </>
  );
}
