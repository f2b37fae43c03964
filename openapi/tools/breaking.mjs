// Lists the breaking changes between two OpenAPI documents, and fails if the changelog does not name each of them.
//
//   node breaking.mjs released.json openapi.json CHANGELOG.md
//
// A request breaks when the server accepts fewer values than before. A response breaks when the server can return
// values that it could not return before. Each difference narrows the set of values, widens it, or does both. Whether
// a difference is breaking depends on the direction: request or response.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const LOWER_LIMITS = ['minimum', 'minLength', 'minItems', 'minProperties'];
const UPPER_LIMITS = ['maximum', 'maxLength', 'maxItems', 'maxProperties'];
const STRICTER_IF_SET = ['pattern', 'exclusiveMinimum', 'exclusiveMaximum', 'uniqueItems'];
const HARMS = { request: 'narrowed', response: 'widened' };

/**
 * Returns the breaking changes as a list of `{ name, where, what }`. `name` is the operation id, or the name of the
 * schema if the change is in a named schema.
 */
export function breakingChanges(before, after) {
  return new Comparison(before, after).run();
}

/**
 * Returns the changes whose name is not in the changelog under `## [Unreleased]`, `### Breaking`. Where another schema
 * has taken the place of a named one, the name of the old schema suffices.
 */
export function undocumented(changes, changelog) {
  const breaking = section(section(changelog, '## [Unreleased]'), '### Breaking');
  const has = (name) => new RegExp(`(?<!\\w)${escape(name)}(?!\\w)`).test(breaking);
  return changes.filter(({ name, replaced }) => !has(name) && !(replaced && has(replaced)));
}

class Comparison {
  #changes = new Map();
  #compared = new Set();

  constructor(before, after) {
    this.before = new Document(before);
    this.after = new Document(after);
  }

  run() {
    for (const [key, old] of this.before.operations) {
      const now = this.after.operations.get(key);
      const report = (what, where = key) => this.#report(old.id, where, what);
      if (!now) report('operation removed');
      else this.#operation(old, now, report);
    }
    return [...this.#changes.values()];
  }

  #report(name, where, what, replaced) {
    this.#changes.set(`${name} ${where} ${what}`, { name, where, what, ...(replaced && { replaced }) });
  }

