/**
 * Keeps the page at the state of the run. Parts come as HTML and are compared with what stands there node by node, so what is open, focused,
 * selected or scrolled stays so. In a hidden tab the newest state of each part waits until somebody looks.
 */
export const liveScript = `
(() => {
  const connection = document.getElementById('connection');
  const newsLine = document.getElementById('news');
  const waiting = new Map();
  let after = document.querySelector('main').dataset.after;
  let source;
  let timer;
  let heardAt = Date.now();
  let phase = document.querySelector('[data-phase]').dataset.phase;
  let isOver = false;

  const put = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const tell = (state, text) => {
    connection.parentElement.dataset.state = state;
    put(connection, text);
  };
  const morph = (old, now) => {
    if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) return old.replaceWith(now);
    if (old.nodeType !== 1) {
      if (old.data !== now.data) old.data = now.data;
      return;
    }
    if (old.isEqualNode(now)) return;
    for (const {name} of [...old.attributes])
      if (!now.hasAttribute(name) && !(name === 'open' && old.nodeName === 'DETAILS') && !old.matches('.cross'))
        old.removeAttribute(name);
    for (const {name, value} of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    morphChildren(old, now);
  };
  const morphChildren = (old, now) => {
    const [before, wanted] = [[...old.childNodes], [...now.childNodes]];
    wanted.forEach((child, i) => (i < before.length ? morph(before[i], child) : old.append(child)));
    before.slice(wanted.length).forEach((child) => child.remove());
  };
  const draw = (id, text) => {
    const part = document.querySelector('[data-part="' + id + '"]');
    if (!part) return location.reload(); // the server is of another version
    const template = document.createElement('template');
    template.innerHTML = text;
    morphChildren(part, template.content);
  };
  const readHead = () => {
    const head = document.querySelector('[data-title]');
    document.title = head.dataset.title;
    phase = head.dataset.phase;
  };
  const drawWaiting = () => {
    if (document.hidden || waiting.size === 0) return;
    for (const [id, text] of waiting) draw(id, text);
    waiting.clear();
    document.dispatchEvent(new Event('crossmap:drawn'));
  };
  const take = (event) => {
    heardAt = Date.now();
    after = event.lastEventId;
    for (const [id, text] of JSON.parse(event.data)) waiting.set(id, text);
    if (waiting.has('head')) {
      draw('head', waiting.get('head')); // the name of a hidden tab tells how far the run is
      waiting.delete('head');
      readHead();
    }
    drawWaiting();
  };
  const again = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(connect, milliseconds);
  };
  const connect = () => {
    clearTimeout(timer);
    source?.close();
    source = new EventSource('events?after=' + encodeURIComponent(after));
    source.onopen = () => {
      isOver = false;
      heardAt = Date.now();
      tell('live', 'live');
    };
    source.onmessage = take;
    source.addEventListener('end', (event) => {
      take(event);
      source.close();
      isOver = true;
      tell('none', 'the run is over');
      if (phase !== 'finished') again(5000); // it may be gone on with
    });
    source.onerror = () => {
      isOver ||= phase === 'finished'; // its last event may have come with the page itself
      tell(isOver ? 'none' : 'lost', isOver ? 'the run is over' : 'no connection to the run, trying again');
      if (source.readyState === EventSource.CLOSED) again(isOver ? 5000 : 3000);
    };
  };
  const age = () => {
    const seconds = Math.round((Date.now() - heardAt) / 1000);
    const text = seconds < 120 ? seconds + ' s' : Math.floor(seconds / 60) + ' min';
    put(newsLine, isOver || seconds < 3 ? '' : '· last news ' + text + ' ago');
  };
  document.addEventListener('visibilitychange', () => {
    drawWaiting();
    if (!document.hidden && !isOver && source.readyState === EventSource.CLOSED) connect();
  });
  addEventListener('pageshow', (event) => event.persisted && connect());
  document.addEventListener('click', async (event) => {
    const button = event.target instanceof Element && event.target.closest('[data-copy]');
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = 'Copied';
  });
  setInterval(age, 1000);
  connect();
})();
`;
