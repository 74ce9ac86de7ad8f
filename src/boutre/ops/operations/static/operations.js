// Keeps the page of operations live: takes what the server sends, changes what differs and nothing else, counts ages on, and
// says when it hears nothing. What is sent was escaped by the server; nothing here makes markup of it.
"use strict";
(() => {
  const root = document.documentElement;
  const language = root.lang;
  const connection = document.getElementById("connection");
  const LOST_MS = 12000;
  let heard = Date.now();
  let ahead = Date.now() - 1000 * Number(root.dataset.at); // this machine's clock may be wrong: ages are the server's

  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  function age(seconds) {
    const [size, unit] = units.find(([size]) => seconds >= size) || units[3];
    const count = seconds / size;
    const digits = size >= 3600 && count < 10 && Math.round(10 * count) !== 10 * Math.round(count) ? 1 : 0;
    return count.toFixed(digits).replace(".", language === "fr" ? "," : ".") + " " + root.dataset[unit];
  }
  function count() {
    const now = (Date.now() - ahead) / 1000;
    for (const one of document.querySelectorAll("time[data-ago]")) {
      const said = age(Math.max(0, now - Number(one.dataset.ago)));
      if (one.textContent !== said) one.textContent = said;
    }
  }
  function told() {
    const lost = Date.now() - heard > LOST_MS;
    const at = new Date(heard - ahead).toISOString().slice(11, 19) + " UTC";
    const said = lost ? root.dataset.lost.replace("{time}", at) : root.dataset.live;
    connection.className = lost ? "lost" : "live";
    if (connection.textContent !== said) connection.textContent = said;
  }

  // Makes *old* like *fresh* with as few changes as can be, so that focus, selection and a reader's place stay.
  function patch(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    if (old.nodeName === "TIME") return;
    const keyed = new Map([...old.children].filter((one) => one.dataset.key).map((one) => [one.dataset.key, one]));
    const wanted = [...fresh.childNodes];
    wanted.forEach((one, place) => {
      const key = one.nodeType === Node.ELEMENT_NODE ? one.dataset.key : undefined;
      const there = old.childNodes[place];
      const same = key ? keyed.get(key) : there;
      if (!same || (!key && there.dataset && there.dataset.key)) {
        old.insertBefore(one, there || null);
        return;
      }
      if (same !== there) old.insertBefore(same, there || null);
      patch(same, one);
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  }

  function put(said) {
    const fresh = new DOMParser().parseFromString("<main id=main>\n" + said.main + "\n</main>", "text/html").getElementById("main");
    patch(document.getElementById("main"), fresh);
    const counts = document.getElementById("counts");
    if (counts.innerHTML !== said.counts) counts.innerHTML = said.counts;
    if (document.title !== said.title) document.title = said.title;
  }

  const events = new EventSource("/events?language=" + language);
  events.addEventListener("state", (event) => {
    heard = Date.now();
    const said = JSON.parse(event.data);
    ahead = heard - 1000 * said.at;
    put(said);
    count();
    told();
  });
  events.addEventListener("beat", (event) => {
    heard = Date.now();
    ahead = heard - 1000 * Number(event.data);
    told();
  });
  setInterval(() => { count(); told(); }, 1000);
})();
