// The rules by which the sink misbehaves. The first rule that fits wins; `times` wears out.
const ACTIONS = ['reject', 'hang', 'drop'];
const STAGES = {
  connect: ACTIONS,
  ehlo: ACTIONS,
  auth: ACTIONS,
  mail: ACTIONS,
  rcpt: ACTIONS,
  data: ACTIONS,
  after_data: ACTIONS,
  after_ok: ['drop'],
  reply: ['slow'],
  listen: ['refuse'],
  tls: ['wrong_host', 'untrusted', 'hide'],
};
const KNOW_RECIPIENT = ['rcpt', 'data', 'after_data'];
const KEYS = ['stage', 'do', 'code', 'text', 'times', 'to'];

export class Faults {
  #rules = [];

  /** Takes the place of all earlier rules; throws what is wrong with a rule. */
  replace(rules) {
    this.#rules = [rules].flat().map(check);
  }

  /** The rule that applies now, one use of it spent; recipients are those known at this stage. */
  take(stage, recipients = []) {
    const rule = this.#rules.find(
      (r) => r.stage === stage && r.times > 0 && (r.to === undefined || recipients.includes(r.to)),
    );
    if (rule) rule.times -= 1;
    return rule;
  }

  /** What is wrong with TLS while the rules stand. */
  get tls() {
    return this.#rules.find((r) => r.stage === 'tls')?.do;
  }

  /** Whether connections are refused while the rules stand. */
  get refuses() {
    return this.#rules.some((r) => r.stage === 'listen');
  }
}

function check(rule) {
  const fail = (why) => {
    throw new Error(`${why}: ${JSON.stringify(rule)}`);
  };
  if (rule === null || typeof rule !== 'object') fail('a rule is an object');
  const unknown = Object.keys(rule).find((key) => !KEYS.includes(key));
  if (unknown) fail(`unknown key ${unknown}`);
  if (!STAGES[rule.stage]) fail(`stage is one of ${Object.keys(STAGES).join(', ')}`);
  if (!STAGES[rule.stage].includes(rule.do)) fail(`do is one of ${STAGES[rule.stage].join(', ')}`);
  const to = rule.to ?? undefined;
  if (to !== undefined && !KNOW_RECIPIENT.includes(rule.stage)) fail('no recipient is known at this stage');
  const times = rule.times ?? Infinity;
  if (['tls', 'listen'].includes(rule.stage) && times !== Infinity) fail(`a ${rule.stage} rule stands until it is deleted`);
  return { stage: rule.stage, do: rule.do, code: rule.code ?? 450, text: rule.text ?? 'The sink was told to refuse', times, to };
}
