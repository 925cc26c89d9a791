// What typedoc does not do by itself: pages are called what their first heading says, and each member of an interface or class says what it is.

/**
 * The little of typedoc that is used here; it is installed only where the site is made.
 *
 * @typedef {{text: string}[]} Text
 * @typedef {object} Reflection
 * @property {string} name
 * @property {number} kind
 * @property {Reflection} [parent]
 * @property {Text} [content] of a document
 * @property {Text} [readme] of the project
 * @property {() => boolean} hasComment
 * @property {() => string} getFullName
 * @property {{declaration?: {signatures?: Reflection[]}}} [type]
 * @property {Reflection[]} [children]
 * @property {Reflection[]} [documents]
 * @property {(kind: number) => Reflection[]} getReflectionsByKind
 *
 * @typedef {object} Application
 * @property {{on: (event: string, then: (context: {project: Reflection}) => void) => void}} converter
 * @property {{on: (event: string, then: (event: {project: Reflection}) => void) => void}} renderer
 * @property {{warn: (message: string) => void}} logger
 * @property {(event: string, then: (project: Reflection) => void) => void} on
 */

/** Of ReflectionKind. */
const kinds = {class: 128, interface: 256, property: 1024};

/** @param {Application} app */
export function load(app) {
  app.converter.on('resolveBegin', ({project}) => cutHeading(project.readme));
  // Only now: the addresses of pages have been made, from the names of files.
  app.renderer.on('beginRender', ({project}) => {
    for (const page of project.documents ?? []) page.name = headingOf(page.content) ?? page.name;
  });
  app.on('validateProject', (project) => {
    for (const member of undocumentedMembers(project)) app.logger.warn(`${member} has no doc comment`);
  });
}

/**
 * Properties of interfaces and classes without a doc comment. Those of object types within other types, such as what a schema
 * yields, are left out: the schema says what they are.
 *
 * @param {Reflection} project
 */
function undocumentedMembers(project) {
  return project
    .getReflectionsByKind(kinds.property)
    .filter(({parent}) => parent?.kind === kinds.class || parent?.kind === kinds.interface)
    .filter((property) => !property.hasComment() && !signaturesOf(property).some((each) => each.hasComment()))
    .map((property) => property.getFullName());
}

/**
 * Of a property that is a function, which has the comment.
 *
 * @param {Reflection} property
 */
function signaturesOf({type}) {
  return type?.declaration?.signatures ?? [];
}

/**
 * The text of the heading that a page begins with.
 *
 * @param {Text | undefined} text
 */
export function headingOf(text) {
  return /^# (.+)\n/.exec(text?.[0]?.text ?? '')?.[1];
}

/**
 * Takes away the heading of the front page, which has the name of the project above it.
 *
 * @param {Text | undefined} text
 */
export function cutHeading(text) {
  const first = text?.[0];
  if (first) first.text = first.text.replace(/^# .+\n+/, '');
}
