/**
 * Reading values off the charts with a pointer. The page is whole without it. The script takes the values back from the
 * drawn paths and the axis ranges, so that the page holds each number once.
 */
export const script = `
(() => {
  const tip = document.body.appendChild(Object.assign(document.createElement('div'), {className: 'tip'}));
  const plots = [...document.querySelectorAll('.plot')].map((plot) => {
    const axis = (name, log) => {
      const [low, high] = plot.dataset[name].split(' ').map(Number);
      return log
        ? {valueAt: (share) => low * (high / low) ** share, shareOf: (value) => Math.log(value / low) / Math.log(high / low)}
        : {valueAt: (share) => low + share * (high - low), shareOf: (value) => (value - low) / (high - low)};
    };
    const [x, y] = [axis('x', plot.dataset.xKind === 'log'), axis('y', plot.dataset.kind === 'log')];
    const curves = [...plot.querySelectorAll('path[data-name]')].map((path) => ({
      path,
      name: path.dataset.name,
      points: path.getAttribute('d').slice(1).split('L').map((pair) => pair.split(' ').map(Number)),
    }));
    return {plot, cross: plot.querySelector('.cross'), x, y, curves};
  });
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
  const hide = () => {
    tip.style.display = 'none';
    for (const {cross} of plots) cross.style.display = 'none';
  };
  const point = ({plot, x, y, curves}, event) => {
    const box = plot.getBoundingClientRect();
    const at = 1000 * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const read = curves.map((curve) => ({...curve, point: nearest(curve.points, at)}));
    if (read.length === 0) return;
    const found = read.reduce((a, b) => (Math.abs(b.point[0] - at) < Math.abs(a.point[0] - at) ? b : a)).point[0];
    const step = x.valueAt(found / 1000);
    for (const other of plots) {
      const share = other.plot.dataset.xName === plot.dataset.xName ? other.x.shareOf(step) : -1;
      other.cross.style.display = share >= 0 && share <= 1 ? 'block' : 'none';
      other.cross.style.left = 100 * share + '%';
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
    const left = event.clientX + 16 + tip.offsetWidth > innerWidth ? event.clientX - 16 - tip.offsetWidth : event.clientX + 16;
    tip.style.left = Math.max(4, left) + 'px';
    tip.style.top = Math.max(4, Math.min(event.clientY + 12, innerHeight - tip.offsetHeight - 4)) + 'px';
  };
  for (const entry of plots) {
    entry.plot.addEventListener('pointermove', (event) => point(entry, event));
    entry.plot.addEventListener('pointerdown', (event) => point(entry, event));
    entry.plot.addEventListener('pointerleave', hide);
  }
  addEventListener('scroll', hide, {passive: true});
  for (const item of document.querySelectorAll('[data-curve]')) {
    const paths = item.closest('figure').querySelectorAll('.plot path[data-name], .plot .dots');
    let own = false;
    item.addEventListener('pointerenter', () => {
      for (const path of paths) {
        if (path.dataset.name !== undefined) own = path.dataset.name === item.dataset.curve;
        path.style.opacity = own ? 1 : 0.15;
      }
    });
    item.addEventListener('pointerleave', () => paths.forEach((path) => path.style.removeProperty('opacity')));
  }
})();
`;
