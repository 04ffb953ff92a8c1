// The form that predicts from typed-in values: a field for each of a record's, as /openapi.json describes them.
import { $, element, say } from './dom.js';
import { dayAndClock, duration, percent, score } from './words.js';

let fields = [];
let target = '';

export async function showForm(status) {
  if (status.identity === null) return;
  const { keyField, targetField, horizonMs } = status.identity;
  target = targetField;
  const ahead = horizonMs === null ? '' : ` ${duration(horizonMs / 1000)} ahead`;
  say('predict-what', `${targetField}${ahead}`);
  const record = await recordSchema();
  if (record === null) return;
  const found = Object.entries(record.properties).map(([name, { type }]) => ({
    name,
    isText: type.includes('string'),
    isRequired: record.required.includes(name),
  }));
  const rank = ({ name, isRequired }) => (name === keyField ? 0 : isRequired ? 1 : 2);
  found.sort((a, b) => rank(a) - rank(b));
  if (JSON.stringify(found) === JSON.stringify(fields)) return;
  fields = found;
  $('predict-fields').replaceChildren(...fields.map(fieldset));
  $('predict').hidden = fields.length === 0;
  $('no-form').hidden = fields.length > 0;
  showFormHints(status);
}

/** Null where contact is lost: the next whole document asks again. */
async function recordSchema() {
  try {
    const answer = await fetch('openapi.json');
    return (await answer.json()).components.schemas.Record;
  } catch {
    return null;
  }
}

/** Says with examples what is usual, and what need not be typed. */
export function showFormHints({ features, identity, serving }) {
  $('no-model').hidden = serving !== null;
  const list = features?.list ?? [];
  for (const { field, kind, quantiles, bins, isSensitive } of list) {
    const input = inputOf(field);
    if (input === null || isSensitive || kind === 'lag') continue;
    if (quantiles !== null) input.placeholder = score(quantiles[1]);
    else if (kind === 'oneHot') setChoices(field, bins);
  }
  const lags = list.filter(({ kind }) => kind === 'lag').map(({ name }) => name);
  const whose = identity?.keyField ?? 'stream';
  const fromState = lags.length === 0 ? '' : ` ${lags.join(', ')}: taken from what this ${whose} has shown up to now.`;
  say('predict-hints', `What stays empty is missing; in italics the median of late.${fromState}`);
}

$('predict').addEventListener('submit', (event) => {
  event.preventDefault();
  void predict();
});

async function predict() {
  const filled = fields.filter(({ name }) => inputOf(name).value.trim() !== '');
  const record = {};
  for (const { name, isText } of filled) put(record, name, valueOf(inputOf(name).value.trim(), isText));
  clearFaults();
  $('predict-button').setAttribute('aria-busy', 'true');
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('v1/predict', { method: 'POST', headers, body: JSON.stringify(record) });
    const body = await answer.json();
    if (answer.ok) showPrediction(body);
    else showRefusal(body);
  } catch (error) {
    showRefusal({ error: `no answer: ${error.message}` });
  } finally {
    $('predict-button').removeAttribute('aria-busy');
  }
}

/** A dot in a name is a field of a nested object. */
function put(record, name, value) {
  const path = name.split('.');
  const last = path.pop();
  let place = record;
  for (const step of path) place = place[step] ??= {};
  place[last] = value;
}

/** What is no number is sent as it is: the answer says what is wrong with it. */
function valueOf(text, isText) {
  return isText || Number.isNaN(Number(text)) ? text : Number(text);
}

function showPrediction({ value, probabilities, missing, modelVersion, step, trainedThrough }) {
  const shown = typeof value === 'number' ? score(value) : (value ?? 'no class is known yet');
  const parts = [element('b', shown), element('span', target, 'quiet')];
  if (probabilities !== undefined) {
    const likeliest = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
    parts.push(
      element(
        'span',
        likeliest
          .slice(0, 4)
          .map(([name, share]) => `${name} ${percent(share)}`)
          .join(', '),
      ),
    );
  }
  const through =
    trainedThrough.time === null ? '' : `, trained through ${dayAndClock(Date.parse(trainedThrough.time))}`;
  parts.push(element('span', `${modelVersion}, step ${step.toLocaleString('en-US')}${through}`, 'quiet origin'));
  if (missing?.length > 0) parts.push(element('span', `taken as missing: ${missing.join(', ')}`, 'quiet origin'));
  $('prediction').className = 'prediction';
  $('prediction').replaceChildren(...parts);
}

function showRefusal({ error, faults = [] }) {
  for (const { field, expected, found } of faults) markFault(field, `expected ${expected}, found ${found}`);
  const marked = fields.map(({ name }) => inputOf(name)).find((input) => input.getAttribute('aria-invalid') === 'true');
  marked?.focus();
  $('prediction').className = 'prediction refused';
  $('prediction').replaceChildren(
    element('span', marked === undefined ? error : 'Not predicted: see the marked fields.'),
  );
}

function markFault(field, text) {
  const input = inputOf(field);
  if (input === null) return;
  input.setAttribute('aria-invalid', 'true');
  say(`${input.id}-fault`, text);
}

function clearFaults() {
  for (const { name } of fields) {
    const input = inputOf(name);
    input.removeAttribute('aria-invalid');
    say(`${input.id}-fault`, '');
  }
}

const inputOf = (name) => $('predict').elements.namedItem(name);

function fieldset({ name, isText, isRequired }, index) {
  const id = `predict-${index}`;
  const label = element('label', name);
  label.htmlFor = id;
  if (isRequired) label.append(element('span', 'required', 'quiet'));
  const input = document.createElement('input');
  Object.assign(input, { id, name, type: 'text', autocomplete: 'off', required: isRequired, spellcheck: false });
  if (!isText) input.inputMode = 'decimal';
  input.setAttribute('aria-describedby', `${id}-fault`);
  const fault = element('p', '', 'fault');
  fault.id = `${id}-fault`;
  const field = element('div', '', 'field');
  field.append(label, input, fault);
  return field;
}

function setChoices(field, bins) {
  const input = inputOf(field);
  const id = `${input.id}-choices`;
  let list = $(id);
  if (list === null) {
    list = element('datalist', '');
    list.id = id;
    input.after(list);
    input.setAttribute('list', id);
  }
  const names = bins.map(({ label }) => label).filter((label) => label !== 'other');
  if (list.dataset.names === names.join('\n')) return;
  list.dataset.names = names.join('\n');
  list.replaceChildren(...names.map((name) => new Option(name)));
}
