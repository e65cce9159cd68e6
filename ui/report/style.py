"""How the report looks: light and dark, on paper, from 390 pixels up."""

STYLE = """
:root { color-scheme: light dark; --ink: #17212b; --soft: #52606d; --page: #ffffff;
  --card: #f3f6f9; --line: #d8e0e8; --accent: #0b6aa8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9fb0bf; --page: #10161c;
  --card: #18212a; --line: #2b3844; --accent: #6cb6ea; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.55;
  font: 16px/1.55 Inter, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0 0 .2rem; }
p { margin: .4rem 0 .8rem; overflow-wrap: anywhere; }
.soft, figcaption, .facts { color: var(--soft); }
.verdict { background: var(--card); border: 1px solid var(--line); border-left-width: .4rem;
  border-radius: .6rem; padding: 1rem 1.2rem; margin-top: 1.2rem; }
.verdict.clean, .verdict.nothing { border-left-color: #00966d; }
.verdict.remains { border-left-color: #d55e00; }
.verdict.trace, .verdict.unknown, .verdict.weak { border-left-color: #a67c00; }
.level { font-size: 1.35rem; font-weight: 700; margin: 0; line-height: 1.3; }
.headline { font-size: 1.06rem; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .35rem 1.2rem;
  margin: .6rem 0 .2rem; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
  gap: 0 1.6rem; }
.grid > figure { display: grid; grid-template-rows: subgrid; grid-row: span 5; gap: 0;
  margin-bottom: 1.4rem; }
.grid > .wide { grid-column: 1 / -1; overflow: visible; }
.grid > * { min-width: 0; }
.grid > figure > * { min-width: 0; }
figure { margin: 0 0 1rem; min-width: 0; }
.chart { width: 100%; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem; margin: .3rem 0; }
button { font: inherit; font-size: .85rem; color: var(--accent); background: transparent;
  border: 1px solid var(--line); border-radius: .4rem; padding: .2rem .7rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
button:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; }
details { margin: .3rem 0 .8rem; }
summary { cursor: pointer; color: var(--accent); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.hash { font-family: ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .7rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .86rem; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: 1rem; }
.images img { width: 100%; image-rendering: pixelated; border-radius: .3rem; display: block; }
.images figcaption { font-size: .82rem; }
.maps img { image-rendering: auto; }
.maps { grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .92em; }
@media (max-width: 34rem) {
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
@media print {
  :root { --ink: #000; --soft: #444; --page: #fff; --card: #fff; --line: #bbb; --accent: #000; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; }
  .tools, .grid details, .chart .modebar-container { display: none; }
  .grid { grid-template-columns: 1fr 1fr; gap: 0 6mm; }
  .grid > figure { margin-bottom: 5mm; }
  figure, .verdict, tr { break-inside: avoid; }
  h1, h2, h3, summary { break-after: avoid; }
  h2 { margin-top: 1.6rem; }
  .wide { overflow: visible; }
  main { max-width: none; padding: 0; }
}
"""
