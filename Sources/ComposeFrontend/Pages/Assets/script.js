"use strict";
(() => {
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const one = (selector, inside = document) => inside.querySelector(selector);
  const errorLine = /\b(ERROR|CRITICAL|Traceback)\b/, mostLines = 5000;

  // Times are shown as the time since then. The whole time is in the title.
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const words = new Intl.RelativeTimeFormat("en");
  function showTimes() {
    for (const time of all("time[datetime]")) {
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
      if (isNaN(seconds)) continue;
      const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || units[3];
      time.textContent = words.format(Math.trunc(seconds / size), unit);
    }
  }

  // Each example gets a button that copies it.
  function addButtons() {
    for (const example of all(".example")) {
      if (one(".copy", example)) continue;
      const button = document.createElement("button"), text = one("pre", example);
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy: " + (example.dataset.name || "example"));
      button.onclick = async () => {
        try {
          await navigator.clipboard.writeText(text.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(text);
          button.textContent = "Selected";
        }
        say(button.textContent);
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      };
      example.append(button);
    }
  }

  const say = text => { one("#live").textContent = text; };

  function append(data) {
    const log = one("#log");
    if (!log) return;
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    for (const line of data.split("\n")) {
      const item = document.createElement("li");
      item.textContent = line;
      if (errorLine.test(line)) item.className = "error";
      item.id = "L" + (log.start + log.children.length);
      log.append(item);
    }
    while (log.children.length > mostLines) {
      log.firstChild.remove();
      log.start++;
    }
    if (follows) log.scrollTop = log.scrollHeight;
  }

  // The page as it is now replaces the one that is shown. Forms in which a person writes stay.
  let refreshing, again, source, address;
  async function refresh() {
    clearTimeout(again);
    if (refreshing || document.hidden || all("main :is(input, select, textarea):focus").length) return later(2000);
    refreshing = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.status >= 500) throw 0;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const old = one("main"), main = document.adoptNode(one("main", next));
      const focused = document.activeElement?.id;
      for (const open of all("details[id][open]", old)) one("#" + open.id, main)?.setAttribute("open", "");
      if (source && main.dataset.events !== address) source.close();
      const before = old.dataset.state;
      old.replaceWith(main);
      if (focused) document.getElementById(focused)?.focus();
      if (main.dataset.state && main.dataset.state !== before) say(main.dataset.state);
      document.title = next.title;
      begin();
    } catch {
      later(3000);
    } finally {
      refreshing = false;
    }
  }
  function later(pause) {
    clearTimeout(again);
    again = setTimeout(refresh, pause);
  }

  // Changes arrive as a stream. The browser connects again by itself and names the last event that it has.
  function listen() {
    const next = one("main").dataset.events;
    if (!next || (next === address && source?.readyState < 2)) return;
    source?.close();
    address = next;
    const stream = source = new EventSource(next);
    const isOfCompose = next.includes("/events?after=");
    stream.addEventListener("log", event => append(event.data));
    stream.addEventListener("state-changed", () => later(isOfCompose ? 50 : 1500));
    stream.addEventListener("reset", () => later(50));
    stream.addEventListener("end", () => { stream.close(); later(50); });
    stream.onerror = () => { if (stream.readyState === 2) later(15000); };
  }

  function begin() {
    showTimes();
    addButtons();
    const log = one("#log:not(.whole)");
    if (log) log.scrollTop = log.scrollHeight;
    listen();
  }

  function step(by) {
    const rows = all("a[data-row]"), now = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))]?.focus();
  }
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    const actions = { "/": () => one("#q").focus(), j: () => step(1), k: () => step(-1), "?": () => one("#keys").showModal() };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) later(50); });
  setInterval(showTimes, 20000);
  begin();
})();
