/** The configuration of the run, group by group. */
import {html, type Html} from './html.js';
import {section} from './section.js';

interface Setting {
  readonly path: string;
  readonly value: string;
}

interface Group {
  readonly name: string;
  readonly settings: readonly Setting[];
}

/** @param config plain JSON; `undefined` when none was saved */
export function configurationSection(config: unknown): Html {
  const groups = groupsOf(config);
  return section({
    id: 'configuration',
    title: 'Configuration',
    body:
      groups.length > 0
        ? html`<div class="settings">${groups.map(groupCard)}</div>`
        : html`<p class="none">No configuration was saved with this run.</p>`,
  });
}

function groupCard({name, settings}: Group): Html {
  return html`<div class="group">
    <h3>${name}</h3>
    <dl>
      ${settings.map(
        ({path, value}) =>
          html`<div>
            <dt>${path}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </div>`;
}

/** Settings at the top level come first, as one group; each object at the top level is a group. */
function groupsOf(config: unknown): Group[] {
  if (config === undefined) return [];
  if (!isObject(config)) return [{name: 'general', settings: settingsOf(config, '')}];
  const entries = Object.entries(config);
  const simple = entries.filter(([, value]) => !isNested(value));
  const general = simple.flatMap(([key, value]) => settingsOf(value, key));
  const nested = entries
    .filter(([, value]) => isNested(value))
    .map(([name, value]) => ({name, settings: settingsOf(value, '')}));
  return [...(general.length > 0 ? [{name: 'general', settings: general}] : []), ...nested];
}

function settingsOf(value: unknown, path: string): Setting[] {
  if (!isNested(value)) return [{path, value: simpleText(value)}];
  return Object.entries(value).flatMap(([key, inner]) =>
    settingsOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** Lists of plain values stay on one line; everything else that has parts is taken apart. */
function isNested(value: unknown): value is object {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && item !== null);
  return isObject(value) && Object.keys(value).length > 0;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function simpleText(value: unknown): string {
  if (Array.isArray(value)) return value.length > 0 ? value.map(simpleText).join(', ') : '(none)';
  if (isObject(value)) return '(empty)';
  return typeof value === 'string' ? value : String(value);
}