  #operation(old, now, report) {
    if (old.id !== now.id) report(`operation id renamed to ${now.id}`);
    if (!old.security.every((held) => now.security.some((asked) => asked.every((scheme) => held.includes(scheme))))) {
      report('a credential that was sufficient before is no longer sufficient');
    }
    this.#parameters(old, now, report);
    this.#body(old, now, report);
    for (const [status, response] of Object.entries(old.responses)) {
      if (!now.responses[status]) report(`response ${status} removed`);
      else this.#content(response.content, now.responses[status].content, { direction: 'response', name: old.id, where: status });
    }
  }

  #parameters(old, now, report) {
    for (const [key, parameter] of now.parameters) {
      if (parameter.required && !old.parameters.get(key)?.required) report('parameter newly required', key);
    }
    for (const [key, parameter] of old.parameters) {
      const successor = now.parameters.get(key);
      if (!successor) report('parameter removed', key);
      else this.#schema(parameter.schema, successor.schema, { direction: 'request', name: old.id, where: key });
    }
  }

  #body(old, now, report) {
    if (now.body.required && !old.body.required) report('request body newly required');
    if (old.body.content && !now.body.content) report('request body removed');
    else this.#content(old.body.content, now.body.content, { direction: 'request', name: old.id, where: 'body' });
  }

  #content(old = {}, now = {}, at) {
    const successors = byMediaType(now);
    for (const [type, { schema }] of byMediaType(old)) {
      if (!successors.has(type)) this.#report(at.name, at.where, `${at.direction} type ${type} removed`);
      else this.#schema(schema, successors.get(type).schema, at);
    }
  }

  #schema(oldSchema, newSchema, at) {
    if (!oldSchema || !newSchema) return;
    const old = this.before.flatten(oldSchema);
    const now = this.after.flatten(newSchema);
    const differ = (kind, what) => {
      if (kind === 'both' || kind === HARMS[at.direction]) this.#report(at.name, at.where, `${what} (${at.direction})`, at.replaced);
    };
    // A reference can be nullable although its schema is not, so nullability is compared at every reference.
    if (now.nullable && !old.nullable) differ('widened', 'became nullable');
    if (old.nullable && !now.nullable) differ('narrowed', 'is no longer nullable');
    if (old.name && now.name) {
      // A change in a named schema is reported once per direction, under the name of the schema. The check below also
      // ends the recursion through a schema that contains itself.
      if (old.name === now.name) at = { ...at, name: old.name, where: old.name, replaced: undefined };
      else at = { ...at, replaced: old.name };
      const key = [at.direction, at.name, old.name, now.name].join(' ');
      if (this.#compared.has(key)) return;
      this.#compared.add(key);
    }
    for (const [kind, what] of valueDifferences(old, now)) differ(kind, what);
    this.#fields(old, now, at, differ);
    this.#variants(old, now, at, differ);
    const inner = (place) => ({ ...at, where: `${at.where}${place}` });
    this.#schema(old.items, now.items, inner('[]'));
    if (now.additionalProperties === false && old.additionalProperties !== false) differ('narrowed', 'unknown fields are no longer accepted');
    else if (isSchema(old.additionalProperties) && isSchema(now.additionalProperties)) {
      this.#schema(old.additionalProperties, now.additionalProperties, inner('.*'));
    }
  }

  #fields(old, now, at, differ) {
    for (const field of Object.keys(old.properties)) {
      const inner = { ...at, where: `${at.where}.${field}` };
      if (!now.properties[field]) this.#report(inner.name, inner.where, `field removed (${at.direction})`, at.replaced);
      else this.#schema(old.properties[field], now.properties[field], inner);
      if (old.required.has(field) && now.properties[field] && !now.required.has(field)) differ('widened', `${field} is no longer required`);
    }
    for (const field of now.required) {
      if (!old.required.has(field)) differ('narrowed', `${field} is newly required`);
    }
  }

  #variants(old, now, at, differ) {
    if (!old.variants && !now.variants) return;
    if (!old.variants || !now.variants) return differ('both', old.variants ? 'no longer has alternatives' : 'now has alternatives');
    for (const [key, variant] of old.variants) {
      if (!now.variants.has(key)) differ('narrowed', `alternative ${key} removed`);
      else this.#schema(variant, now.variants.get(key), { ...at, where: `${at.where}|${key}` });
    }
    for (const key of now.variants.keys()) {
      if (!old.variants.has(key)) differ('widened', `alternative ${key} added`);
    }
  }
}

/**
 * Yields the differences between two schemas as pairs of kind (`narrowed`, `widened` or `both`) and description.
 * Ignores nullability and the schemas of fields, items and alternatives.
 */
function* valueDifferences(old, now) {
  if (old.type !== now.type) {
    const kind = { 'integer>number': 'widened', 'number>integer': 'narrowed' }[`${old.type}>${now.type}`];
    const untyped = !old.type ? 'narrowed' : !now.type ? 'widened' : 'both';
    yield [kind ?? untyped, `type changed from ${old.type} to ${now.type}`];
  } else if (old.format !== now.format) {
    yield [!old.format ? 'narrowed' : !now.format ? 'widened' : 'both', `format changed from ${old.format} to ${now.format}`];
  }
  if (old.enum && !now.enum) yield ['widened', 'enum removed'];
  else if (now.enum && !old.enum) yield ['narrowed', 'enum added'];
  else if (old.enum) {
    for (const value of now.enum) if (!old.enum.includes(value)) yield ['widened', `value ${value} added`];
    for (const value of old.enum) if (!now.enum.includes(value)) yield ['narrowed', `value ${value} removed`];
  }
  // Wider limits do not change the type of a response, so limits are compared in requests only.
  const narrower = (key, sign) => now[key] !== undefined && (old[key] === undefined || sign * Number(now[key]) < sign * Number(old[key]));
  for (const key of LOWER_LIMITS) if (narrower(key, -1)) yield ['narrowed', `${key} is now ${now[key]}`];
  for (const key of UPPER_LIMITS) if (narrower(key, 1)) yield ['narrowed', `${key} is now ${now[key]}`];
  for (const key of STRICTER_IF_SET) if (now[key] && now[key] !== old[key]) yield ['narrowed', `${key} is now ${now[key]}`];
}

