// The rules for faults. The first rule that matches is applied, at most `times` times.
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
  reply: ['slow', 'bare', 'latin1'],
  listen: ['refuse'],
  tls: ['wrong_host', 'untrusted', 'hide'],
};
// The stages at which the recipients are known.
const KNOW_RECIPIENT = ['rcpt', 'data', 'after_data'];
const KEYS = ['stage', 'do', 'code', 'text', 'times', 'to'];

export class Faults {
  #rules = [];
  #listeners = [];

  /** Replaces all rules. Throws an error if a rule is not valid. */
  replace(rules) {
    this.#rules = [rules].flat().map(check);
    this.#listeners.splice(0).forEach((listener) => listener());
  }

  /** Calls `listener` when the rules change next. */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** Returns the rule that applies now, and counts one use of it. `recipients` are those known at this stage. */
  take(stage, recipients = []) {
    const rule = this.#rules.find(
      (r) => r.stage === stage && r.times > 0 && (r.to === undefined || recipients.includes(r.to)),
    );
    if (rule) rule.times -= 1;
    return rule;
  }

  /** The fault of TLS that the rules demand, if any. */
  get tls() {
    return this.#rules.find((r) => r.stage === 'tls')?.do;
  }

  /** Whether the rules demand that the ports are closed. */
  get refuses() {
    return this.#rules.some((r) => r.stage === 'listen');
  }
}

/** Returns the rule with defaults. Throws an error if it is not valid. */
function check(rule) {
  const fail = (reason) => {
    throw new Error(`${reason}: ${JSON.stringify(rule)}`);
  };
  if (rule === null || typeof rule !== 'object') fail('a rule must be an object');
  const unknown = Object.keys(rule).find((key) => !KEYS.includes(key));
  if (unknown) fail(`unknown key ${unknown}`);
  if (!STAGES[rule.stage]) fail(`stage must be one of ${Object.keys(STAGES).join(', ')}`);
  if (!STAGES[rule.stage].includes(rule.do)) fail(`do must be one of ${STAGES[rule.stage].join(', ')}`);
  const to = rule.to ?? undefined;
  if (to !== undefined && !KNOW_RECIPIENT.includes(rule.stage)) fail('this stage has no recipient');
  const times = rule.times ?? Infinity;
  if (['tls', 'listen'].includes(rule.stage) && times !== Infinity) fail(`a ${rule.stage} rule has no times`);
  return { stage: rule.stage, do: rule.do, code: rule.code ?? 450, text: rule.text ?? 'Rejected by a fault rule', times, to };
}
