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
.verdict { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: 1rem 1.2rem; font-size: 1.06rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
  gap: 1.6rem; }
.grid > * { min-width: 0; }
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
@media print {
  :root { --ink: #000; --soft: #444; --page: #fff; --card: #fff; --line: #bbb; --accent: #000; }
  .tools, .chart .modebar-container { display: none; }
  figure, .verdict { break-inside: avoid; }
  main { max-width: none; padding: 0; }
}
"""