/** An OpenAPI document. Its operations have resolved references, the path's parameters and the default security. */
class Document {
  constructor(document) {
    this.document = document;
    this.operations = new Map();
    for (const [path, item] of Object.entries(document.paths ?? {})) {
      for (const method of METHODS.filter((name) => item[name])) {
        // Clients send the value of a path parameter, not its name, so a renamed parameter is the same path.
        this.operations.set(`${method.toUpperCase()} ${path.replace(/\{[^}]*\}/g, '{}')}`, this.#operation(path, method, item));
      }
    }
  }

  resolve(value) {
    if (!value?.$ref) return value;
    const steps = value.$ref.replace(/^#\//, '').split('/');
    const found = steps.reduce((node, step) => node?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], this.document);
    if (!found) throw new Error(`${value.$ref} does not exist`);
    return this.resolve(found);
  }

  #operation(path, method, item) {
    const operation = item[method];
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) => this.resolve(each));
    const security = operation.security ?? this.document.security ?? [];
    const inPath = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name);
    const key = ({ in: place, name }) => (place === 'path' ? `path ${inPath.indexOf(name) + 1}` : `${place} ${name}`);
    return {
      id: operation.operationId ?? `${method} ${path}`,
      // Without a security requirement, the operation needs no credential, which is the same as one empty requirement.
      security: (security.length ? security : [{}]).map(Object.keys),
      parameters: new Map(parameters.map((each) => [key(each), each])),
      body: this.resolve(operation.requestBody) ?? {},
      responses: Object.fromEntries(Object.entries(operation.responses ?? {}).map(([status, each]) => [status, this.resolve(each)])),
    };
  }

  /**
   * Returns a schema with its reference and its `allOf` parts merged, one level deep. `name` is the name of the
   * component if the schema is a reference to it, or an `allOf` of one reference and no other fields.
   */
  flatten(schema) {
    const flat = { ...this.resolve(schema), name: schema.$ref?.split('/').at(-1) };
    if (Array.isArray(flat.type)) {
      flat.nullable = flat.type.includes('null');
      flat.type = flat.type.filter((type) => type !== 'null').join('|');
    }
    flat.properties ??= {};
    flat.required = new Set(flat.required);
    const choices = flat.oneOf ?? flat.anyOf;
    if (choices) flat.variants = new Map(choices.map((choice) => [variantKey(choice), choice]));
    const parts = (flat.allOf ?? []).map((part) => this.flatten(part));
    for (const part of parts) {
      const required = new Set([...flat.required, ...part.required]);
      const properties = { ...part.properties, ...flat.properties };
      const name = flat.name ?? (parts.length === 1 && !Object.keys(flat.properties).length ? part.name : undefined);
      Object.assign(flat, { ...part, ...flat, required, properties, name });
    }
    return flat;
  }
}

const variantKey = (choice) => choice.$ref?.split('/').at(-1) ?? choice.title ?? JSON.stringify(choice);
const isSchema = (value) => value !== null && typeof value === 'object';
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Returns the content by media type without parameters: `application/json; charset=utf-8` is `application/json`. */
function byMediaType(content) {
  return new Map(Object.entries(content).map(([type, media]) => [type.split(';')[0].trim().toLowerCase(), media]));
}

/** Returns the lines below a heading, up to the next heading of the same or a higher level. */
function section(markdown, heading) {
  const level = heading.indexOf(' ');
  const lines = markdown.split(/\r?\n/);
  const start = lines.findIndex((line) => line.trim() === heading || line.startsWith(`${heading} `));
  if (start < 0) return '';
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

async function main([released, current, changelog]) {
  const [before, after] = await Promise.all([released, current].map(async (file) => JSON.parse(await readFile(file, 'utf8'))));
  const changes = breakingChanges(before, after);
  const silent = undocumented(changes, await readFile(changelog, 'utf8').catch(() => ''));
  for (const change of changes) {
    console.log(`${silent.includes(change) ? 'UNDOCUMENTED' : 'documented'}  ${change.name}  ${change.where}: ${change.what}`);
  }
  console.log(`${changes.length} breaking changes since the release, ${silent.length} of them not in the changelog.`);
  if (silent.length === 0) return 0;
  console.log('Name each undocumented operation or schema in CHANGELOG.md under "## [Unreleased]", "### Breaking", or undo the change.');
  return 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
