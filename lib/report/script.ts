/**
 * Reading values off the charts with a pointer. The page is whole without it. The script takes the values back from the
 * drawn paths and the axis ranges, so that the page holds each number once. It listens on the document and looks at a chart when
 * the pointer is there, so charts may be redrawn at any time; `crossmap:drawn` tells that they were.
 */
export const script = `
(() => {
  const tip = document.body.appendChild(Object.assign(document.createElement('div'), {className: 'tip'}));
  const axis = (range, log) => {
    const [low, high] = range.split(' ').map(Number);
    return log
      ? {valueAt: (share) => low * (high / low) ** share, shareOf: (value) => Math.log(value / low) / Math.log(high / low)}
      : {valueAt: (share) => low + share * (high - low), shareOf: (value) => (value - low) / (high - low)};
  };
  const xAxis = (plot) => axis(plot.dataset.x, plot.dataset.xKind === 'log');
  const parsed = new WeakMap();
  const pointsOf = (path) => {
    const d = path.getAttribute('d');
    if (parsed.get(path)?.d !== d)
      parsed.set(path, {d, points: d.slice(1).split('L').map((pair) => pair.split(' ').map(Number))});
    return parsed.get(path).points;
  };
  const nearest = (points, x) => {
    let [low, high] = [0, points.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle][0] < x) low = middle + 1;
      else high = middle;
    }
    return low > 0 && x - points[low - 1][0] < points[low][0] - x ? points[low - 1] : points[low];
  };
  const show = (value) => {
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  };
  let at;
  const hide = () => {
    at = undefined;
    tip.style.display = 'none';
    for (const cross of document.querySelectorAll('.cross')) cross.style.display = 'none';
  };
  const point = (plot) => {
    const box = plot.getBoundingClientRect();
    const along = 1000 * Math.min(1, Math.max(0, (at.x - box.left) / box.width));
    const read = [...plot.querySelectorAll('path[data-name]')].map((path) => ({
      path,
      name: path.dataset.name,
      point: nearest(pointsOf(path), along),
    }));
    if (read.length === 0) return hide();
    const found = read.reduce((a, b) => (Math.abs(b.point[0] - along) < Math.abs(a.point[0] - along) ? b : a)).point[0];
    const step = xAxis(plot).valueAt(found / 1000);
    const y = axis(plot.dataset.y, plot.dataset.kind === 'log');
    for (const other of document.querySelectorAll('.plot')) {
      const share = other.dataset.xName === plot.dataset.xName ? xAxis(other).shareOf(step) : -1;
      const cross = other.querySelector('.cross');
      cross.style.display = share >= 0 && share <= 1 ? 'block' : 'none';
      cross.style.left = 100 * share + '%';
    }
    tip.replaceChildren(Object.assign(document.createElement('b'), {textContent: plot.dataset.xName + ' ' + Math.round(step)}));
    for (const {name, path, point} of read.sort((a, b) => a.point[1] - b.point[1])) {
      const line = document.createElement('div');
      const mark = document.createElement('i');
      mark.style.background = path.style.stroke;
      line.append(mark, name + ' ', Object.assign(document.createElement('b'), {textContent: show(y.valueAt(1 - point[1] / 1000))}));
      tip.append(line);
    }
    tip.style.display = 'block';
    const left = at.x + 16 + tip.offsetWidth > innerWidth ? at.x - 16 - tip.offsetWidth : at.x + 16;
    tip.style.left = Math.max(4, left) + 'px';
    tip.style.top = Math.max(4, Math.min(at.y + 12, innerHeight - tip.offsetHeight - 4)) + 'px';
  };
  const look = (target) => {
    const plot = target instanceof Element && target.closest('.plot');
    if (plot) point(plot);
    else hide();
  };
  const follow = (event) => {
    at = {x: event.clientX, y: event.clientY};
    look(event.target);
  };
  document.addEventListener('pointermove', follow);
  document.addEventListener('pointerdown', follow);
  document.documentElement.addEventListener('pointerleave', hide);
  document.addEventListener('crossmap:drawn', () => at && look(document.elementFromPoint(at.x, at.y)));
  addEventListener('scroll', hide, {passive: true});
  const curvesBeside = (item) => [...item.closest('figure').querySelectorAll('.plot path[data-name], .plot .dots')];
  const legendItem = (event) => event.target instanceof Element && event.target.closest('[data-curve]');
  document.addEventListener('pointerover', (event) => {
    const item = legendItem(event);
    if (!item) return;
    let own = false;
    for (const path of curvesBeside(item)) {
      if (path.dataset.name !== undefined) own = path.dataset.name === item.dataset.curve;
      path.style.opacity = own ? 1 : 0.15;
    }
  });
  document.addEventListener('pointerout', (event) => {
    const item = legendItem(event);
    if (item) curvesBeside(item).forEach((path) => path.style.removeProperty('opacity'));
  });
})();
`;
