// The program of the report's page. It inserts all data as text, and never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { names, texts, clusters, rules } = data;
  const SEVERITIES = ["error", "warning", "info"];
  const SEVERITY_NAMES = { error: ["Error", "Errors"], warning: ["Warning", "Warnings"], info: ["Info", "Infos"] };
  const VIEWS = ["overview", "findings", "matrix", "pullers", "logins", "changes", "whatif", "unreadable"];
  const ANSWERS = ["would_break", "unknown", "still_broken", "would_work", "still_pulls"];
  const ANSWER_CLASSES = ["error", "warning", "info", "good", "good"];
  const ANSWER_TITLES = ["would break", "not known", "still broken", "would work", "still pulls"];
  const EFFECTS = [["info", "gained"], ["warning", "lost"]];
  const VERDICTS = [["good", "pulls"], ["warning", "not known"], ["error", "cannot pull"], ["good", "has a login (not tested)"]];
  const PAGE = 100, SMALL_PAGE = 50, COLUMNS = 60, ROW = 28, MOST_IN_PICTURE = 36, MOST_PRINTED = 2000, MOST_COPIED = 1000, FIRST = 5, PLACES = 10;
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const number = (value) => value.toLocaleString("en");
  const counted = (value, one, many) => `${number(value)} ${value === 1 ? one : many || one + "s"}`;

  // ---- Elements ------------------------------------------------------------------------------------------------------------------
  const element = (name, properties, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return made;
  };
  const bdi = (text) => element("bdi", null, text);
  const drawn = (name, properties, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const clusterName = (at) => (at < 0 ? "all clusters" : clusters[at].name);
  const several = clusters.length > 1;

  // ---- State in the address -----------------------------------------------------------------------------------------------------
  const hasAudits = clusters.length > 0 || !data.questions.length;
  const DEFAULTS = {
    view: hasAudits ? "overview" : "whatif", cluster: "", q: "", namespace: "", rule: "", severity: "", new: "", sort: "severity", page: "",
    account: "", registry: "", without: "", columns: "", puller: "", login: "", suppose: "", question: "", answer: "", accesspage: "",
  };
  let state = { ...DEFAULTS };
  const hashOf = (wanted) => {
    const found = new URLSearchParams();
    for (const key of Object.keys(DEFAULTS)) if (wanted[key] !== DEFAULTS[key]) found.set(key, wanted[key]);
    return "#" + found.toString();
  };
  const readHash = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const found = { ...DEFAULTS };
    for (const key of Object.keys(DEFAULTS)) if (given.has(key)) found[key] = given.get(key);
    if (!VIEWS.includes(found.view)) found.view = DEFAULTS.view;
    if (found.cluster !== "" && !clusters[Number(found.cluster)]) found.cluster = "";
    if (found.question !== "" && !data.questions[Number(found.question)]) found.question = "";
    return found;
  };
  const go = (changes, keepsHistory) => {
    state = { ...state, page: "", accesspage: "", ...changes };
    history[keepsHistory ? "pushState" : "replaceState"](null, "", hashOf(state));
    show();
  };

  // ---- Findings ------------------------------------------------------------------------------------------------------------------
  const NAMED = ["namespace", "kind", "name", "location"];
  // A text is a list of parts. A number stands for one of the row's own names.
  const filled = (text, table, row) => {
    const own = [table.namespace, table.name, table.location];
    return text.map((part) => (typeof part === "number" ? names[own[part][row]] : part)).join("");
  };
  let lowered = null;
  const lower = () => (lowered = lowered || { names: names.map((text) => text.toLowerCase()), texts: texts.map((text) => text.filter((part) => typeof part === "string").join("\n").toLowerCase()) });
  const hits = (list, term) => {
    const found = new Uint8Array(list.length);
    for (let at = 0; at < list.length; at++) if (list[at].includes(term)) found[at] = 1;
    return found;
  };
  // Whether a row of a table matches a term: a name, a text, a rule or a cluster contains it, or namespace/name does.
  const matcher = (table, term) => {
    const known = lower();
    const inNames = hits(known.names, term), inTexts = hits(known.texts, term);
    const inRules = hits(rules.map((rule) => `${rule.title} ${rule.id}`.toLowerCase()), term);
    const inClusters = hits(clusters.map((cluster) => cluster.name.toLowerCase()), term);
    const joins = term.includes("/");
    return (row) =>
      inNames[table.namespace[row]] || inNames[table.name[row]] || inNames[table.location[row]] || inNames[table.kind[row]] ||
      inTexts[table.message[row]] || inRules[table.rule[row]] || (table.cluster[row] >= 0 && inClusters[table.cluster[row]]) ||
      (joins && `${known.names[table.namespace[row]]}/${known.names[table.name[row]]}`.includes(term));
  };
  const termsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

  const filteredFindings = () => {
    const table = data.findings;
    const tests = termsOf(state.q).map((term) => matcher(table, term));
    const inNamespace = state.namespace ? hits(lower().names, state.namespace.toLowerCase()) : null;
    const cluster = state.cluster === "" ? null : Number(state.cluster);
    const rule = state.rule === "" ? null : rules.findIndex((one) => one.id === state.rule);
    const wanted = state.severity ? SEVERITIES.map((name) => state.severity.split(",").includes(name)) : null;
    const found = [];
    for (let row = 0; row < table.rule.length; row++) {
      if (cluster !== null && table.cluster[row] !== cluster) continue;
      if (wanted && !wanted[table.severity[row]]) continue;
      if (rule !== null && table.rule[row] !== rule) continue;
      if (state.new && !table.new[row]) continue;
      if (inNamespace && !inNamespace[table.namespace[row]]) continue;
      let all = true;
      for (const test of tests) if (!test(row)) { all = false; break; }
      if (all) found.push(row);
    }
    return found;
  };
  // Names are sorted, so their positions have the same order. Sorting one number for each row is cheaper than sorting the rows.
  const sorted = (rows) => {
    const table = data.findings;
    const [column, direction] = state.sort.split("-");
    const size = names.length + 1;
    const keys = {
      severity: (row) => (table.severity[row] * (rules.length + 1) + table.rule[row]) * 1e6 + table.cluster[row],
      cluster: (row) => table.cluster[row] * 4 + table.severity[row],
      namespace: (row) => table.namespace[row] * size + table.name[row],
      name: (row) => table.name[row] * size + table.kind[row],
      rule: (row) => table.rule[row] * size + table.namespace[row],
    };
    const key = keys[column] || keys.severity;
    const sign = direction === "down" ? -1 : 1;
    const values = new Float64Array(table.rule.length);
    for (const row of rows) values[row] = key(row);
    return rows.sort((a, b) => sign * (values[a] - values[b]) || a - b);
  };

  const copied = (button, text) => {
    const said = button.textContent;
    const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = said; }, 1500); };
    const byHand = () => {
      const area = element("textarea", { class: "vh", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
      done();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, byHand); else byHand();
  };
  const copyButton = (text, label) => {
    const button = element("button", { type: "button", class: "small" }, label);
    button.addEventListener("click", () => copied(button, typeof text === "function" ? text() : text));
    return button;
  };
  const fix = (table, row) => {
    const text = filled(texts[table.fix[row]], table, row), effect = filled(texts[table.effect[row]], table, row);
    if (!text && !effect) return null;
    const details = element("details", { class: "fix" }, element("summary", null, "Fix"));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      if (effect) details.append(element("p", { class: "effect" }, bdi(effect)));
      if (text) details.append(element("pre", null, text), copyButton(text, "Copy"));
    });
    return details;
  };
  const mark = (severity) => element("span", { class: `mark ${SEVERITIES[severity]}` }, SEVERITY_NAMES[SEVERITIES[severity]][0]);
  const cell = (label, ...children) => element("td", { "data-label": label }, element("div", null, ...children));
  const findingRow = (table, row) => {
    const object = [names[table.kind[row]], " ", bdi(names[table.name[row]])];
    const about = names[table.location[row]];
    return element("tr", null,
      cell("Severity", mark(table.severity[row]), table.new[row] ? element("span", { class: "new" }, "new") : null),
      several ? cell("Cluster", bdi(clusterName(table.cluster[row]))) : null,
      cell("Namespace", bdi(names[table.namespace[row]] || "–")),
      cell("Object", ...object, about ? element("span", { class: "title" }, bdi(about)) : null),
      cell("Finding", element("span", { class: "title" }, rules[table.rule[row]].title), bdi(filled(texts[table.message[row]], table, row)), fix(table, row)));
  };

  // ---- Pages of a table ----------------------------------------------------------------------------------------------------------
  const pager = (name, total, size, page, turn) => {
    const last = Math.max(0, Math.ceil(total / size) - 1);
    for (const place of document.querySelectorAll(`[data-pager="${name}"]`)) {
      const had = place.contains(document.activeElement) ? document.activeElement.dataset.to : "";
      place.replaceChildren();
      if (!last) continue;
      const button = (label, to, target) => {
        const made = element("button", { type: "button", class: "small", "data-to": to, disabled: target < 0 || target > last }, label);
        made.addEventListener("click", () => turn(target));
        return made;
      };
      place.append(button("Previous", "previous", page - 1), `Page ${number(page + 1)} of ${number(last + 1)}`, button("Next", "next", page + 1));
      if (had) (place.querySelector(`[data-to="${had}"]:enabled`) || place.querySelector("button:enabled")).focus();
    }
    return last;
  };
  // A view with two tables has a page of its own for the second one: `key`.
  const paged = (name, rows, size, rowOf, key = "page") => {
    const last = Math.max(0, Math.ceil(rows.length / size) - 1);
    const page = Math.min(Math.max(0, Number(state[key]) || 0), last);
    pager(name, rows.length, size, page, (to) => go({ page: state.page, accesspage: state.accesspage, [key]: to ? String(to) : "" }));
    byId(name).tBodies[0].replaceChildren(...rows.slice(page * size, (page + 1) * size).map(rowOf));
    byId(name).hidden = !rows.length;
  };

  // ---- Views ---------------------------------------------------------------------------------------------------------------------
  const chosenRows = (table) => {
    const cluster = state.cluster === "" ? null : Number(state.cluster);
    const found = [];
    for (let row = 0; row < table.cluster.length; row++) if (cluster === null || table.cluster[row] === cluster) found.push(row);
    return found;
  };
  const comment = (text) => `# ${text.replace(/[^ -~]/g, "?")}\n`;
  const fixesOf = (rows) => {
    const table = data.findings, seen = new Set(), blocks = [];
    let cluster = null;
    for (const row of [...rows].sort((a, b) => table.cluster[a] - table.cluster[b] || a - b)) {
      const text = filled(texts[table.fix[row]], table, row);
      const key = `${table.cluster[row]} ${text}`;
      if (!text || seen.has(key)) continue;
      if (seen.size === MOST_COPIED) { blocks.push(`# and more: only the first ${MOST_COPIED} were copied\n`); break; }
      if (several && cluster !== table.cluster[row]) blocks.push(comment(clusterName(table.cluster[row])));
      cluster = table.cluster[row];
      seen.add(key);
      const effect = filled(texts[table.effect[row]], table, row);
      if (effect) blocks.push(comment(effect));
      blocks.push(text);
    }
    return blocks.join("");
  };
  const objectOf = (row) => {
    const table = data.findings;
    const place = [names[table.namespace[row]], names[table.name[row]]].filter(Boolean).join("/");
    return [table.new[row] ? element("span", { class: "new" }, "new") : null, table.new[row] ? " " : null,
      several && table.cluster[row] >= 0 ? element("span", { class: "place" }, bdi(clusterName(table.cluster[row]))) : null, " ",
      element("span", { class: "place" }, names[table.kind[row]], " ", bdi(place))];
  };
  // As `group_by_cause`: findings about the same part, or else about objects of the same name, whose messages differ only in their own names.
  const causesOf = (rows) => {
    const table = data.findings, groups = new Map();
    for (const row of rows) {
      const about = names[table.location[row]] ? `part ${table.location[row]}` : `name ${table.name[row]}`;
      const key = `${table.kind[row]} ${table.message[row]} ${about}`;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    return [...groups.values()].sort((one, other) => other.length - one.length);
  };
  const example = (rows) => {
    const table = data.findings, [row, ...others] = rows;
    const more = others.length > PLACES ? element("li", { class: "more" }, `and ${number(others.length - PLACES)} more`) : null;
    return element("li", null, ...objectOf(row), " ", bdi(filled(texts[table.message[row]], table, row)), fix(table, row),
      others.length ? element("ul", { class: "others" }, element("li", { class: "more" }, "Also:"), ...others.slice(0, PLACES).map((one) => element("li", null, ...objectOf(one))), more) : null);
  };
  let overviewOf = null;
  const showOverview = () => {
    if (overviewOf === state.cluster) return;
    overviewOf = state.cluster;
    const table = data.findings, rows = chosenRows(table), groups = new Map();
    const severities = [0, 0, 0];
    for (const row of rows) {
      severities[table.severity[row]]++;
      const key = `${table.severity[row]} ${table.rule[row]}`;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    SEVERITIES.forEach((name, at) => { document.querySelector(`[data-tile="${name}"]`).textContent = number(severities[at]); });
    for (const group of byId("rules").querySelectorAll(".group")) {
      for (const rule of group.querySelectorAll(".rule")) showRule(rule, groups.get(`${rule.dataset.severity} ${rule.dataset.rule}`) || []);
      group.hidden = !group.querySelector(".rule:not([hidden])");
    }
    const verdicts = { pulls: 0, untested: 0, unknown: 0, will_not_pull: 0 };
    for (const cluster of state.cluster === "" ? clusters : [clusters[Number(state.cluster)]]) {
      for (const name of Object.keys(verdicts)) verdicts[name] += cluster.verdicts[name];
    }
    const all = Object.values(verdicts).reduce((sum, each) => sum + each, 0);
    let at = 0;
    for (const name of Object.keys(verdicts)) {
      document.querySelector(`[data-verdict="${name}"]`).textContent = number(verdicts[name]);
      const part = document.querySelector(`.bar.big .${name}`), width = all ? (100 * verdicts[name]) / all : 0;
      part.setAttribute("x", at.toFixed(3));
      part.setAttribute("width", width.toFixed(3));
      at += width;
    }
    for (const link of document.querySelectorAll("[data-cluster]")) link.closest("tr").classList.toggle("chosen", link.dataset.cluster === state.cluster);
  };
  const showRule = (rule, rows) => {
    rule.hidden = !rows.length;
    if (!rows.length) return;
    const places = new Set(rows.map((row) => data.findings.cluster[row]));
    rule.querySelector(".total").textContent = number(rows.length);
    rule.querySelector(".where").textContent = several && state.cluster === "" && !places.has(-1) ? `in ${number(places.size)} of ${number(clusters.length)} clusters` : "";
    rule.querySelector(".examples").replaceChildren(...causesOf(rows).slice(0, FIRST).map(example));
    for (const old of rule.querySelectorAll(".body > .more, .actions")) old.remove();
    const link = element("a", { href: hashOf({ ...DEFAULTS, view: "findings", cluster: state.cluster, rule: rules[Number(rule.dataset.rule)].id, severity: SEVERITIES[Number(rule.dataset.severity)] }) },
      rows.length === 1 ? "Show it in the table" : `Show all ${number(rows.length)} in the table`);
    const actions = element("div", { class: "actions" }, link);
    if (rows.some((row) => texts[data.findings.fix[row]])) actions.append(copyButton(() => fixesOf(rows), "Copy all fixes"));
    rule.querySelector(".body").append(actions);
  };

  const showFindings = () => {
    const started = performance.now();
    const rows = sorted(filteredFindings());
    paged("findings", rows, PAGE, (row) => findingRow(data.findings, row));
    const all = data.findings.rule.length;
    byId("found").textContent = rows.length === all ? counted(all, "finding") : `${number(rows.length)} of ${counted(all, "finding")}`;
    const [column, direction] = state.sort.split("-");
    for (const button of byId("findings").querySelectorAll("[data-sort]")) {
      const head = button.closest("th");
      if (button.dataset.sort === column) head.setAttribute("aria-sort", direction === "down" ? "descending" : "ascending"); else head.removeAttribute("aria-sort");
    }
    document.documentElement.dataset.filterMilliseconds = String(Math.round(performance.now() - started));
  };

  let matrixRows = [], matrixColumns = [];
  const showMatrix = () => {
    const table = data.matrix, known = lower().names;
    const terms = termsOf(state.account), wanted = termsOf(state.registry);
    const isWanted = table.registries.map((name) => wanted.every((term) => known[name].includes(term)));
    const uses = new Array(table.registries.length).fill(0);
    matrixRows = chosenRows(table).filter((row) => {
      const text = terms.length ? `${known[table.namespace[row]]}/${known[table.account[row]]}` : "";
      if (!terms.every((term) => text.includes(term))) return false;
      let any = false;
      for (let at = table.start[row]; at < table.start[row + 1]; at++) if (isWanted[table.cells[at]]) { uses[table.cells[at]]++; any = true; }
      return any || state.without;
    });
    const used = [...table.registries.keys()].filter((at) => uses[at]).sort((a, b) => uses[b] - uses[a] || table.registries[a] - table.registries[b]);
    const last = Math.max(0, Math.ceil(used.length / COLUMNS) - 1);
    const page = Math.min(Math.max(0, Number(state.columns) || 0), last);
    pager("matrix", used.length, COLUMNS, page, (to) => go({ columns: to ? String(to) : "" }));
    matrixColumns = used.slice(page * COLUMNS, (page + 1) * COLUMNS);
    if (last && !state.without) {
      // Omit accounts without an entry in the columns of this page.
      const isShown = new Uint8Array(table.registries.length);
      for (const at of matrixColumns) isShown[at] = 1;
      matrixRows = matrixRows.filter((row) => { for (let at = table.start[row]; at < table.start[row + 1]; at++) if (isShown[table.cells[at]]) return true; return false; });
    }
    const shown = last ? `registries ${number(page * COLUMNS + 1)} to ${number(page * COLUMNS + matrixColumns.length)} of ${number(used.length)}` : counted(used.length, "registry", "registries");
    byId("matrix-found").textContent = `${counted(matrixRows.length, "account")}, ${shown}`;
    const severalShown = several && state.cluster === "";
    const head = element("tr", null, element("th", { scope: "col" }, element("span", { class: "label" }, severalShown ? "Cluster, namespace and account" : "Namespace and account")),
      ...matrixColumns.map((at) => { const name = names[table.registries[at]]; return element("th", { scope: "col", class: "up", title: name }, element("span", null, bdi(name))); }));
    const made = element("table", { "aria-rowcount": matrixRows.length + 1 }, element("caption", { class: "vh" }, "A mark means that the account has a login for the registry"), element("thead", null, head), element("tbody"));
    const box = byId("matrix");
    box.hidden = !matrixRows.length;
    box.scrollTop = 0;
    box.replaceChildren(made);
    drawMatrix(true);
  };
  let drawnFrom = -1;
  const drawMatrix = (anew) => {
    const box = byId("matrix"), body = box.querySelector("tbody");
    if (!body || state.view !== "matrix") return;
    const visible = Math.ceil((box.clientHeight || 700) / ROW) + 20;
    const from = Math.max(0, Math.floor(box.scrollTop / ROW / 10) * 10 - 10);
    if (!anew && from === drawnFrom) return;
    drawnFrom = from;
    const to = Math.min(matrixRows.length, from + visible), table = data.matrix, width = matrixColumns.length + 1;
    const space = (rows) => {
      if (!rows) return [];
      const filler = element("td", { colspan: width });
      filler.style.height = `${rows * ROW}px`;
      return [element("tr", { class: "space", "aria-hidden": "true" }, filler)];
    };
    const rows = matrixRows.slice(from, to).map((row, at) => {
      const has = new Set(table.cells.slice(table.start[row], table.start[row + 1]));
      const label = `${names[table.namespace[row]]}/${names[table.account[row]]}`;
      return element("tr", { "aria-rowindex": from + at + 2 },
        element("th", { scope: "row", title: label }, element("span", { class: "label" }, several && state.cluster === "" ? element("span", { class: "place" }, bdi(clusterName(table.cluster[row])), " ") : null, bdi(label))),
        ...matrixColumns.map((column) => has.has(column) ? element("td", { class: "yes" }, element("span", { class: "vh" }, "yes")) : element("td")));
    });
    body.replaceChildren(...space(from), ...rows, ...space(matrixRows.length - to));
  };

  const showPullers = () => {
    const table = data.pullers, known = lower().names, terms = termsOf(state.puller);
    const rows = chosenRows(table).filter((row) => terms.every((term) =>
      known[table.project[row]].includes(term) || known[table.subject[row]].includes(term) || known[table.namespace[row]].includes(term) || (!names[table.project[row]] && "all projects".includes(term))));
    rows.sort((a, b) => table.project[a] - table.project[b] || table.subject[a] - table.subject[b] || table.cluster[a] - table.cluster[b]);
    byId("pullers-found").textContent = counted(rows.length, "grant");
    paged("pullers", rows, SMALL_PAGE, (row) => element("tr", null,
      cell("Project", names[table.project[row]] ? bdi(names[table.project[row]]) : element("strong", null, "all projects")),
      cell("Pulled by", bdi(names[table.subject[row]])), cell("Binding", bdi(names[table.binding[row]])),
      several ? cell("Cluster", bdi(clusterName(table.cluster[row]))) : null));
    drawPicture(rows);
  };
  // Consumers are on the left, projects on the right. Only the most connected ones are drawn. The table contains all of them.
  const drawPicture = (rows) => {
    const table = data.pullers, edges = new Map(), left = new Map(), right = new Map();
    const add = (nodes, key) => nodes.set(key, (nodes.get(key) || 0) + 1);
    for (const row of rows) {
      const who = names[table.namespace[row]] || names[table.subject[row]], project = names[table.project[row]];
      const key = JSON.stringify([who, project]);
      if (!edges.has(key)) { edges.set(key, { who, project, bindings: 0 }); add(left, who); add(right, project); }
      edges.get(key).bindings++;
    }
    // Nodes for all projects or for everyone are always drawn.
    const isWide = (name) => name === "" || /^Group system:(un)?authenticated$/.test(name);
    const most = (nodes) => [...nodes.entries()].sort((a, b) => isWide(b[0]) - isWide(a[0]) || b[1] - a[1]).slice(0, MOST_IN_PICTURE).map((entry) => entry[0]);
    const projects = new Set(most(right));
    const pullers = new Map();
    for (const edge of edges.values()) if (projects.has(edge.project)) add(pullers, edge.who);
    const who = new Set(most(pullers));
    const shown = [...edges.values()].filter((edge) => projects.has(edge.project) && who.has(edge.who));
    const rightNodes = [...projects].filter((name) => shown.some((edge) => edge.project === name)).sort((a, b) => (a === "" ? -1 : b === "" ? 1 : a.localeCompare(b, "en", { numeric: true })));
    const place = new Map(rightNodes.map((name, at) => [name, at]));
    // Each node is at the average position of its neighbors, so that fewer lines cross.
    const middle = new Map([...who].map((name) => { const own = shown.filter((edge) => edge.who === name); return [name, own.reduce((sum, edge) => sum + place.get(edge.project), 0) / (own.length || 1)]; }));
    const leftNodes = [...who].sort((a, b) => middle.get(a) - middle.get(b) || a.localeCompare(b, "en", { numeric: true }));
    const height = 44 + 22 * Math.max(leftNodes.length, rightNodes.length);
    const step = (nodes) => (height - 44) / Math.max(1, nodes.length);
    const y = (nodes, at) => 36 + step(nodes) * (at + 0.5);
    const narrow = (byId("picture").clientWidth || 640) < 520;
    const [width, from, to, longest] = narrow ? [400, 148, 252, 19] : [640, 220, 420, 30];
    // In the middle: names often differ at their end only.
    const cut = (text) => (text.length > longest ? `${text.slice(0, longest - 10)}…${text.slice(-9)}` : text);
    const label = `${counted(shown.length, "line")} from ${counted(leftNodes.length, "namespace or group", "namespaces or groups")} to the ${counted(rightNodes.length, "project")} that they can pull from. The table contains the same data.`;
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
    svg.append(drawn("text", { x: from - 10, y: 16, "text-anchor": "end", class: "column" }, "May pull"), drawn("text", { x: to + 10, y: 16, class: "column" }, "from project"));
    for (const edge of shown) {
      const [a, b] = [y(leftNodes, leftNodes.indexOf(edge.who)), y(rightNodes, place.get(edge.project))].map((at) => at.toFixed(1));
      const path = drawn("path", { d: `M${from} ${a} C${width / 2} ${a} ${width / 2} ${b} ${to} ${b}`, "stroke-width": Math.min(6, 1 + Math.log2(edge.bindings)).toFixed(1) });
      if (isWide(edge.project) || isWide(edge.who)) path.classList.add("wide");
      path.edge = edge;
      svg.append(path);
    }
    const node = (x, at, name, nodes, anchor, isMarked, key) => {
      const group = drawn("g", {});
      const text = drawn("text", { x: anchor === "end" ? x - 10 : x + 10, y: (y(nodes, at) + 4).toFixed(1), "text-anchor": anchor, direction: "ltr", "unicode-bidi": "isolate" }, cut(name));
      const circle = drawn("circle", { cx: x, cy: y(nodes, at).toFixed(1), r: 4 });
      if (isMarked) circle.classList.add("wide");
      group.append(drawn("title", {}, name), circle, text);
      group.addEventListener("pointerenter", () => { svg.classList.add("near"); for (const path of svg.querySelectorAll("path")) path.classList.toggle("on", path.edge[key] === name || (key === "project" && name === "all projects" && path.edge.project === "")); });
      group.addEventListener("pointerleave", () => svg.classList.remove("near"));
      svg.append(group);
    };
    leftNodes.forEach((name, at) => node(from, at, name, leftNodes, "end", isWide(name), "who"));
    rightNodes.forEach((name, at) => node(to, at, name || "all projects", rightNodes, "start", isWide(name), "project"));
    byId("picture").replaceChildren(...(shown.length ? [svg] : []));
    const hidden = edges.size - shown.length;
    byId("picture-text").textContent = !shown.length ? "Only the accounts of each project itself." : hidden ? `The most connected: ${counted(hidden, "further line is", "further lines are")} not drawn. Search for a project to see its own.` : "A thicker line means more grants. Marked: all projects, or everyone.";
  };

  const showLogins = () => {
    const table = data.logins, known = lower().names, terms = termsOf(state.login);
    const columns = ["registry", "login", "password", "namespace", "secret"];
    const rows = chosenRows(table).filter((row) => { const text = columns.map((column) => known[table[column][row]]).join(" "); const joined = `${known[table.namespace[row]]}/${known[table.secret[row]]}`; return terms.every((term) => text.includes(term) || joined.includes(term)); });
    rows.sort((a, b) => table.registry[a] - table.registry[b] || table.login[a] - table.login[b] || table.password[a] - table.password[b] || table.cluster[a] - table.cluster[b] || table.namespace[a] - table.namespace[b]);
    byId("logins-found").textContent = counted(rows.length, "place");
    paged("logins", rows, PAGE, (row) => element("tr", null, cell("Registry", bdi(names[table.registry[row]])), cell("Login", names[table.login[row]]), cell("Password", names[table.password[row]]),
      cell("Secret", bdi(`${names[table.namespace[row]]}/${names[table.secret[row]]}`)), several ? cell("Cluster", bdi(clusterName(table.cluster[row]))) : null));
  };

  const showChanges = () => {
    const rows = chosenRows(data.gone), fresh = data.findings.new.reduce((sum, one) => sum + one, 0);
    const time = `${data.compared.made.replace("T", " ").slice(0, 16)} UTC`;
    byId("changes-text").replaceChildren(`Compared with the report of ${time}: `, element("a", { href: hashOf({ ...DEFAULTS, view: "findings", new: "1" }) }, counted(fresh, "new finding")), `, ${number(data.gone.rule.length)} gone.`);
    const lines = [];
    if (data.compared.only_now.length) lines.push(`Only in this report, so not compared: ${data.compared.only_now.join(", ")}.`);
    if (data.compared.only_before.length) lines.push(`Only in the older report, so not counted as gone: ${data.compared.only_before.join(", ")}.`);
    if (rows.length && clusters.some((cluster) => cluster.unreadable.length)) lines.push("A finding may also be gone because it could not be read this time: see what could not be read.");
    byId("changes-clusters").replaceChildren(...lines.map((line) => element("li", null, bdi(line))));
    byId("gone-found").textContent = counted(rows.length, "finding");
    paged("gone", rows, PAGE, (row) => findingRow(data.gone, row));
  };

  // The rows of what-if answers: one line for each container, with both verdicts next to each other.
  const filteredAnswers = () => {
    const table = data.what_if, known = lower().names, terms = termsOf(state.suppose);
    const question = state.question === "" ? null : Number(state.question);
    const wanted = state.answer ? ANSWERS.map((name) => state.answer.split(",").includes(name)) : null;
    const found = [];
    for (let row = 0; row < table.question.length; row++) {
      if (question !== null && table.question[row] !== question) continue;
      if (wanted && !wanted[table.answer[row]]) continue;
      if (terms.length) {
        const place = `${known[table.namespace[row]]}/${known[table.name[row]]}`;
        const sentences = ["before_reason", "after_reason", "cause"].map((column) => filled(texts[table[column][row]], table, row)).join(" ");
        const text = `${place} ${known[table.kind[row]]} ${known[table.location[row]]} ${known[table.image[row]]} ${sentences.toLowerCase()}`;
        if (!terms.every((term) => text.includes(term))) continue;
      }
      found.push(row);
    }
    return found;
  };
  const verdict = (at, reason) => [element("span", { class: `mark ${VERDICTS[at][0]}` }, VERDICTS[at][1]), " ", bdi(reason)];
  const answerRow = (row) => {
    const table = data.what_if, sentence = (column) => filled(texts[table[column][row]], table, row);
    const line = (title, text) => (text ? element("p", { class: "detail" }, element("strong", null, title), " ", bdi(text)) : null);
    const answer = table.answer[row];
    return element("tr", null,
      cell("Answer", element("span", { class: `mark ${ANSWER_CLASSES[answer]}` }, ANSWER_TITLES[answer])),
      data.questions.length > 1 ? cell("Cluster", bdi(data.questions[table.question[row]].name)) : null,
      cell("Container", bdi(names[table.namespace[row]]), element("span", { class: "title" }, names[table.kind[row]], " ", bdi(names[table.name[row]])),
        element("span", { class: "title" }, bdi(names[table.location[row]])), element("code", null, bdi(names[table.image[row]]))),
      cell("Before", ...verdict(table.before[row], sentence("before_reason"))),
      cell("After", ...verdict(table.after[row], sentence("after_reason")), line("When:", sentence("moment")), line("Because of:", sentence("cause")), line("To do:", sentence("advice")), fix(table, row)));
  };
  // The rows of access reviews: the access is in the column of the state that has it.
  const filteredAccess = () => {
    const table = data.access, known = lower().names, terms = termsOf(state.suppose);
    const question = state.question === "" ? null : Number(state.question);
    const columns = ["holder", "target", "through", "users", "entries", "change"];
    const found = [];
    for (let row = 0; row < table.question.length; row++) {
      if (question !== null && table.question[row] !== question) continue;
      if (terms.length) {
        const text = `${known[table.namespace[row]]}/${columns.map((column) => known[table[column][row]]).join(" ")}`;
        if (!terms.every((term) => text.includes(term))) continue;
      }
      found.push(row);
    }
    return found;
  };
  const accessRow = (row) => {
    const table = data.access, [mark, effect] = EFFECTS[table.effect[row]];
    const line = (title, text) => (text ? element("span", { class: "title" }, title, " ", bdi(text)) : null);
    const target = bdi(names[table.target[row]]), nothing = element("span", { class: "title" }, "no access");
    return element("tr", null,
      cell("Effect", element("span", { class: `mark ${mark}` }, effect)),
      data.questions.length > 1 ? cell("Cluster", bdi(data.questions[table.question[row]].name)) : null,
      cell("Account", bdi(names[table.namespace[row]]), element("span", { class: "title" }, bdi(names[table.holder[row]])), line("used by", names[table.users[row]])),
      cell("Before", effect === "lost" ? target : nothing), cell("After", effect === "lost" ? nothing : target),
      cell("By", bdi(names[table.through[row]]), line("declared by", names[table.entries[row]]), line("because of", names[table.change[row]])));
  };
  const showAccess = () => {
    const rows = filteredAccess(), all = data.access.question.length;
    paged("access", rows, PAGE, accessRow, "accesspage");
    byId("access-found").textContent = rows.length === all ? counted(all, "gain or loss", "gains and losses") : `${number(rows.length)} of ${counted(all, "gain or loss", "gains and losses")}`;
    byId("review").hidden = !all;
  };
  const showAnswers = () => {
    showAccess();
    const rows = filteredAnswers(), all = data.what_if.question.length;
    for (const box of document.querySelectorAll("[data-question]")) box.hidden = state.question !== "" && box.dataset.question !== state.question;
    paged("whatif", rows, PAGE, answerRow);
    byId("whatif-found").textContent = rows.length === all ? counted(all, "container") : `${number(rows.length)} of ${counted(all, "container")}`;
  };

  const SHOW = { overview: showOverview, findings: showFindings, matrix: showMatrix, pullers: showPullers, logins: showLogins, changes: showChanges, whatif: showAnswers, unreadable: () => {} };
  let shownView = "";
  const show = () => {
    if ((state.view === "changes" && !data.compared) || (state.view === "whatif" && !data.questions.length) || !hasAudits) state.view = DEFAULTS.view;
    for (const view of VIEWS) byId(`view-${view}`).hidden = view !== state.view;
    for (const link of document.querySelectorAll("[data-view]")) {
      if (link.dataset.view === state.view) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
      link.href = hashOf({ ...DEFAULTS, view: link.dataset.view, cluster: state.cluster });
    }
    fill();
    showOverview();
    if (state.view !== "overview") SHOW[state.view]();
    shownView = state.view;
  };
  // The controls show the state in the address. The text field with the focus is not changed.
  const FIELDS = { q: "q", namespace: "namespace", rule: "rule", cluster: "cluster", account: "account", registry: "registry", puller: "puller", login: "login", suppose: "suppose", question: "question" };
  const fill = () => {
    for (const [id, key] of Object.entries(FIELDS)) if (byId(id) !== document.activeElement || byId(id).tagName === "SELECT") byId(id).value = state[key];
    byId("sort").value = state.sort.split("-")[0];
    byId("new").checked = Boolean(state.new);
    byId("without").checked = Boolean(state.without);
    const chosen = state.severity ? state.severity.split(",") : SEVERITIES;
    for (const box of document.getElementsByName("severity")) box.checked = chosen.includes(box.value);
    const answers = state.answer ? state.answer.split(",") : ANSWERS;
    for (const box of document.getElementsByName("answer")) box.checked = answers.includes(box.value);
  };

  // ---- User actions --------------------------------------------------------------------------------------------------------------
  const listen = () => {
    for (const [id, key] of Object.entries(FIELDS)) {
      let timer = 0;
      const change = () => { clearTimeout(timer); if (state[key] !== byId(id).value) go({ [key]: byId(id).value, ...(key === "registry" || key === "account" || key === "cluster" ? { columns: "" } : {}) }); };
      byId(id).addEventListener("change", change);
      byId(id).addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(change, 120); });
    }
    byId("sort").addEventListener("change", () => go({ sort: byId("sort").value }));
    byId("new").addEventListener("change", () => go({ new: byId("new").checked ? "1" : "" }));
    byId("without").addEventListener("change", () => go({ without: byId("without").checked ? "1" : "" }));
    for (const [name, values] of [["severity", SEVERITIES], ["answer", ANSWERS]]) {
      for (const box of document.getElementsByName(name)) {
        box.addEventListener("change", () => {
          const chosen = [...document.getElementsByName(name)].filter((one) => one.checked).map((one) => one.value);
          go({ [name]: chosen.length === values.length ? "" : chosen.join(",") || "none" });
        });
      }
    }
    byId("filters").addEventListener("reset", (event) => { event.preventDefault(); go({ q: "", namespace: "", rule: "", severity: "", new: "" }); byId("q").value = ""; byId("namespace").value = ""; });
    for (const form of document.querySelectorAll("form")) form.addEventListener("submit", (event) => event.preventDefault());
    for (const button of document.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => go({ sort: state.sort === button.dataset.sort ? `${button.dataset.sort}-down` : button.dataset.sort }));
    }
    byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("main").focus(); });
    byId("matrix").addEventListener("scroll", () => requestAnimationFrame(() => drawMatrix(false)), { passive: true });
    addEventListener("resize", () => drawMatrix(true));
    addEventListener("hashchange", () => { state = readHash(); show(); });
    addEventListener("popstate", () => { state = readHash(); show(); });
    addEventListener("beforeprint", beforePrint);
    addEventListener("afterprint", () => { for (const rule of document.querySelectorAll(".rule.printed")) { rule.open = false; rule.classList.remove("printed"); } show(); });
  };
  const beforePrint = () => {
    const rows = sorted(filteredFindings());
    byId("findings").tBodies[0].replaceChildren(...rows.slice(0, MOST_PRINTED).map((row) => findingRow(data.findings, row)));
    byId("findings").hidden = !rows.length;
    byId("found").textContent = counted(rows.length, "finding");
    byId("print-note").textContent = rows.length > MOST_PRINTED ? `Only the first ${number(MOST_PRINTED)} of ${number(rows.length)} findings are printed.` : "";
    const answers = filteredAnswers();
    byId("whatif").tBodies[0].replaceChildren(...answers.slice(0, MOST_PRINTED).map(answerRow));
    byId("whatif").hidden = !answers.length;
    const access = filteredAccess();
    byId("access").tBodies[0].replaceChildren(...access.slice(0, MOST_PRINTED).map(accessRow));
    byId("access").hidden = !access.length;
    byId("review").hidden = !data.access.question.length;
    for (const view of hasAudits ? ["overview", "findings", "unreadable"] : []) byId(`view-${view}`).hidden = false;
    byId("view-whatif").hidden = !data.questions.length;
    for (const rule of document.querySelectorAll(".rule:not([open])")) { rule.open = true; rule.classList.add("printed"); }
  };

  const start = () => {
    const option = (value, text) => element("option", { value }, text);
    byId("cluster").append(option("", several ? `All ${number(clusters.length)} clusters` : clusterName(clusters.length - 1) || "None"), ...(several ? clusters.map((cluster, at) => option(String(at), cluster.name)) : []));
    const used = new Array(rules.length).fill(0);
    for (const rule of data.findings.rule) used[rule]++;
    byId("rule").append(option("", "All rules"), ...[...rules.keys()].filter((at) => used[at]).sort((a, b) => rules[a].severity - rules[b].severity || used[b] - used[a]).map((at) => option(rules[at].id, `${rules[at].title} (${number(used[at])})`)));
    byId("n-findings").textContent = number(data.findings.rule.length);
    byId("n-unreadable").textContent = number(clusters.reduce((sum, cluster) => sum + cluster.unreadable.length, 0));
    byId("to-changes").parentElement.hidden = !data.compared;
    byId("to-whatif").parentElement.hidden = !data.questions.length;
    byId("n-whatif").textContent = number(data.what_if.answer.filter((answer) => answer === 0).length);
    byId("question").append(option("", "All answers"), ...data.questions.map((each, at) => option(String(at), `${each.name}: ${each.changes.join(", ")}`)));
    // The table contains the first containers again.
    for (const part of document.querySelectorAll(".question > .examples, .question > .more")) part.hidden = true;
    byId("question-field").hidden = data.questions.length < 2;
    for (const head of document.querySelectorAll(".column-question")) head.hidden = data.questions.length < 2;
    if (!hasAudits) for (const link of document.querySelectorAll("[data-view]")) link.parentElement.hidden = link.dataset.view !== "whatif";
    byId("cluster").parentElement.hidden = !hasAudits;
    for (const head of document.querySelectorAll(".column-cluster")) head.hidden = !several;
    for (const hidden of document.querySelectorAll(".needs-program")) hidden.hidden = false;
    listen();
    state = readHash();
    show();
    document.documentElement.dataset.ready = "yes";
  };
  start();
})();
