// Keeps a drawn page live. The server draws every part; this file only puts
// newer parts in place, lets the clocks tick, and says when the data is old.
'use strict';
(() => {
  const page = document.body.dataset;
  const stale = document.getElementById('stale');
  const polling = 3000; // between two questions where streams do not pass
  const silence = 25000; // without even a heartbeat: the stream is dead
  const celebration = 2600;

  let seq = page.seq;
  let last = Number(page.last); // when the judge last wrote, by its own clock
  let closed = page.closed === 'true';
  let ahead = Number(page.now) - Date.now(); // of the judge's clock over ours
  let heard = Date.now();
  const fresh = new Map(); // id of a tile -> when it turned green

  const now = () => Date.now() + ahead;

  // A part that holds the focus gives it to the same link in its successor.
  function put(id, html) {
    const old = document.getElementById(id);
    const holder = document.createElement('template');
    holder.innerHTML = html;
    const next = holder.content.firstElementChild;
    if (!old || !next) return;
    if (old.hasAttribute('aria-live')) {
      if (old.textContent !== next.textContent) old.textContent = next.textContent;
      return;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement.closest('[id]').id : '';
    celebrate(old, next);
    old.replaceWith(next);
    if (focused) document.getElementById(focused)?.querySelector('a')?.focus({preventScroll: true});
  }

  // Only what was seen in another state can have just turned green.
  function celebrate(old, next) {
    const before = new Map();
    for (const tile of [old, ...old.querySelectorAll('[data-state]')]) {
      if (tile.dataset.state) before.set(tile.id, tile.dataset.state);
    }
    for (const tile of [next, ...next.querySelectorAll('[data-state]')]) {
      if (tile.dataset.state !== 'ok') { fresh.delete(tile.id); continue; }
      if (before.has(tile.id) && before.get(tile.id) !== 'ok') fresh.set(tile.id, Date.now());
      const age = Date.now() - (fresh.get(tile.id) ?? -Infinity);
      if (age > celebration) { fresh.delete(tile.id); continue; }
      tile.classList.add('fresh');
      tile.style.setProperty('--age', `-${age}ms`);
      setTimeout(() => document.getElementById(tile.id)?.classList.remove('fresh'), celebration - age);
    }
  }

  function take(news) {
    // Another journal: language, zone and all of the page may differ.
    if (news.run !== page.run) {
      location.reload();
      return;
    }
    heard = Date.now();
    ahead = news.now - heard;
    last = news.last;
    closed = news.closed;
    if (news.parts.scene) put('scene', news.parts.scene);
    for (const [id, html] of Object.entries(news.parts)) if (id !== 'scene') put(id, html);
    tick();
  }

  function span(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    const two = (n) => String(n).padStart(2, '0');
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function tick() {
    const t = now();
    const zoned = new Date(t + Number(page.offset) * 1000);
    write(document.getElementById('clock'), zoned.toISOString().slice(11, 19));
    const count = document.getElementById('count');
    if (count?.dataset.to) write(count.querySelector('b'), span(Number(count.dataset.to) - t));
    const bar = document.querySelector('#phase .bar');
    if (bar) {
      const {from, to} = bar.dataset;
      const done = Math.min(100, Math.max(0, 100 * (t - from) / (to - from)));
      bar.firstElementChild.style.width = `${done}%`;
      bar.setAttribute('aria-valuenow', String(Math.round(done)));
    }
    age(t);
  }

  function age(t) {
    const quiet = Date.now() - heard;
    const old = closed ? 0 : t - last;
    let text = '';
    if (quiet > 15000) text = stale.dataset.link.replace('#', Math.round(quiet / 1000));
    else if (seq !== '0' && old > Number(page.patience)) text = stale.dataset.judge.replace('#', Math.round(old / 1000));
    write(stale, text);
    stale.hidden = !text;
    document.body.classList.toggle('old', Boolean(text));
  }

  const address = () => `/events?scene=${page.scene}&run=${page.run}&after=${seq}`;

  async function poll() {
    try {
      const reply = await fetch(address(), {headers: {Accept: 'application/json'}});
      if (!reply.ok) return;
      const news = await reply.json();
      seq = String(news.seq);
      take(news);
    } catch { /* the banner says it */ }
  }

  let stream = null;
  let poller = 0;

  function listen() {
    stream = new EventSource(address());
    stream.onmessage = (event) => {
      clearInterval(poller);
      poller = 0;
      const news = JSON.parse(event.data);
      seq = event.lastEventId;
      take(news);
    };
    stream.addEventListener('beat', (event) => take(JSON.parse(event.data)));
    // The browser connects again by itself, unless an answer was refused.
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) fallBack(); };
  }

  function fallBack() {
    stream.close();
    if (!poller) poller = setInterval(poll, polling);
    poll();
    setTimeout(listen, 30000);
  }

  setInterval(() => {
    tick();
    if (stream.readyState === EventSource.OPEN && !poller && Date.now() - heard > silence) fallBack();
  }, 1000);
  tick();
  listen();
})();
