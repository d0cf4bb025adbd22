// Takes the grid and the layout utilities out of Tabler's sheet; see README.md for why only these.
//
//   npm install postcss@8
//   node trim.mjs <folder of @tabler/core>/dist/css/tabler.css > ../css/layout.css
import { readFileSync } from "node:fs";
import postcss from "postcss";

const at = "(-(sm|md|lg|xl))?";
const keep = [
  "row", `col${at}`, `col${at}-([1-9]|1[0-2]|auto)`, `g[xy]?${at}-[0-5]`, `row-cols${at}-[1-4]`,
  `d${at}-(none|block|inline|inline-block|flex|inline-flex|grid)`,
  `flex${at}-(row|column|wrap|nowrap|fill|grow-[01]|shrink-[01])`,
  `justify-content${at}-(start|end|center|between)`, `align-items${at}-(start|end|center|baseline|stretch)`,
  "align-self-(start|end|center|baseline|stretch)", "align-(top|middle|baseline)",
  "(row-|column-)?gap-[0-5]", `[mp][tbsexy]?${at}-([0-5]|auto)`,
  `text${at}-(start|center|end)`, "text-(nowrap|break|truncate)", "fw-(normal|medium|semibold|bold)",
  "[wh]-(25|50|75|100|auto)", "overflow-(auto|hidden)", "position-(relative|absolute|sticky)", "sticky-top",
  "list-unstyled", "[hv]stack", "visually-hidden(-focusable)?",
].map((p) => new RegExp(`^${p}$`));

const root = postcss.parse(readFileSync(process.argv[2], "utf8"));
const used = new Set();
root.walkComments((c) => c.remove());
root.walkRules((rule) => {
  const selectors = rule.selectors.filter((s) => {
    const classes = [...s.matchAll(/\.(-?[_a-zA-Z][\w-]*)/g)].map((m) => m[1]);
    return classes.length > 0 && classes.every((c) => keep.some((k) => k.test(c)));
  });
  if (selectors.length === 0) return rule.remove();
  rule.selectors = selectors;
  rule.walkDecls((d) => { for (const m of d.value.matchAll(/var\((--tblr-[\w-]+)/g)) used.add(m[1]); });
});
root.walkAtRules((a) => { if (!a.nodes || a.nodes.length === 0 || a.name === "keyframes") a.remove(); });
const text = root.toString().replace(/\n\s*/g, "").replace(/;\}/g, "}").replace(/\s*([{}:;,>])\s*/g, (m, c) => (c === ":" ? m.trim() : c));
console.error("variables used:", [...used].join(" "));
console.log("/*! Grid and layout utilities of Tabler 1.6.1, (c) 2018-2026 The Tabler Authors, codecalm.net Pawel Kuna; MIT, see licences/tabler.txt */");
console.log(text.replace(/(\}|\*\/)(?=[.@])/g, "$1\n").replace("@charset \"UTF-8\";", ""));
